"""The settings form under generated schemas: what it draws it reads back, and no submission makes it fail."""

from __future__ import annotations

import json
import os
from typing import Any

from django.http import QueryDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plugin_framework.config import compile_schema
from saas.site.settings_form import SettingsForm
from tests.support.filled_forms import Page

MALFORMED = int(os.environ.get("MALFORMED", "150"))
EXAMPLES = settings(max_examples=MALFORMED, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
NASTY = [
    "",
    " ",
    "a\nb",
    "\n",
    "a\r\nb\r",
    "<b>&\"'",
    "off",
    "on",
    "0",
    "null",
    " a ",
    "%41",
    "ü😀",
    "\u2028",
    "x" * 300,
]
texts = st.sampled_from(NASTY) | st.text(
    st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=8
)
names = st.sampled_from(
    ["a", "b", "revision", "a b", "ü", "a~b", "%41", "0", "remove:a", "__all__", "next", "x-y", "'\"<"]
)
integers = st.integers(-(2**63), 2**63)
numbers = integers | st.floats(allow_nan=False, allow_infinity=False)

type Node = dict[str, Any]
type Pair = tuple[Node, st.SearchStrategy[Any]]


def _hints(draw: st.DrawFn, node: Node) -> Node:
    extra: Node = draw(
        st.fixed_dictionaries(
            {}, optional={"title": texts, "description": texts, "x-order": st.integers(0, 5), "x-group": texts}
        )
    )
    return {**node, **extra}


@st.composite
def scalars(draw: st.DrawFn) -> Pair:
    """A node of a single value, and what fits it."""
    kind = draw(
        st.sampled_from(
            ["text", "lines", "integer", "number", "boolean", "enum", "numbers", "email", "date", "time", "uri"]
        )
    )
    made: Pair
    if kind in {"text", "lines"}:
        made = {"type": "string", "x-multiline": kind == "lines"}, texts
    elif kind in {"integer", "number"}:
        made = {"type": kind}, integers if kind == "integer" else numbers
    elif kind == "boolean":
        made = {"type": "boolean"}, st.booleans()
    elif kind in {"enum", "numbers"}:
        choices = draw(st.lists(texts if kind == "enum" else integers, min_size=1, max_size=6, unique=True))
        made = {"type": "string" if kind == "enum" else "integer", "enum": choices}, st.sampled_from(choices)
    else:
        values = {
            "email": "ada@example.com",
            "date": "2026-01-31",
            "time": "14:30:00+02:00",
            "uri": "https://a.example/?b=%20&c",
        }
        made = {"type": "string", "format": kind}, st.just(values[kind])
    node = _hints(draw, made[0])
    if draw(st.booleans()):
        node["default"] = draw(made[1])
    return node, made[1]


@st.composite
def _conditions(draw: st.DrawFn, fields: dict[str, Pair], name: str) -> Node:
    """Sometimes, that the field `name` waits for one that comes before it."""
    before = {each: pair[0] for each, pair in fields.items() if each < name}
    choices = {
        each: node.get("enum", [True, False])
        for each, node in before.items()
        if "enum" in node or node["type"] == "boolean"
    }
    if not choices or draw(st.booleans()):
        return {}
    other = draw(st.sampled_from(sorted(choices)))
    return {"x-show-if": {other: draw(st.sampled_from(choices[other]))}}


@st.composite
def groups(draw: st.DrawFn, inner: st.SearchStrategy[Pair], at_least: int = 0) -> Pair:
    """An object's node, and what fits it: some fields left out, some that the schema does not know."""
    fields: dict[str, Pair] = draw(st.dictionaries(names, inner, min_size=at_least, max_size=4))
    required = draw(st.lists(st.sampled_from(sorted(fields)), unique=True)) if fields else []
    for name in sorted(set(fields) - set(required)):
        fields[name][0].update(draw(_conditions(fields, name)))
    node = _hints(
        draw, {"type": "object", "properties": {name: pair[0] for name, pair in fields.items()}, "required": required}
    )
    known = st.fixed_dictionaries(
        {name: fields[name][1] for name in required},
        optional={name: pair[1] for name, pair in fields.items() if name not in required},
    )
    unknown = st.fixed_dictionaries({}, optional={"left over": st.just({"some": ["thing"]})})
    return node, st.builds(lambda one, two: {**two, **one}, known, unknown)


@st.composite
def lists(draw: st.DrawFn) -> Pair:
    """A list's node, and what fits it."""
    node, values = draw(scalars() | groups(scalars(), at_least=1))
    made = _hints(draw, {"type": "array", "items": node}), st.lists(values, max_size=3)
    if draw(st.booleans()):
        made[0]["default"] = draw(made[1])
    return made


nodes = scalars() | lists() | groups(scalars() | lists() | groups(scalars()))


@st.composite
def cases(draw: st.DrawFn) -> tuple[Node, dict[str, Any]]:
    """A schema and a configuration that fits it."""
    node, values = draw(groups(nodes))
    return {"type": "object", "properties": node["properties"], "required": node["required"]}, draw(values)


@EXAMPLES
@given(cases())
def test_sending_what_was_drawn_gives_the_same_configuration_back(case: tuple[Node, dict[str, Any]]) -> None:
    document, config = case
    schema = compile_schema(document)
    assert not schema.validate(config).errors
    page = Page(str(SettingsForm(schema, saved=config)))
    form = SettingsForm(schema, saved=config, data=page.submit())
    assert form.errors == {}
    assert form.config == config
    assert json.dumps(form.config, sort_keys=True) == json.dumps(config, sort_keys=True)  # 1 is not 1.0, nor True
    assert len(set(page.ids)) == len(page.ids)


values = texts | st.sampled_from(
    ["\x00", "\ud800", "9" * 5000, "1e999", "NaN", "Infinity", "-", "٣", "on", "[1", "true", "{}"]
)


@EXAMPLES
@given(cases(), st.data())
def test_no_submission_makes_the_form_fail(case: tuple[Node, dict[str, Any]], data: st.DataObject) -> None:
    document, config = case
    document["properties"]["s"] = {"type": "string", "writeOnly": True}
    schema = compile_schema(document)
    drawn = Page(str(SettingsForm(schema, saved=config, saved_secrets=[("s",)])))
    known = [
        *{each.name for each in drawn.controls if each.name},
        "s.0",
        "l.0",
        "rows:a",
        "add:a",
        "remove:a.0",
        "a.999999",
        ".",
    ]
    sent = QueryDict(mutable=True)
    for name in data.draw(st.lists(st.sampled_from(known) | values, max_size=12)):
        sent.appendlist(name, data.draw(values))
    form = SettingsForm(schema, saved=config, saved_secrets=[("s",)], data=sent)
    page = Page(str(form))
    str(form).encode()
    assert len(set(page.ids)) == len(page.ids)
    assert form.is_valid() == (not form.errors and not form.redraws)
    if form.is_valid():
        assert not schema.validate({**form.config, "s": form.secrets.get(("s",), "x")}).errors
