"""Which schemas a plugin may have, and what its author is told about the others."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import translation

from plugin_framework import rejections
from plugin_framework.config import SchemaError, compile_schema
from plugin_framework.config.lint import MAX_DEPTH
from plugin_framework.config.patterns import is_risky, longest
from plugin_framework.sdk._words import reread
from plugins.email_plugin.schema import config_schema
from plugins.slack_plugin.plugin import SlackNotificationPlugin

TEXT = {"type": "string"}
_FLAG = {"type": "boolean"}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def _nested(depth: int) -> dict[str, Any]:
    return _object(x=_nested(depth - 1)) if depth else _object()


ACCEPTED: dict[str, dict[str, Any]] = {
    "nothing": {"type": "object"},
    "every type": _object(
        s={**TEXT, "minLength": 1, "maxLength": 9, "pattern": "^[a-z]+$", "default": "a"},
        i={"type": "integer", "minimum": 1, "exclusiveMaximum": 9, "multipleOf": 2, "default": 2},
        n={"type": "number", "default": 1.5},
        b={"type": "boolean", "default": True},
        e={"enum": ["a", "b"], "x-enum-labels": {"a": "A"}},
        o=_object(x=TEXT),
        a={"type": "array", "items": TEXT, "uniqueItems": True, "maxItems": 3, "default": ["a"]},
        r={"type": "array", "items": _object(x=TEXT, y={"type": "boolean"})},
    ),
    "every hint": _object(
        s={
            **TEXT,
            "title": "T",
            "description": "D",
            "examples": ["a"],
            "x-order": 1,
            "x-group": "G",
            "x-placeholder": "p",
            "x-multiline": True,
        }
    ),
    "a bound secret": _object(host=TEXT, key={**TEXT, "writeOnly": True, "x-bound-to": ["host"]}),
    "fields that wait for others": {
        **_object(
            b={"type": "boolean"},
            e={"enum": ["a", "b"], "x-show-if": {"b": True}},
            n={"type": "number", "enum": [1, 2.5], "x-show-if": {"e": ["a", "b"], "b": True}},
            x={**TEXT, "default": "a", "x-show-if": {"n": 1.0}},
            o={**_object(b={"type": "boolean"}, y={**TEXT, "x-show-if": {"b": False}}), "x-show-if": {"b": True}},
            r={"type": "array", "items": _object(b={"type": "boolean"}, y={**TEXT, "x-show-if": {"b": True}})},
        ),
        "required": ["b", "x"],
    },
    "references to itself": {
        **_object(x={"$ref": "#/$defs/d", "title": "Mine"}),
        "$defs": {"d": {"$ref": "#/$defs/e"}, "e": TEXT},
    },
    "a default that looks like a reference": _object(
        x={**TEXT, "default": "$ref"}, o={**_object(), "default": {"$ref": "x"}}
    ),
    "the email plugin's": config_schema(),
    "the slack plugin's": SlackNotificationPlugin().get_config_schema(),
    "the draft named": {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "urn:x", **_object(x=TEXT)},
}


@pytest.mark.parametrize("schema", ACCEPTED.values(), ids=ACCEPTED)
def test_a_schema_of_the_subset_is_accepted(schema: dict[str, Any]) -> None:
    assert compile_schema(schema).document["type"] == "object"


REFUSED: dict[str, tuple[Any, str]] = {
    "no object": ([], "must be an object"),
    "another type": ({"type": "string"}, "must have the type 'object'"),
    "not JSON": (_object(x={**TEXT, "default": object()}), "is not JSON"),
    "not a number": (_object(x={"type": "number", "default": float("nan")}), "is not JSON"),
    "too large": (_object(x={**TEXT, "description": "x" * 70_000}), "larger than 65,536 bytes"),
    "too deep": (_nested(MAX_DEPTH), "nested deeper"),
    "endless": (
        {
            "type": "object",
            "properties": {"x": {"$ref": "#/$defs/a"}},
            "$defs": {"a": _object(x={"$ref": "#/$defs/a"})},
        },
        "refers to itself through 'a'",
    ),
    "endless in two steps": (
        {
            **_object(x={"$ref": "#/$defs/a"}),
            "$defs": {"a": _object(x={"$ref": "#/$defs/b"}), "b": _object(x={"$ref": "#/$defs/a"})},
        },
        "refers to itself",
    ),
    "a remote reference": (
        _object(x={"$ref": "https://example.com/schema.json"}),
        "only '#/$defs/NAME' of the same schema",
    ),
    "a file's reference": (_object(x={"$ref": "file:///etc/passwd"}), "only '#/$defs/NAME'"),
    "a reference to the whole": (_object(x={"$ref": "#"}), "only '#/$defs/NAME'"),
    "a reference by name alone": (
        {**_object(x={"$ref": "d"}), "$defs": {"d": TEXT}},
        "refers to 'd'; only '#/$defs/NAME'",
    ),
    "a reference to nothing": (_object(x={"$ref": "#/$defs/none"}), "refers to '#/$defs/none'"),
    "a dynamic reference": (_object(x={"$dynamicRef": "#a"}), "refers to None"),
    "a reference to no schema": ({**_object(x={"$ref": "#/$defs/a"}), "$defs": {"a": True}}, "which is not an object"),
    "a reference that explodes": (
        {
            **_object(x={"$ref": "#/$defs/d0"}),
            "$defs": {f"d{n}": _object(**{k: {"$ref": f"#/$defs/d{n + 1}"} for k in "ab"}) for n in range(40)}
            | {"d40": TEXT},
        },
        "fields once its references are put in place",
    ),
    "definitions that are none": ({**_object(), "$defs": []}, "$defs: must be an object"),
    "no type": (_object(x={"title": "X"}), "x: must have one type of"),
    "several types": (_object(x={"type": ["string", "null"]}), "x: must have one type of"),
    "null": (_object(x={"type": "null"}), "x: must have one type of"),
    "anything": (_object(x=True), "x: must have one type of"),
    "a combination": (_object(x={**TEXT, "anyOf": [TEXT]}), "x: anyOf: not supported for the type 'string'"),
    "a condition": ({**_object(), "if": {}}, "if: not supported"),
    "patterns of names": ({**_object(), "patternProperties": {"(a+)+$": TEXT}}, "patternProperties: not supported"),
    "fields without a name": (
        {**_object(), "additionalProperties": {**TEXT, "pattern": "(a+)+$"}},
        "additionalProperties must be true or false",
    ),
    "a keyword of another type": (_object(x={**TEXT, "minimum": 1}), "minimum: not supported for the type 'string'"),
    "an unknown format": (_object(x={**TEXT, "format": "color"}), "the format 'color' is not known; use one of date"),
    "an invalid keyword": (
        _object(x={**TEXT, "minLength": "1"}),
        'properties/x/minLength: JSON Schema does not allow "1" here: Must be a whole number.',
    ),
    "a keyword of no type": (
        {**_object(x=TEXT), "required": "x" * 70},
        'required: JSON Schema does not allow "' + "x" * 58 + "… here: Must be a list.",
    ),
    "a keyword of one of two types": (_object(x=5), "properties/x: JSON Schema does not allow 5 here: Is not valid."),
    "a broken pattern": (
        _object(x={**TEXT, "pattern": "("}),
        'pattern: JSON Schema does not allow "(" here: Must be a regular expression.',
    ),
    "a pattern beyond counting": (
        _object(x={**TEXT, "pattern": "a{99999999999999}"}),
        "has a pattern that cannot be read",
    ),
    "a pattern too deep": (_object(x={**TEXT, "pattern": "(" * 5000 + ")" * 5000}), "pattern"),
    "a list of nothing": (_object(x={"type": "array"}), "must say what its 'items' are"),
    "a list of lists": (
        _object(x={"type": "array", "items": {"type": "array", "items": TEXT}}),
        "an array holds single values",
    ),
    "a list of deep objects": (_object(x={"type": "array", "items": _object(y=_object())}), "objects of single values"),
    "a list of empty objects": (_object(x={"type": "array", "items": _object()}), "must have fields of its own"),
    "a secret in a list": (
        _object(x={"type": "array", "items": {**TEXT, "writeOnly": True}}),
        "secrets cannot stand in an array",
    ),
    "a password in a list's object": (
        _object(x={"type": "array", "items": _object(p={**TEXT, "format": "password"})}),
        "secrets cannot stand in an array",
    ),
    "unique without a limit": (
        _object(x={"type": "array", "items": TEXT, "uniqueItems": True}),
        "uniqueItems needs maxItems",
    ),
    "a default that does not fit": (
        _object(x={"type": "integer", "default": "1"}),
        "x: its default does not fit itself: Must be a whole number.",
    ),
    "a default of another format": (
        _object(x={**TEXT, "format": "email", "default": "x"}),
        "x: its default does not fit itself",
    ),
    "a default that cannot be stored": (_object(x={**TEXT, "default": "\x00"}), "x: its default cannot be stored"),
    "a secret with a default": (
        _object(x={**TEXT, "writeOnly": True, "default": "x"}),
        "a secret is a string without a default",
    ),
    "a secret number": (_object(x={"type": "integer", "writeOnly": True}), "a secret is a string"),
    "a secret whole": ({**_object(x=TEXT), "writeOnly": True}, "is not a secret as a whole"),
    "bound without being secret": (_object(x={**TEXT, "x-bound-to": []}), "x-bound-to belongs to a secret"),
    "bound to nothing": (
        _object(x={**TEXT, "writeOnly": True, "x-bound-to": ["host"]}),
        "is bound to host, which the schema does not have",
    ),
    "bound to a word": (
        _object(h=TEXT, x={**TEXT, "writeOnly": True, "x-bound-to": "h"}),
        "x: x-bound-to must be a list",
    ),
    "waiting for nothing": (_object(x={**TEXT, "x-show-if": {}}), "x: x-show-if must be an object"),
    "waiting for a word": (_object(b=_FLAG, x={**TEXT, "x-show-if": "b"}), "x: x-show-if must be an object"),
    "waiting for a stranger": (
        _object(x={**TEXT, "x-show-if": {"b": True}}),
        "x: x-show-if: there is no field 'b' beside",
    ),
    "waiting for a field further out": (
        _object(b=_FLAG, o=_object(x={**TEXT, "x-show-if": {"b": True}})),
        "o/x: x-show-if: there is no field 'b' beside it",
    ),
    "waiting for a text": (
        _object(b=TEXT, x={**TEXT, "x-show-if": {"b": "a"}}),
        "x: x-show-if: 'b' must be a boolean, or have an enum",
    ),
    "waiting for a secret": (
        _object(b={"enum": ["a"], "writeOnly": True}, x={**TEXT, "x-show-if": {"b": "a"}}),
        "and be no secret",
    ),
    "waiting for what cannot be": (
        _object(b={"enum": ["a"]}, x={**TEXT, "x-show-if": {"b": ["a", "c"]}}),
        "x: x-show-if: 'b' can never be 'c'",
    ),
    "waiting for one instead of yes": (_object(b=_FLAG, x={**TEXT, "x-show-if": {"b": 1}}), "'b' can never be 1"),
    "waiting for one of no values": (_object(b=_FLAG, x={**TEXT, "x-show-if": {"b": []}}), "say which values of 'b'"),
    "waiting for yes or no": (
        _object(b=_FLAG, x={**TEXT, "x-show-if": {"b": [True, False]}}),
        "of true and false, one",
    ),
    "waiting for itself": (_object(x={**_FLAG, "x-show-if": {"x": True}}), "x-show-if: x wait for each other"),
    "waiting for each other": (
        _object(x={**_FLAG, "x-show-if": {"y": True}}, y={**_FLAG, "x-show-if": {"x": True}}),
        "wait for each other",
    ),
    "waiting and required": (
        {**_object(b=_FLAG, x={**TEXT, "x-show-if": {"b": True}}), "required": ["x"]},
        "x: x-show-if: what is required must always be filled in",
    ),
    "waiting as a whole": ({**_object(b=_FLAG), "x-show-if": {"b": True}}, "there is nothing beside the whole"),
    "entries that wait": (
        _object(b=_FLAG, r={"type": "array", "items": {**TEXT, "x-show-if": {"b": True}}}),
        "r/items: x-show-if belongs to the list",
    ),
    "an order that is none": (_object(x={**TEXT, "x-order": "1"}), "x: x-order must be a number"),
    "an order of yes": (_object(x={**TEXT, "x-order": True}), "x: x-order must be a number"),
    "labels that are none": (
        _object(x={"enum": ["a"], "x-enum-labels": {"a": 1}}),
        "x-enum-labels must name each choice",
    ),
    "choices of another type": (_object(x={"type": "integer", "enum": ["1"]}), "all of the type 'integer'"),
    "no choices": (_object(x={**TEXT, "enum": []}), "must offer one or more choices"),
    "a choice of objects": (_object(x={**_object(), "enum": [{}]}), "cannot choose among values of the type 'object'"),
    "a name with a dot": (_object(**{"a.b": TEXT}), "the field name 'a.b' is not usable"),
    "a name that is too long": (_object(**{"a" * 101: TEXT}), "is not usable"),
    "a name of nothing": (_object(**{"": TEXT}), "the field name '' is not usable"),
    "a name that cannot be stored": (_object(**{"a\x00": TEXT}), "is not usable"),
    "a field it requires but does not have": ({**_object(), "required": ["x"]}, "requires x, which it does not have"),
}


@pytest.mark.parametrize(("schema", "sentence"), REFUSED.values(), ids=REFUSED)
def test_a_schema_outside_of_the_subset_is_refused_with_the_place_and_the_fault(schema: Any, sentence: str) -> None:
    with pytest.raises(SchemaError) as caught:
        compile_schema(schema)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+$",
        "(a*)*",
        "(a|ab)*c",
        "(a|a)+$",
        "((a+)b?)+$",
        "(x+x+)+y",
        r"(\w+\s?)*$",
        r"^(([a-z])+.)+[A-Z]([a-z])+$",
        r"(a)\1",
        "(?=(a+)+)b",
        "(a{0,60}){2,}",
        "^(?:a?){50}a{50}$",
        "^" + "a?" * 30 + "a" * 30,
        "^.*.*.*.*=$",
        "^(a{0,3}){40}$",
    ],
)
def test_a_pattern_that_could_hang_the_server_is_refused(pattern: str) -> None:
    with pytest.raises(SchemaError, match=r"could take (forever|very long)"):
        compile_schema(_object(x={**TEXT, "pattern": pattern}))


@pytest.mark.parametrize(
    "pattern",
    [
        r"^[^\r\n]*$",
        r"^[#@]?[^\s#@<>&]{1,80}$",
        r"^[^@\s]+@[^@\s]+\.[a-z]+$",
        r"^([0-9]{1,3}\.){3}[0-9]{1,3}$",
        r"^(https?://)?[a-z]+(/.*)?$",
        r"^sk_(live|test)_[a-z0-9]+$",
        r"^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$",
        r"^(?=.*[0-9]).{8,100}$",
        "",
        "abc",
        r"\d",
        r"(?i)^[a-f0-9]{32}$",
    ],
)
def test_a_pattern_as_people_need_it_is_accepted(pattern: str) -> None:
    assert not is_risky(pattern)
    assert longest(pattern) >= 200
    compile_schema(_object(x={**TEXT, "pattern": pattern}))


def test_a_pattern_is_tried_only_on_texts_it_is_quick_on() -> None:
    schema = compile_schema(_object(x={**TEXT, "pattern": r"\s+$"}))  # quadratic: each start, each length
    (error,) = schema.validate({"x": " " * 60_000}).errors
    assert error.message == f"Must have at most {longest(chr(92) + 's+$'):,} characters."
    assert schema.validate({"x": "x "}).errors == ()


def test_a_quadratic_pattern_is_refused_where_long_texts_are_wanted() -> None:
    with pytest.raises(SchemaError, match="texts of 10,000 characters"):
        compile_schema(_object(x={**TEXT, "pattern": r"\s+$", "maxLength": 10_000}))


def test_references_are_put_in_place_and_what_stands_beside_them_wins() -> None:
    schema = compile_schema(
        {
            **_object(x={"$ref": "#/$defs/d", "title": "Mine"}),
            "$defs": {"d": {**TEXT, "title": "Theirs", "maxLength": 3}},
        }
    )
    assert schema.at(("x",)) == {"type": "string", "title": "Mine", "maxLength": 3}


def test_a_password_is_a_secret_also_without_saying_so() -> None:
    assert compile_schema(_object(o=_object(p={**TEXT, "format": "password"}))).secret_paths == (("o", "p"),)


def test_a_schema_is_not_changed_by_being_compiled() -> None:
    document = {**_object(x={"$ref": "#/$defs/d"}), "$defs": {"d": {**TEXT, "format": "password"}}}
    before = repr(document)
    compile_schema(document)
    assert repr(document) == before


OF_JSONSCHEMA = {"an invalid keyword", "a broken pattern", "a pattern too deep"}  # its own words stay as they are


@pytest.mark.parametrize("name", sorted(REFUSED.keys() - OF_JSONSCHEMA))
def test_why_a_schema_is_refused_is_read_in_german(name: str) -> None:
    with pytest.raises(SchemaError) as refused:
        compile_schema(REFUSED[name][0])
    why = str(refused.value)
    with translation.override("de"):
        said = str(reread(rejections.SCHEMA(plugin="pager", why=why).english))
    fault = why.removeprefix(f"{refused.value.path}: ")
    assert said.startswith("Das Schema der Einstellungen von pager ist nicht brauchbar: ")
    assert fault not in said
