"""The settings form of a plugin: what it draws."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import QueryDict

from plugin_framework.config import compile_schema
from plugins.email_plugin.schema import config_schema
from saas.site.settings_form import SettingsForm
from tests.support.filled_forms import Page
from tests.support.settings_forms import TEXT, form_of, page_of, sent


@pytest.mark.parametrize(
    ("node", "attributes"),
    [
        ({"type": "string", "format": "email"}, {"type": "email"}),
        ({"type": "string", "format": "uri"}, {"type": "url"}),
        ({"type": "string", "format": "date"}, {"type": "date"}),
        ({"type": "string", "format": "time"}, {"type": "time", "step": "1"}),
        (
            {"type": "string", "format": "hostname", "x-placeholder": "mail.example"},
            {"type": "text", "placeholder": "mail.example"},
        ),
        ({"type": "string", "examples": ["a-1"]}, {"placeholder": "a-1"}),
        ({"type": "integer", "minimum": 1}, {"type": "text", "inputmode": "numeric"}),
        ({"type": "number", "minimum": 0}, {"inputmode": "decimal"}),
        ({"type": "number"}, {"inputmode": "text"}),
        ({"type": "boolean"}, {"type": "checkbox", "value": "on"}),
    ],
)
def test_a_field_gets_the_control_of_its_type_and_format(node: dict[str, Any], attributes: dict[str, str]) -> None:
    assert attributes.items() <= page_of(form_of({"x": node})).attributes_of("x").items()


def test_defaults_are_filled_in_and_what_is_saved_wins_over_them() -> None:
    node = {"type": "string", "default": "blue"}
    assert page_of(form_of({"x": node})).attributes_of("x")["value"] == "blue"
    assert page_of(form_of({"x": node}, {"x": "red"})).attributes_of("x")["value"] == "red"


def test_a_default_nobody_changes_is_not_stored_as_the_tenants_own() -> None:
    node = {"type": "string", "default": "blue"}
    assert sent({"x": node}).config == {}
    assert sent({"x": node}, x="red").config == {"x": "red"}
    assert sent({"x": node}, {"x": "blue"}).config == {"x": "blue"}


def test_several_lines_are_drawn_in_a_textarea_and_so_is_a_single_line_that_holds_some() -> None:
    page = page_of(form_of({"x": {**TEXT, "x-multiline": True}, "y": TEXT}, {"x": "\n a", "y": "b\nc"}))
    assert {each.name: (each.tag, each.sent()) for each in page.controls} == {
        "x": ("textarea", ["\n a"]), "y": ("textarea", ["b\nc"]),
    }  # fmt: skip


def test_what_a_browsers_date_control_could_not_show_is_drawn_as_text() -> None:
    form = form_of({"x": {**TEXT, "format": "date"}}, data=QueryDict("x=tomorrow"))
    assert {"type": "text", "value": "tomorrow"}.items() <= page_of(form).attributes_of("x").items()


def test_fields_stand_in_their_order_and_groups() -> None:
    form = form_of(
        {
            "c": {**TEXT, "x-order": 3, "x-group": "More"},
            "b": {**TEXT, "x-order": 2},
            "a": {**TEXT, "x-order": 1, "x-group": "More"},
        }
    )
    assert [(each.legend, [part.name for part in each.parts]) for each in form] == [("More", ["a", "c"]), ("", ["b"])]
    assert [each.name for each in page_of(form).controls] == ["a", "c", "b"]


def test_what_is_required_is_marked_and_nothing_else_is() -> None:
    page = page_of(form_of({"a": TEXT, "b": TEXT}, required=["a"]))
    assert ["required" in page.attributes_of(name) for name in "ab"] == [True, False]
    assert page.text.count("required") == 1


def test_few_choices_are_radio_buttons_many_are_a_list_and_labels_are_shown() -> None:
    few = {**TEXT, "enum": ["a", "b"], "default": "a", "x-enum-labels": {"b": "The second"}}
    page = page_of(
        form_of({"few": few, "many": {**TEXT, "enum": list("abcdefg")}, "n": {"type": "integer", "enum": [1, 2]}})
    )
    assert {each.name: each.attributes.get("type", each.tag) for each in page.controls} == {
        "few": "radio",
        "many": "select",
        "n": "select",
    }
    assert "The second" in page.text


def test_a_choice_that_is_no_longer_offered_is_still_shown_and_refused_when_saved() -> None:
    node = {**TEXT, "enum": ["a", "b"]}
    form = sent({"x": node}, {"x": "old"})
    assert "old (no longer offered)" in page_of(form).text
    assert form.errors == {"x": ["Must be one of: a, b."]}


def test_everything_shown_is_escaped() -> None:
    evil = "<script>\"'&"
    node = {**TEXT, "title": evil, "description": evil, "x-placeholder": evil, "x-group": evil}
    text = str(
        form_of(
            {"x": node, evil: {**TEXT, "enum": [evil]}, "s": {**TEXT, "writeOnly": True, "title": evil}},
            {"x": evil},
            saved_secrets=[("s",)],
        )
    )
    assert "<script>" not in text
    assert {each.name for each in Page(text).controls} == {"x", "%3Cscript%3E%22%27%26", "s", "remove:s"}


def test_a_field_named_like_one_of_the_pages_own_keeps_apart_from_it() -> None:
    properties = {"revision": TEXT, "csrfmiddlewaretoken": TEXT, "config": TEXT}
    names = {each.name for each in page_of(form_of(properties)).controls}
    assert names.isdisjoint({"revision", "csrfmiddlewaretoken"})
    form = form_of(
        properties,
        {"revision": "mine"},
        data=page_of(form_of(properties, {"revision": "mine"})).submit(revision="7", csrfmiddlewaretoken="t"),
    )
    assert form.config == {"revision": "mine"}


def test_the_real_plugins_form_says_what_it_said_before() -> None:
    schema = compile_schema(config_schema())
    saved = {"smtp_host": "mail.example", "smtp_port": 25, "welcome_text": "Hi\n\nthere", "send_welcome": False}
    page = Page(str(SettingsForm(schema, saved=saved, saved_secrets=[("password",)])))
    form = SettingsForm(schema, saved=saved, saved_secrets=[("password",)], data=page.submit())
    assert (form.is_valid(), form.config, form.secrets, form.removed_secrets) == (True, saved, {}, ())
