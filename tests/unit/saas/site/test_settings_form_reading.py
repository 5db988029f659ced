"""The settings form of a plugin: what it reads back, and what it says to those who type nonsense."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import QueryDict
from django.utils import translation

from tests.support.settings_forms import SERVER, TEXT, form_of, page_of, sent


@pytest.mark.parametrize(
    ("node", "typed", "config"),
    [
        (TEXT, " a b ", {"x": "a b"}),
        ({**TEXT, "x-multiline": True}, "a\r\nb ", {"x": "a\nb "}),
        (TEXT, "", {}),
        ({**TEXT, "default": "blue"}, "", {"x": ""}),
        ({**TEXT, "default": "blue", "minLength": 1}, "", {}),
        ({**TEXT, "default": "blue", "pattern": "^[a-z]+$"}, "", {}),
        ({**TEXT, "default": "a@b.example", "format": "email"}, "", {}),
        ({"type": "integer"}, " 7 ", {"x": 7}),
        ({"type": "integer", "default": 5}, "", {}),
        ({"type": "number"}, "7", {"x": 7}),
        ({"type": "number"}, "-.5e1", {"x": -5.0}),
        ({"type": "number"}, "1.125", {"x": 1.125}),
        ({"type": "number"}, "12,345.5", {"x": 12345.5}),
        ({"type": "number", "multipleOf": 0.1}, "0.3", {"x": 0.3}),
        ({"type": "boolean"}, "on", {"x": True}),
        ({"type": "boolean", "default": True}, "off", {"x": False}),
        ({"type": "integer", "enum": [1, 2]}, "2", {"x": 2}),
        ({**TEXT, "enum": ["a", "b"]}, "", {}),
    ],
)
def test_what_is_typed_becomes_a_value_of_the_schemas_type(
    node: dict[str, Any], typed: str, config: dict[str, Any]
) -> None:
    form = sent({"x": node}, x=typed)
    assert (form.config, form.errors) == (config, {})
    assert all(type(form.config[name]) is type(value) for name, value in config.items())


@pytest.mark.parametrize(
    ("node", "typed", "message"),
    [
        ({"type": "integer"}, "seven", "Must be a whole number."),
        ({"type": "integer"}, "7.5", "Must be a whole number."),
        ({"type": "integer"}, "٣", "Must be a whole number."),
        ({"type": "integer"}, "9" * 30, "Is too large a number."),
        ({"type": "integer"}, "9" * 9000, "Is too large a number."),
        ({"type": "number"}, "1,5", "Must be a number, like 7 or 1.5."),
        ({"type": "number"}, "nan", "Must be a number, like 7 or 1.5."),
        ({"type": "number"}, "Infinity", "Must be a number, like 7 or 1.5."),
        ({"type": "number"}, "1e999", "Is too large a number."),
        ({"type": "number"}, "-" + "9" * 9000, "Is too large a number."),
        ({"type": "integer"}, "1,50", "Must be a whole number."),
        ({"type": "integer"}, "0,500", "Must be a whole number."),
        ({"type": "integer", "maximum": 9}, "12", "Must be at most 9."),
        ({"type": "integer", "maximum": 65535}, "65,536", "Must be at most 65,535."),
        ({"type": "number", "minimum": 2.5}, "2", "Must be at least 2.5."),
        (TEXT, "a\x00b", "Holds a NUL character, which cannot be stored."),
        (TEXT, "a\ud800b", "Holds half of a character, which cannot be stored."),
        ({**TEXT, "writeOnly": True}, "a\x00b", "Holds a NUL character, which cannot be stored."),
        ({**TEXT, "format": "email"}, "nobody", "Must be an e-mail address, like ada@example.com."),
        ({**TEXT, "enum": ["a", "b"]}, "c", "Choose one of the options."),
        ({"type": "boolean"}, "perhaps", "Must be yes or no."),
        ({"type": "array", "items": {**TEXT, "enum": ["a", "b"]}}, "c", "Choose among the options only."),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_said_at_the_field(node: dict[str, Any], typed: str, message: str) -> None:
    form = sent({"x": node, "other": TEXT}, other="kept", x=typed)
    page = page_of(form)
    assert form.errors == {"x": [message]}
    assert not form.is_valid()
    assert page.attributes_of("other")["value"] == "kept"
    assert message in page.text
    str(form).encode()  # a page can be made of it, whatever was typed


@pytest.mark.parametrize(
    ("kind", "typed", "value"),
    [
        ("number", "7,7", 7.7),
        ("number", "7.7", 7.7),
        ("number", "-0.125", -0.125),
        ("number", "1.234,5", 1234.5),
        ("number", "1.234.567", 1234567),
        ("number", ",5", 0.5),
        ("integer", "65.535", 65535),
        ("integer", "65535", 65535),
    ],
)
def test_a_number_is_read_as_the_readers_language_writes_it(kind: str, typed: str, value: float) -> None:
    with translation.override("de"):
        form = sent({"x": {"type": kind}}, x=typed)
        assert (form.config, form.errors) == ({"x": value}, {})


@pytest.mark.parametrize(
    ("kind", "typed", "message"),
    [
        ("number", "1.500", "Lässt sich auf zwei Arten lesen. Schreiben Sie 1500 oder 1,500."),
        ("number", "1,2,3", "Muss eine Zahl sein, etwa 7 oder 1,5."),
        ("number", "12.34.567", "Muss eine Zahl sein, etwa 7 oder 1,5."),
        ("integer", "7,0", "Muss eine ganze Zahl sein."),
    ],
)
def test_a_number_that_the_readers_language_does_not_write_so_is_refused(kind: str, typed: str, message: str) -> None:
    with translation.override("de"):
        form = sent({"x": {"type": kind}}, x=typed)
        assert form.errors == {"x": [message]}
        assert page_of(form).attributes_of("x")["value"] == typed


def test_a_number_and_its_limits_are_written_as_the_readers_language_does_it() -> None:
    rate = {"type": "number", "minimum": 0.5, "maximum": 1e6, "default": 2.5, "examples": [3.5]}
    port = {"type": "integer", "minimum": 1, "maximum": 65535}
    with translation.override("de"):
        page = page_of(form_of({"rate": rate, "port": port}, {"rate": 7.7, "port": 5432}))
        assert (page.attributes_of("rate")["value"], page.attributes_of("port")["value"]) == ("7,7", "5432")
        assert page.attributes_of("rate")["placeholder"] == "3,5"
        assert "Von 0,5 bis 1.000.000." in page.text
        assert "Von 1 bis 65.535." in page.text
        form = form_of({"rate": rate, "port": port}, {"rate": 7.7, "port": 5432}, data=page.submit())
        assert form.config == {"rate": 7.7, "port": 5432}
    assert page_of(form_of({"rate": rate}, {"rate": 7.7})).attributes_of("rate")["value"] == "7.7"


@pytest.mark.parametrize("typed", ["seven", "9" * 30, "1,5"])
def test_nothing_typed_is_lost_when_it_is_wrong(typed: str) -> None:
    assert page_of(sent({"x": {"type": "integer"}}, x=typed)).attributes_of("x")["value"] == typed


def test_a_field_that_was_not_sent_stays_as_it_is_saved() -> None:
    properties = {
        "a": TEXT,
        "b": {"type": "boolean"},
        "l": {"type": "array", "items": TEXT},
        "c": {"type": "array", "items": {**TEXT, "enum": ["u", "v"]}},
    }
    saved = {"a": "x", "b": True, "l": ["1"], "c": ["u"]}
    assert (
        form_of(
            properties, saved, data=QueryDict("unknown=1&l.x=2&l.-1=3&l.01=3&l.99999999999999=4&add:nothing=1")
        ).config
        == saved
    )


def test_an_empty_box_is_a_no_although_browsers_send_nothing_for_it() -> None:
    properties = {"b": {"type": "boolean"}}
    page = page_of(form_of(properties, {"b": True}))
    unticked = page.submit()
    unticked.setlist("b", unticked.getlist("b")[:-1])  # the browser leaves the box out, and only the box
    assert form_of(properties, {"b": True}, data=unticked).config == {"b": False}
    assert form_of(properties, {"b": True}, data=page.submit()).config == {"b": True}


def test_a_required_box_left_empty_is_a_no_and_not_an_error() -> None:
    form = sent({"b": {"type": "boolean"}}, form={"required": ["b"]})
    assert (form.errors, form.config) == ({}, {"b": False})


def test_two_different_values_for_one_field_are_refused() -> None:
    form = form_of({"x": TEXT}, data=QueryDict("x=a&x=b"))
    assert list(form.errors) == ["x"]
    assert form_of({"x": TEXT}, data=QueryDict("x=a&x=a")).config == {"x": "a"}


def test_what_is_missing_is_said_at_the_missing_field() -> None:
    assert sent({"x": TEXT}, form={"required": ["x"]}).errors == {"x": ["Required."]}


def test_a_locked_field_shows_its_value_and_takes_no_other() -> None:
    properties = {
        "a": TEXT,
        "server": SERVER,
        "l": {"type": "array", "items": TEXT},
        "c": {"type": "array", "items": {**TEXT, "enum": ["u"]}},
    }
    saved = {"a": "theirs", "server": {"host": "h"}, "l": ["1"], "c": ["u"]}
    options = {"locked": ["a", ("server",), "l", "c"], "saved_secrets": [("server", "token")]}
    page = page_of(form_of(properties, saved, **options))
    assert all(each.disabled for each in page.controls)
    assert "This cannot be changed here." in page.text
    forged = QueryDict(
        "a=mine&server.host=evil&server.token=evil&remove:server.token=on&l.0=2&rows:l=1&remove:l.0=on&c="
    )
    form = form_of(properties, saved, **options, data=forged)
    assert (form.config, form.secrets, form.removed_secrets, form.errors) == (saved, {}, (), {})


def test_a_group_that_nobody_fills_in_is_left_out_and_asks_for_nothing() -> None:
    form = sent({"server": SERVER})
    assert (form.config, form.errors) == ({}, {})


def test_a_group_that_is_begun_must_be_finished() -> None:
    assert sent({"server": SERVER}, **{"server.port": "26"}).errors == {"server.host": ["Required."]}
    assert sent({"server": SERVER}, **{"server.host": "h"}).config == {"server": {"host": "h"}}


def test_a_group_can_be_emptied_again() -> None:
    form = sent({"server": SERVER}, {"server": {"host": "h"}}, **{"server.host": ""})
    assert (form.config, form.errors) == ({}, {})


def test_what_the_schema_does_not_know_is_kept_and_never_shown() -> None:
    saved = {"server": {"host": "h", "left_over": "v-hidden"}, "old": "v-hidden"}
    form = sent({"server": SERVER}, saved, **{"server.host": "g"})
    assert form.config == {"server": {"host": "g", "left_over": "v-hidden"}, "old": "v-hidden"}
    assert "v-hidden" not in str(form)


def test_what_is_saved_and_fits_no_more_is_said_and_can_be_replaced() -> None:
    properties = {"n": {"type": "integer"}, "server": SERVER, "l": {"type": "array", "items": TEXT}}
    saved = {"n": "5", "server": "x", "l": {"a": 1}}
    assert "does not fit any more" in page_of(form_of(properties, saved)).text
    assert sent(properties, saved).config == {"n": 5}
