"""The settings form of a plugin: lists, secrets, and JSON where there is no schema."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import QueryDict

from plugin_framework.config import FREE_FORM
from saas.site.settings_form import SettingsForm
from tests.support.filled_forms import Page
from tests.support.settings_forms import HEADERS, SECRET, SERVER, TEXT, form_of, page_of, sent


def test_rows_are_changed_removed_and_added_without_javascript() -> None:
    saved = {"h": [{"name": "a", "on": False}, {"name": "b", "extra": 1}, {"name": "c"}]}
    form = sent({"h": HEADERS}, saved, **{"h.1.name": "B", "remove:h.0": "on", "h.3.name": "new"})
    assert form.config == {"h": [{"name": "B", "extra": 1}, {"name": "c"}, {"name": "new"}]}


def test_an_emptied_row_is_removed_and_the_empty_one_at_the_end_is_none() -> None:
    items = {"type": "array", "items": TEXT}
    assert sent({"l": items}, {"l": ["a", "b"]}, **{"l.0": ""}).config == {"l": ["b"]}
    assert sent({"l": items}, {"l": ["a", ""]}, **{"l.0": "A"}).config == {"l": ["A", ""]}
    assert sent({"l": items}, {"l": ["a"]}, **{"l.0": ""}).config == {}
    assert sent({"l": items}, **{"l.0": "a"}).config == {"l": ["a"]}


def test_add_row_draws_the_form_again_with_all_that_was_typed_and_one_row_more() -> None:
    properties = {"h": HEADERS, "n": {"type": "integer"}, "s": {**TEXT, "writeOnly": True}}
    form = sent(
        properties,
        {"h": [{"name": "a"}]},
        press="add:h",
        n="seven",
        s="v-typed",
        **{"h.1.name": "second", "remove:h.0": "on"},
    )
    page = page_of(form)
    assert (form.is_valid(), form.errors) == (False, {})
    assert [page.attributes_of(name).get("value") for name in ("h.0.name", "h.1.name", "h.2.name", "n")] == [
        "a",
        "second",
        "",
        "seven",
    ]
    assert "checked" in page.attributes_of("remove:h.0")
    assert "autofocus" in page.attributes_of("h.2.name")
    assert "v-typed" not in str(form)
    assert "Type it again." in page.text
    again = form_of(properties, {"h": [{"name": "a"}]}, data=page.submit(n="7", **{"h.2.name": "third"}))
    assert again.config == {"h": [{"name": "second"}, {"name": "third"}], "n": 7}


def test_the_enter_key_saves_although_a_button_to_add_rows_comes_before_the_pages_own() -> None:
    first = next(each for each in page_of(form_of({"h": HEADERS})).controls if each.tag == "button")
    assert first.name == ""
    assert "formnovalidate" in page_of(form_of({"h": HEADERS})).attributes_of("add:h")
    assert not [each for each in page_of(form_of({"x": TEXT})).controls if each.tag == "button"]


def test_an_error_in_a_list_stands_at_the_row_that_it_came_from() -> None:
    saved = {"h": [{"name": "a"}, {"name": "b"}]}
    form = sent({"h": HEADERS}, saved, **{"remove:h.0": "on", "h.1.name": "much too long", "h.2.name": "x"})
    assert form.errors == {"h.1.name": ["Must have at most 9 characters."]}
    assert ("id_h.1.name", "Headers: Entry 2: Name") in [(each.anchor, each.label) for each in form.summary]


def test_too_many_rows_are_refused_and_none_is_lost() -> None:
    data = QueryDict("&".join(f"l.{index}=v{index}" for index in range(300)))
    form = form_of({"l": {"type": "array", "items": TEXT}}, data=data)
    assert form.errors == {"l": ["Takes at most 200 rows."]}
    assert 'value="v299"' in str(form)
    assert sent({"l": {"type": "array", "maxItems": 1, "items": TEXT}}, {"l": ["a"]}, **{"l.1": "b"}).errors == {
        "l": ["Takes one entry only."]
    }


def test_a_list_too_long_for_rows_is_edited_as_json() -> None:
    properties = {"l": {"type": "array", "items": {"type": "integer"}}}
    saved = {"l": list(range(300))}
    assert sent(properties, saved).config == saved
    assert sent(properties, saved, l="[1, 2]").config == {"l": [1, 2]}
    assert sent(properties, saved, l="{}").errors == {"l": ["Must be a JSON list, like []."]}
    assert sent(properties, saved, l='[1, "x"]').errors == {"l": ["Must be a whole number."]}


def test_several_of_a_few_choices_are_boxes_in_the_schemas_order() -> None:
    properties = {"e": {"type": "array", "items": {**TEXT, "enum": ["a", "b", "c"]}, "default": ["a", "b"]}}
    assert sent(properties).config == {}
    assert sent(properties, e=["", "c", "a"]).config == {"e": ["a", "c"]}
    assert sent(properties, e=[""]).config == {"e": []}
    assert sent(properties, {"e": ["c", "a"]}).config == {"e": ["c", "a"]}


def test_a_secret_left_empty_is_kept_and_one_that_is_typed_is_new() -> None:
    kept = sent(SECRET, form={"saved_secrets": [("s",)], "required": ["s"]})
    assert (kept.is_valid(), kept.secrets, kept.removed_secrets, kept.config) == (True, {}, (), {})
    assert sent(SECRET, form={"saved_secrets": [("s",)]}, s=" v ").secrets == {("s",): " v "}
    assert sent({"s": {**TEXT, "format": "password"}}, s="v").secrets == {("s",): "v"}


def test_a_secret_is_removed_only_when_it_is_said() -> None:
    saved: Any = {"saved_secrets": [("s",)]}
    assert sent(SECRET, form=saved, **{"remove:s": "on"}).removed_secrets == (("s",),)
    assert sent(SECRET, form={**saved, "required": ["s"]}, **{"remove:s": "on"}).errors == {"s": ["Required."]}
    assert list(sent(SECRET, form=saved, s="v", **{"remove:s": "on"}).errors) == ["s"]
    assert form_of(SECRET, data=QueryDict("remove:s=on")).removed_secrets == ()


def test_a_secret_is_never_in_the_page_whether_typed_wrong_or_saved_by_mistake() -> None:
    form = sent(
        {**SECRET, "n": {"type": "integer"}}, {"s": "v-saved"}, s="v-typed", n="x", form={"saved_secrets": [("s",)]}
    )
    assert form.secrets == {("s",): "v-typed"}
    assert form.retype
    assert "v-" not in str(form)
    assert "Saved" in page_of(form).text


def test_a_new_secret_is_held_against_the_schema_and_a_kept_one_is_not() -> None:
    node = {"s": {**TEXT, "writeOnly": True, "minLength": 8, "format": "uri"}}
    assert sent(node, form={"saved_secrets": [("s",)]}).errors == {}
    assert set(sent(node, s="short").errors) == {"s"}
    assert sent(node, s=" https://a.example/\n").secrets == {("s",): "https://a.example/"}


def test_a_secret_in_a_group_makes_the_group_and_removing_it_lets_the_group_go() -> None:
    properties = {
        "auth": {"type": "object", "required": ["token"], "properties": {"token": {**TEXT, "writeOnly": True}}}
    }
    token: Any = ("auth", "token")
    assert sent(properties, {"auth": {}}, form={"saved_secrets": [token]}).errors == {}
    form = sent(properties, {"auth": {}}, form={"saved_secrets": [token]}, **{"remove:auth.token": "on"})
    assert (form.config, form.removed_secrets, form.errors) == ({}, (token,), {})
    assert sent(properties, **{"auth.token": "v"}).secrets == {token: "v"}


def test_a_secret_says_which_fields_decide_where_it_goes() -> None:
    assert "If you change Host, it has to be typed again." in page_of(form_of({"server": SERVER})).text


def _free(data: QueryDict | None = None, **saved: Any) -> SettingsForm:
    return SettingsForm(FREE_FORM, saved=saved, data=data)


def test_a_plugin_without_a_schema_has_one_field_of_json() -> None:
    assert _free(Page(str(_free(a=[1], b="ü"))).submit(), a=[1], b="ü").config == {"a": [1], "b": "ü"}
    assert _free(QueryDict('config={"a": {"b": null}}')).config == {"a": {"b": None}}
    assert _free(QueryDict('config={"a": 2}&take:config=theirs'), a=1).config == {"a": 1}
    assert "Settings, as JSON" in Page(str(_free())).text
    assert _free(QueryDict("config=")).config == {}


@pytest.mark.parametrize(
    "text",
    [
        "[1]",
        "{",
        '{"a": NaN}',
        '{"a": 1e999}',
        '{"a": 1, "a": 2}',
        "[" * 9999,
        '{"a": "\\u0000"}',
        '{"a": "\\ud800"}',
        '{"a": ' + "9" * 9999 + "}",
        "{" + '"a":{' * 99 + "}" * 100,
        '{"' + "k" * 101 + '": 1}',
        "\x00",
    ],
)
def test_json_that_cannot_be_used_is_said_and_kept_in_the_field(text: str) -> None:
    data = QueryDict(mutable=True)
    data["config"] = text
    form = _free(data)
    assert not form.is_valid()
    assert len(form.errors) == 1
    assert Page(str(form)).controls[0].sent() == [text.replace("\x00", "\ufffd")]
    str(form).encode()
