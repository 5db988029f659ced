"""Why a plugin was rejected is logged and kept in English, and read in the reader's language to the last word that is ours."""

from __future__ import annotations

import re

import pytest
from django.utils import translation

from plugin_framework import rejections
from plugin_framework.delivery import times
from plugin_framework.inspection import Rejected, inspect_plugin
from plugin_framework.loader import Source
from plugin_framework.sdk._words import Phrase, reread

SENTENCES = {name: each for name, each in vars(rejections).items() if isinstance(each, Phrase)}


def in_german(text: str) -> str:
    with translation.override("de"):
        return str(reread(text))


@pytest.mark.parametrize("name", SENTENCES)
def test_each_sentence_is_found_again_and_said_in_german(name: str) -> None:
    phrase = SENTENCES[name]
    said = phrase(**{place: f"<{place}>" for place in re.findall(r"%\((\w+)\)s", phrase.text)})
    with translation.override("de"):
        assert str(reread(said.english)) == str(said) != said.english


def test_a_sentence_within_another_is_said_in_german_too() -> None:
    source = Source("pager", "pager.plugin", "Pager", package="acme-pager")
    error = rejections.NOT_LOADED_FROM(plugin="pager", source=source, error="ImportError: x")
    assert in_german(error.english) == (
        "pager lässt sich nicht aus pager.plugin:Pager aus dem Paket acme-pager laden: ImportError: x."
    )
    with pytest.raises(times.BadSchedule) as never:
        times.check("0 0 30 2 *")
    job = rejections.NEVER_DUE(job="pager.tick", error=never.value).english
    assert in_german(job).startswith("Die Aufgabe pager.tick ist nie fällig: '0 0 30 2 *' ist kein Zeitplan:")


def test_what_is_raised_stays_english_whoever_meets_it() -> None:
    with translation.override("de"), pytest.raises(Rejected, match="is not a plugin: derive it from PluginInterface"):
        inspect_plugin(int, {})  # type: ignore[arg-type]  # what a package may bring
