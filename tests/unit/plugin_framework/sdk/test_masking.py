"""A secret is found however a text has quoted it, and what is no secret is left alone."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from itertools import product
from urllib.parse import quote, quote_plus

import pytest

from plugin_framework.sdk._masking import HIDDEN, Masker

SECRETS = [
    "pä +&<'canary123'>\\\"%2f/=",
    "simple-token_1234",
    "begin one of a key\nline two of a key\r\nend three of a key",
    "emo😀ji&\"x'y",
    "http://127.0.0.1:99/services/T0/B0/abcdefabcdef",
    "correct horse  battery",
]
WAYS: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "repr": repr,
    "repr in a dict": lambda text: repr({"a": "'\"", "b": text}),
    "repr of bytes": lambda text: repr(text.encode()),
    "ascii": ascii,
    "backslashes": lambda text: text.encode("ascii", "backslashreplace").decode(),
    "json": json.dumps,
    "json in UTF-8": lambda text: json.dumps(text, ensure_ascii=False),
    "html": html.escape,
    "xml": lambda text: text.encode("ascii", "xmlcharrefreplace").decode(),
    "url": quote,
    "url, all of it": lambda text: quote(text, safe=""),
    "form": quote_plus,
}


@pytest.mark.parametrize("secret", SECRETS)
def test_a_secret_is_hidden_however_it_was_escaped_and_escaped_again(secret: str) -> None:
    masker = Masker(secret)
    for (first, inner), (second, outer) in product(WAYS.items(), repeat=2):
        for around in ("{}", 'it\'s {} of "mine"', "pre{}post"):
            text = outer(inner(around.format(secret)))
            assert HIDDEN in masker.mask(text), (first, second, text)


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("before", ["", "\0", "\0u", "\0user\0"])
def test_a_secret_is_hidden_in_base64_and_in_hexadecimal_digits(secret: str, before: str) -> None:
    data = (before + secret.strip() + "\0more").encode()
    for text in (base64.b64encode(data), base64.urlsafe_b64encode(data)):
        shown = Masker(secret).mask(text.decode())
        assert HIDDEN in shown
        rest = len(data) - len(secret.strip().encode())
        assert len(shown.replace(HIDDEN, "")) <= rest * 4 / 3 + 6, (
            shown
        )  # no more than shares bits with what stands around
    assert Masker(secret).mask(data.hex()).count(HIDDEN) == 1


def test_the_telling_part_of_an_address_is_hidden_where_it_stands_alone() -> None:
    masker = Masker("https://hooks.example/services/T01/B01/kLmNoPqRsTuV")
    assert masker.mask("POST /services/T01/B01/kLmNoPqRsTuV HTTP/1.1") == f"POST {HIDDEN} HTTP/1.1"
    assert masker.mask("the token kLmNoPqRsTuV") == f"the token {HIDDEN}"
    assert masker.mask("https://hooks.example/services/ is Slack's") == "https://hooks.example/services/ is Slack's"
    assert masker.mask("no address: http://[") == "no address: http://["
    assert Masker("http://[broken").mask("http://[broken") == HIDDEN


def test_one_line_of_a_key_is_hidden_too() -> None:
    assert Masker("-----BEGIN-----\nAAAABBBBCCCC\n-----END-----").mask("line AAAABBBBCCCC") == f"line {HIDDEN}"


def test_what_is_no_secret_stays_and_so_does_a_secret_too_short_to_be_told_from_a_word() -> None:
    assert Masker("tiger7").mask("a tiger in tiger 7") == "a tiger in tiger 7"
    assert Masker("fail").mask("it failed") == "it failed"
    assert "tiger" not in repr(Masker("tiger7"))
