"""What makes a configuration fit its schema: defaults, limits, and errors that people can act on."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import translation

from plugin_framework.config import FREE_FORM, FieldError, compile_schema
from plugin_framework.config.limits import MAX_BYTES, MAX_DEPTH

TEXT = {"type": "string"}


def _object(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


def _errors(node: dict[str, Any], value: Any) -> list[str]:
    return [error.message for error in compile_schema(_object(x=node)).validate({"x": value}).errors]


# --- defaults ---------------------------------------------------------------------------------------------------------


def test_defaults_are_filled_in_and_given_values_stay() -> None:
    schema = compile_schema(_object(a={**TEXT, "default": "A"}, b={**TEXT, "default": "B"}, c=TEXT))
    assert schema.validate({"b": ""}).config == {"a": "A", "b": ""}


def test_what_is_given_is_never_changed_nor_shared() -> None:
    schema = compile_schema(
        _object(l={"type": "array", "items": TEXT, "default": ["a"]}, o=_object(p={"type": "integer", "default": 1}))
    )
    given: dict[str, Any] = {"o": {}}
    first = schema.validate(given).config
    first["l"].append("b")
    assert given == {"o": {}}
    assert schema.validate(given).config == {"o": {"p": 1}, "l": ["a"]}


def test_defaults_of_a_group_make_it_unless_something_required_is_missing() -> None:
    port = {"type": "integer", "default": 25}
    assert compile_schema(_object(s=_object(port=port))).validate({}).config == {"s": {"port": 25}}
    optional = compile_schema(_object(s=_object(("host",), host=TEXT, port=port)))
    assert optional.validate({}) == optional.validate({}).__class__({}, ())
    assert optional.validate({"s": {"host": "h"}}).config == {"s": {"host": "h", "port": 25}}
    required = compile_schema(_object(("s",), s=_object(("host",), host=TEXT, port=port)))
    assert required.validate({}).errors == (FieldError(("s", "host"), "Required."),)


def test_a_group_in_a_group_counts_when_the_outer_one_is_made() -> None:
    inner = _object(("host",), host=TEXT, port={"type": "integer", "default": 25})
    assert compile_schema(_object(o=_object(("i",), i=inner))).validate({}) == FREE_FORM.validate({})


def test_a_default_with_more_than_the_schema_knows_is_taken_as_it_is() -> None:
    schema = compile_schema(_object(o=_object(d={**_object(), "default": {"more": 1}})))
    assert schema.validate({}).config == {"o": {"d": {"more": 1}}}


def test_keys_the_schema_does_not_know_are_kept() -> None:
    assert compile_schema(_object(a=TEXT)).validate({"old": [1]}).config == {"old": [1]}


def test_leftover_keys_go_only_where_the_schema_allows_none() -> None:
    assert compile_schema(_object(a=TEXT)).keeps("old")
    assert not compile_schema(_object(a=TEXT)).keeps("a")
    assert not compile_schema({**_object(a=TEXT), "additionalProperties": False}).keeps("old")


# --- errors -----------------------------------------------------------------------------------------------------------

WRONG: list[tuple[dict[str, Any], Any, str]] = [
    (TEXT, 1, "Must be a text."),
    (TEXT, None, "Must be a text."),
    ({"type": "integer"}, "1", "Must be a whole number."),
    ({"type": "integer"}, 1.5, "Must be a whole number."),
    ({"type": "integer"}, True, "Must be a whole number."),
    ({"type": "number"}, [], "Must be a number."),
    ({"type": "boolean"}, 1, "Must be yes or no."),
    ({"type": "array", "items": TEXT}, {}, "Must be a list."),
    (_object(), [], "Must be a group of fields."),
    ({**TEXT, "enum": ["a", "b"]}, "c", "Must be one of: a, b."),
    ({"type": "boolean", "const": True}, False, "Must be yes."),
    ({"type": "integer", "minimum": 1}, 0, "Must be at least 1."),
    ({"type": "integer", "maximum": 1}, 2, "Must be at most 1."),
    ({"type": "integer", "exclusiveMinimum": 1}, 1, "Must be more than 1."),
    ({"type": "integer", "exclusiveMaximum": 1}, 1, "Must be less than 1."),
    ({"type": "number", "multipleOf": 0.1}, 0.35, "Must be a multiple of 0.1."),
    ({**TEXT, "minLength": 1}, "", "Required."),
    ({**TEXT, "minLength": 3}, "ab", "Must have at least 3 characters."),
    ({**TEXT, "maxLength": 3}, "abcd", "Must have at most 3 characters."),
    ({**TEXT, "pattern": "^a$"}, "b", "Does not have the expected form."),
    ({"type": "array", "items": TEXT, "minItems": 1}, [], "Needs at least one entry."),
    ({"type": "array", "items": TEXT, "maxItems": 1}, ["a", "b"], "Takes one entry only."),
    ({"type": "array", "items": TEXT, "maxItems": 9, "uniqueItems": True}, ["a", "a"], "Holds the same entry twice."),
    ({**_object(), "additionalProperties": False}, {"y": 1}, "Holds a field that is not known."),
    ({**_object(), "minProperties": 2}, {"y": 1}, "Needs at least 2 fields."),
    ({**_object(), "maxProperties": 0}, {"y": 1}, "Takes at most 0 fields."),
]


@pytest.mark.parametrize(("node", "value", "sentence"), WRONG)
def test_what_does_not_fit_is_said_in_a_sentence(node: dict[str, Any], value: Any, sentence: str) -> None:
    assert _errors(node, value) == [sentence]


FORMATS: dict[str, tuple[list[str], list[str]]] = {
    "email": (["ada@example.com", "ada@müller.example"], ["", "ada", "@", "a@b@c", "a b@example.com"]),
    "uri": (
        ["https://example.com/a?b#c", "http://[::1]:8080/"],
        [
            "",
            "example.com",
            "ftp://a",
            "https://",
            "http://[",
            "https://a b",
            "http://a:99999",
            "http://a\\@b",
            "javascript:alert(1)",
        ],
    ),
    "hostname": (["localhost", "mail.example.com", "a-1.b"], ["", "-a", "a-", "a..b", "a_b", "a" * 64, "a.", "ü"]),
    "ipv4": (["127.0.0.1"], ["", "127.0.0", "256.0.0.1", "::1"]),
    "ipv6": (["::1"], ["", "127.0.0.1", ":::"]),
    "uuid": (
        ["123e4567-e89b-12d3-a456-426614174000"],
        ["", "123e4567e89b12d3a456426614174000", "urn:uuid:123e4567-e89b-12d3-a456-426614174000"],
    ),
    "date": (["2026-01-31"], ["", "2026-02-30", "31.01.2026", "20260131", "2026-W01-1"]),
    "time": (["14:30", "14:30:00", "14:30:00+02:00"], ["", "25:00", "1430", "noon"]),
    "date-time": (
        ["2026-01-31T14:30:00Z", "2026-01-31T14:30:00+02:00"],
        ["", "2026-01-31", "2026-01-31T14:30:00", "2026-01-31 14:30Z"],
    ),
}


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, (good, _) in FORMATS.items() for text in good])
def test_a_text_of_the_format_is_accepted(name: str, text: str) -> None:
    assert _errors({**TEXT, "format": name}, text) == []


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, (_, bad) in FORMATS.items() for text in bad])
def test_a_text_of_another_format_is_refused_with_an_example(name: str, text: str) -> None:
    (sentence,) = _errors({**TEXT, "format": name}, text)
    assert sentence.startswith("Must be a")


def test_errors_carry_the_path_of_their_field() -> None:
    rows = {"type": "array", "items": _object(("name",), name=TEXT)}
    schema = compile_schema(_object(("host",), host=TEXT, o=_object(p={"type": "integer"}), rows=rows))
    assert set(schema.validate({"o": {"p": "x"}, "rows": [{"name": "a"}, {"name": 1}, {}]}).errors) == {
        FieldError(("host",), "Required."),
        FieldError(("o", "p"), "Must be a whole number."),
        FieldError(("rows", 1, "name"), "Must be a text."),
        FieldError(("rows", 2, "name"), "Required."),
    }


def test_an_error_is_told_to_people_behind_the_labels_of_the_form() -> None:
    rows = {"type": "array", "title": "Recipients", "items": _object(("name",), name={**TEXT, "title": "Subject"})}
    mail = {**_object(host=TEXT, rows=rows), "title": "Mail"}
    schema = compile_schema(_object(("free_text",), mail=mail, free_text=TEXT))
    found = schema.validate({"mail": {"rows": [{"name": "a"}, {}], "host": 1}}).errors
    told = [schema.sentence(each) for each in found]
    assert set(map(str, told)) == {
        "Free text: Required.",
        "Mail: Host: Must be a text.",
        "Mail: Recipients: Entry 2: Subject: Required.",
    }
    with translation.override("de"):
        assert "E-Mail: Recipients: Eintrag 2: Betreff: Pflicht." in map(str, told)
    assert str(schema.sentence(FieldError((), "Too large."))) == "Too large."


def test_no_error_quotes_what_was_typed() -> None:
    schema = compile_schema(
        _object(s={**TEXT, "writeOnly": True, "pattern": "^x$", "maxLength": 3, "format": "uri", "enum": ["xx"]})
    )
    assert "hunter2" not in repr(schema.validate({"s": "hunter2"}).errors)


@pytest.mark.parametrize(
    ("step", "value"),
    [(0.1, 0.3), (0.01, 1.15), (0.1, 1e22), (2, 4.0), (3, 9), (1e-9, 123456789.123456789), (0.1, 2**63)],
)
def test_a_multiple_is_one_as_people_count(step: float, value: float) -> None:
    assert _errors({"type": "number", "multipleOf": step}, value) == []


# --- limits -----------------------------------------------------------------------------------------------------------


def _deep(depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for _ in range(depth):
        found = {"x": found}
    return found


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"x": "a" * MAX_BYTES}, "larger than 64 KiB"),
        (_deep(MAX_DEPTH + 1), "nested deeper"),
        (_deep(100_000), "nested deeper"),
        ({"x": float("nan")}, "not finite"),
        ({"x": [float("-inf")]}, "not finite"),
        ({"x": 2**64}, "too large"),
        ({"x": "a\x00"}, "NUL"),
        ({"a\x00": 1}, "NUL"),
        ({"x": "\ud800"}, "half of a character"),
        ({"a" * 101: 1}, "key longer than 100 characters"),
        ({1: 1}, "a key that is not a text"),
        ({"x": {1, 2}}, "not JSON"),
        ({"x": b"a"}, "not JSON"),
    ],
)
def test_what_cannot_be_stored_is_refused_before_anything_looks_at_it(config: Any, sentence: str) -> None:
    for schema in (FREE_FORM, compile_schema(_object(x=TEXT))):
        (error,) = schema.validate(config).errors
        assert (error.path, sentence in error.message) == ((), True)


def test_what_just_fits_is_accepted() -> None:
    assert FREE_FORM.validate(_deep(MAX_DEPTH)).errors == ()
    assert FREE_FORM.validate({"x": 2**63, "a" * 100: "😀" * 1000, "n": None}).errors == ()


# --- secrets ----------------------------------------------------------------------------------------------------------

SECRETIVE = _object(
    k={**TEXT, "writeOnly": True, "x-bound-to": ["o.h"]},
    o=_object(h=TEXT, k={**TEXT, "writeOnly": True}),
    a={"type": "array", "items": _object(x=TEXT)},
)


def test_secrets_are_told_apart_from_the_rest() -> None:
    schema = compile_schema(SECRETIVE)
    config = {"k": "1", "o": {"h": "h", "k": "2"}, "z": 3}
    assert schema.split(config) == ({"o": {"h": "h"}, "z": 3}, {("k",): "1", ("o", "k"): "2"})
    assert config["o"] == {"h": "h", "k": "2"}
    assert schema.bound_fields(("k",)) == (("o", "h"),)


@pytest.mark.parametrize("config", [{}, {"o": None}, {"o": []}, {"o": {"k": None}}, {"k": {"$sealed": "x"}}])
def test_splitting_what_does_not_fit_finds_no_plain_secret_and_leaves_none_behind(config: dict[str, Any]) -> None:
    public, secrets = compile_schema(SECRETIVE).split(config)
    assert secrets == {}
    assert "k" not in public


def test_secrets_and_whatever_is_not_known_are_hidden_when_shown() -> None:
    config = {"k": "v1", "o": {"h": "h", "k": "v2", "z": "v3"}, "a": [{"x": "x", "y": "v4"}], "z": "v5"}
    shown = compile_schema(SECRETIVE).redact(config)
    assert shown["o"]["h"] == "h"
    assert shown["a"][0]["x"] == "x"
    assert not any(f"v{number}" in repr(shown) for number in range(1, 6))
