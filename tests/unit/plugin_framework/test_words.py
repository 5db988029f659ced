"""The engine's sentences: said to each reader in their language, stored in English, and known again when they are read."""

from __future__ import annotations

import pytest
from django.utils import translation

from plugin_framework.config.errors import FieldError
from plugin_framework.gate import Decision, Reason
from plugin_framework.sdk._words import Phrase, Sentence, in_field, reread

PLAN = Phrase("Your organisation’s plan, %(plan)s, does not include it.")
NEEDS = Phrase("Needs %(title)s, which does not run: %(why)s")
REQUIRED = Phrase("Required.")
HELD = Phrase("Held back: %(why)s")


def test_one_decision_is_said_to_each_reader_in_their_own_language() -> None:
    decision = Decision(Reason.DEPENDENCY, NEEDS(title=Sentence("Orders"), why=PLAN(plan="Basic")))
    assert decision.text == "Needs Orders, which does not run: Your organisation’s plan, Basic, does not include it."
    with translation.override("de"):
        said = "Braucht Bestellungen, das nicht läuft: Der Tarif Ihrer Organisation, Basic, enthält es nicht."
        assert decision.text == said


def test_what_is_stored_is_english_whoever_stores_it() -> None:
    with translation.override("de"):
        assert (
            HELD(why=PLAN(plan="Basic")).english == "Held back: Your organisation’s plan, Basic, does not include it."
        )


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        (
            "Held back: Your organisation’s plan, Basic, does not include it.",
            "Zurückgehalten: Der Tarif Ihrer Organisation, Basic, enthält es nicht.",
        ),
        (
            "Held back: Its settings need attention: server.host: Required.",
            "Zurückgehalten: Seine Einstellungen brauchen Aufmerksamkeit: server.host: Pflicht.",
        ),
        (
            "Held back: Its settings need attention: Subject lines: Entry 2: Subject: Required.",
            "Zurückgehalten: Seine Einstellungen brauchen Aufmerksamkeit: Subject lines: Entry 2: Betreff: Pflicht.",
        ),
        (
            "Given up after 10 attempts. The last one: ValueError: 100 % wrong",
            "Aufgegeben nach 10 Versuchen. Der letzte: ValueError: 100 % wrong",
        ),
        (
            "The plan Basic includes 12,345 deliveries a day: it waits for midnight UTC, or a larger plan.",
            "Der Tarif Basic enthält 12.345 Zustellungen am Tag: Sie wartet auf Mitternacht UTC oder einen größeren Tarif.",
        ),
        ("Port: Must be at most 65,535.", "Port: Darf höchstens 65.535 sein."),
        ("Rate: Must be at least 0.5.", "Rate: Muss mindestens 0,5 sein."),
        ("The server said %(no)s: it is full.", "The server said %(no)s: it is full."),
        ("", ""),
    ],
)
def test_what_was_stored_is_read_in_the_readers_language_as_far_as_it_is_ours(stored: str, said: str) -> None:
    with translation.override("de"):
        assert str(reread(stored)) == said
    assert str(reread(stored)) == stored


def test_a_sentence_equals_whatever_says_the_same_in_english() -> None:
    assert PLAN(plan="Basic") == "Your organisation’s plan, Basic, does not include it."
    assert FieldError(("host",), REQUIRED()) == FieldError(("host",), "Required.")
    assert len({REQUIRED(), Sentence("Required."), PLAN(plan="a"), PLAN(plan="b")}) == 3
    assert in_field("host", REQUIRED()) == "host: Required."


def test_a_phrase_that_says_too_little_is_not_looked_for_in_others_texts() -> None:
    Phrase("%(one)s wants %(two)s")
    assert reread("somebody wants something").values == ()


@pytest.mark.parametrize("text", ["%(name)s wants %(name)s, and more", "It costs %(1st)s more than is there"])
def test_a_phrase_that_could_not_be_found_again_is_refused_where_it_is_made(text: str) -> None:
    with pytest.raises(ValueError, match="give each of its places a name of its own"):
        Phrase(text)


def test_what_says_most_is_tried_first_whenever_it_was_made() -> None:
    little, most, more = (
        Phrase(f"It lies far away from %(place)s{rest}") for rest in ("", " on %(road)s by %(means)s", " on %(road)s")
    )
    assert reread("It lies far away from home on Main Street by bus").values == (
        most(place="home", road="Main Street", means="bus").values
    )
    assert reread("It lies far away from home on Main Street").values == more(place="home", road="Main Street").values
    assert reread("It lies far away from home").values == little(place="home").values
