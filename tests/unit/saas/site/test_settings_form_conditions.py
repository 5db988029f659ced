"""Fields that apply only while others say so (`x-show-if`): all are drawn, with a word about when, and none loses its value."""

from __future__ import annotations

import json
from typing import Any

import pytest

from plugin_framework.config import compile_schema
from plugins.email_plugin.schema import config_schema
from saas.site.settings_form import SettingsForm
from tests.support.settings_forms import TEXT, form_of, page_of, sent

MODE = {"enum": ["daily", "weekly", "never"], "title": "How often", "x-enum-labels": {"weekly": "Every week"}}
FLAG = {"type": "boolean", "title": "Greet"}


def hints(form: SettingsForm) -> dict[str, str]:
    """What is said of each part that does not always apply."""
    return {part.dotted: part.only_when for part in form.root.everything() if part.only_when}


def waits(form: SettingsForm) -> list[Any]:
    """What the page tells the script, in its order."""
    return [json.loads(each["data-show-if"]) for _tag, each in page_of(form).elements if "data-show-if" in each]


@pytest.mark.parametrize(
    ("wanted", "words", "said"),
    [
        ({"mode": "weekly"}, "Only when “How often” is “Every week”.", {"mode": ["weekly"]}),
        (
            {"mode": ["daily", "weekly"]},
            "Only when “How often” is “daily” or “Every week”.",
            {"mode": ["daily", "weekly"]},
        ),
        ({"flag": True}, "Only when “Greet” is ticked.", {"flag": ["on"]}),
        ({"flag": False}, "Only when “Greet” is not ticked.", {"flag": ["off", ""]}),
        ({"number": 2}, "Only when “Number” is “2.0”.", {"number": ["2.0"]}),
        (
            {"mode": "daily", "flag": True},
            "Only when “How often” is “daily” and “Greet” is ticked.",
            {"mode": ["daily"], "flag": ["on"]},
        ),
    ],
)
def test_a_field_says_when_it_applies(wanted: dict[str, Any], words: str, said: dict[str, list[str]]) -> None:
    number = {"type": "number", "enum": [1, 2.0]}
    form = form_of({"mode": MODE, "flag": FLAG, "number": number, "x": {**TEXT, "x-show-if": wanted}})
    assert hints(form) == {"x": words}
    assert waits(form) == [said]
    page = page_of(form)
    assert words in page.text
    assert page.attributes_of("x")["aria-describedby"] == "id_x:help"


ONE = {"type": "string", "enum": ["a", "b"], "default": "a"}


@pytest.mark.parametrize(
    "node",
    [
        TEXT,
        {**TEXT, "x-multiline": True},
        {**TEXT, "writeOnly": True},
        {"type": "integer"},
        {"type": "boolean"},
        ONE,
        {**ONE, "enum": list("abcdef")},
        {"type": "array", "items": ONE},
        {"type": "array", "items": TEXT},
        {"type": "object", "properties": {"y": TEXT}},
    ],
)
def test_every_kind_of_field_can_wait_for_another(node: dict[str, Any]) -> None:
    form = form_of({"flag": FLAG, "x": {**node, "x-show-if": {"flag": True}}})
    assert waits(form) == [{"flag": ["on"]}]
    assert page_of(form).text.count("Only when “Greet” is ticked.") == 1


def test_fields_of_a_group_and_of_each_row_wait_for_those_beside_them() -> None:
    inside = {"flag": FLAG, "x": {**TEXT, "x-show-if": {"flag": True}}}
    group = {"type": "object", "properties": inside}
    form = form_of({"flag": FLAG, "g": group, "r": {"type": "array", "items": group}}, {"r": [{"x": "a"}]})
    assert waits(form) == [{"g.flag": ["on"]}, {"r.0.flag": ["on"]}, {"r.1.flag": ["on"]}]


def test_what_does_not_apply_is_drawn_saved_and_held_against_the_schema_like_everything_else() -> None:
    fields = {"flag": FLAG, "x": {**TEXT, "maxLength": 3, "x-show-if": {"flag": True}}}
    form = sent(fields, {"flag": False, "x": "abc"}, x="new")
    assert (form.is_valid(), form.config) == (True, {"flag": False, "x": "new"})
    assert sent(fields, {"flag": True, "x": "abc"}, flag="off").config == {"flag": False, "x": "abc"}
    assert list(sent(fields, {"flag": False}, x="too long").errors) == ["x"]


def test_the_script_comes_once_with_each_form() -> None:
    assert str(form_of({"flag": FLAG, "x": {**TEXT, "x-show-if": {"flag": True}}})).count("settings-form.js") == 1


def test_what_a_schema_says_of_a_condition_is_text_on_the_page() -> None:
    evil = '"><script>alert(1)</script>'
    mode = {"enum": [evil, "b"], "title": evil}
    form = form_of({"mode": mode, "x": {**TEXT, "x-show-if": {"mode": evil}}})
    assert "<script>alert" not in str(form)
    assert waits(form) == [{"mode": [evil]}]


def test_the_platforms_own_values_can_be_filled_in_whatever_the_others_are() -> None:
    schema = compile_schema(config_schema())
    assert len(hints(SettingsForm(schema, saved={}))) == 4
    assert hints(SettingsForm(schema.partial(), saved={})) == {}
