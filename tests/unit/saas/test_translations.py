"""The translations fit the code: nothing is missing, nothing is left over, and what is compiled is what is written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.utils import translation

from tenants.accounts.adapter import AccountAdapter
from tests.support.catalog import ROOT, Message, compiled, in_the_code, of_packages, read, wanted, write

FILES = sorted((ROOT / "locale").glob("*/LC_MESSAGES/django.po"))
REMEDY = "run `make messages`, and write what is missing"
_PLACES = re.compile(r"%\(\w+\)\.?\d*[sdf]|%%")


def _language(path: Path) -> str:
    return path.parts[-3]


@pytest.mark.parametrize("path", FILES, ids=_language)
def test_every_text_has_its_translation_and_none_is_left_over(path: Path) -> None:
    code, known = wanted(_language(path)), read(path)
    missing = {msgid for msgid in code if msgid not in known or not all(known[msgid].said)}
    assert missing == set(), REMEDY
    assert known.keys() - code.keys() == set(), REMEDY
    assert {msgid for msgid, message in known.items() if message.plural != code[msgid].plural} == set(), REMEDY


@pytest.mark.parametrize("path", FILES, ids=_language)
def test_translations_keep_what_is_filled_in_and_the_markup(path: Path) -> None:
    odd = {}
    for message in read(path).values():
        for said in filter(None, message.said):
            for what in (_PLACES, re.compile(r"</?\w+")):
                one, many = set(what.findall(message.msgid)), set(what.findall(message.plural or message.msgid))
                if set(what.findall(said)) not in (one, many):
                    odd[message.msgid] = said
    assert odd == {}


def test_what_is_said_in_our_words_is_still_said_by_its_package_and_not_by_us() -> None:
    borrowed = wanted("en").keys()
    assert borrowed - of_packages().keys() == set()
    assert borrowed & in_the_code().keys() == set()


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "This is not the code. Look again, or ask for a new one."),
     ("de", "Das ist nicht der Code. Sehen Sie noch einmal nach, oder fordern Sie einen neuen an.")],
)  # fmt: skip
def test_a_text_of_a_package_is_said_in_our_words(language: str, said: str) -> None:
    with translation.override(language):
        assert str(AccountAdapter.error_messages["incorrect_code"]) == said


@pytest.mark.parametrize("path", FILES, ids=_language)
def test_the_compiled_file_is_what_is_written(path: Path) -> None:
    assert path.with_suffix(".mo").read_bytes() == compiled(read(path), _language(path)), "run `make messages`"


def test_what_people_read_has_a_printers_apostrophe() -> None:
    typed = re.compile(r"\w'\w|(?<!')\b\w+s' \w")
    found = {text for each in in_the_code().values() for text in (each.msgid, each.plural) if typed.search(text)}
    assert found == {"418 (I'm a Teapot)"}, "write ’"  # the name that RFC 2324 gives it, found again in stored errors


def test_django_reads_what_was_written(tmp_path: Path, settings: object) -> None:
    texts = {
        "One": Message("One", "", ("Eins",)),
        '%(n)s "line"\nand more': Message(
            '%(n)s "line"\nand more', "%(n)s lines\nand more", ("%(n)s Zeile\n", "%(n)s Zeilen\n")
        ),
        "Bare": Message("Bare"),
    }
    path = tmp_path / "de" / "LC_MESSAGES" / "django.po"
    path.parent.mkdir(parents=True)
    write(path, texts, "de")
    assert {name: message.said for name, message in read(path).items()} == {
        "One": ("Eins",), '%(n)s "line"\nand more': ("%(n)s Zeile\n", "%(n)s Zeilen\n"), "Bare": ("",),
    }  # fmt: skip
    import gettext

    with path.with_suffix(".mo").open("rb") as file:
        found = gettext.GNUTranslations(file)
    assert (found.gettext("One"), found.gettext("Bare")) == ("Eins", "Bare")
    assert found.ngettext('%(n)s "line"\nand more', "", 2) == "%(n)s Zeilen\n"


def test_what_the_code_marks_is_found_in_python_and_in_templates() -> None:
    found = in_the_code()
    assert "saas/site/first_steps.py" in found["Invite somebody"].found_in
    assert "templates/base.html" in found["Skip to the content"].found_in
    assert found["%(number)s delivery is being made again."].plural == "%(number)s deliveries are being made again."
    with translation.override("de"):
        assert translation.gettext("Skip to the content") == "Zum Inhalt springen"
