"""The settings form of a plugin: what it draws, what it reads back, and what it says to those who type nonsense."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from django.http import QueryDict

from plugin_framework.config import FREE_FORM, FieldError, compile_schema
from plugins.email_plugin.schema import config_schema
from saas.site.settings_form import SettingsForm
from tests.support.filled_forms import Page

TEXT: dict[str, Any] = {"type": "string"}
SERVER = {
    "type": "object",
    "title": "Server",
    "required": ["host"],
    "properties": {
        "host": {"type": "string", "title": "Host"},
        "port": {"type": "integer", "default": 25},
        "token": {"type": "string", "writeOnly": True, "x-bound-to": ["server.host"]},
    },
}
HEADERS = {
    "type": "array",
    "title": "Headers",
    "maxItems": 5,
    "items": {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": {"type": "string", "title": "Name", "maxLength": 9},
            "on": {"type": "boolean", "default": True},
        },
    },
}


def _form(properties: Mapping[str, Any], saved: Mapping[str, Any] | None = None, /, **options: Any) -> SettingsForm:
    document = {"type": "object", "properties": dict(properties), "required": options.pop("required", [])}
    return SettingsForm(
        compile_schema(document), saved=saved or {}, saved_secrets=options.pop("saved_secrets", ()), **options
    )


def _page(form: SettingsForm) -> Page:
    return Page(str(form))


def _sent(
    properties: Mapping[str, Any], saved: Mapping[str, Any] | None = None, /, *, press: str = "", **changes: Any
) -> SettingsForm:
    """The form after its page was sent with `changes`; options of the form stand in `form`."""
    options = changes.pop("form", {})
    page = _page(_form(properties, saved, **dict(options)))
    return _form(properties, saved, **dict(options), data=page.submit(press, **changes))


# --- what is drawn ----------------------------------------------------------------------------------------------------


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
    assert attributes.items() <= _page(_form({"x": node})).attributes_of("x").items()


def test_defaults_are_filled_in_and_what_is_saved_wins_over_them() -> None:
    node = {"type": "string", "default": "blue"}
    assert _page(_form({"x": node})).attributes_of("x")["value"] == "blue"
    assert _page(_form({"x": node}, {"x": "red"})).attributes_of("x")["value"] == "red"


def test_a_default_nobody_changes_is_not_stored_as_the_tenants_own() -> None:
    node = {"type": "string", "default": "blue"}
    assert _sent({"x": node}).config == {}
    assert _sent({"x": node}, x="red").config == {"x": "red"}
    assert _sent({"x": node}, {"x": "blue"}).config == {"x": "blue"}


def test_several_lines_are_drawn_in_a_textarea_and_so_is_a_single_line_that_holds_some() -> None:
    page = _page(_form({"x": {**TEXT, "x-multiline": True}, "y": TEXT}, {"x": "\n a", "y": "b\nc"}))
    assert {each.name: (each.tag, each.sent()) for each in page.controls} == {
        "x": ("textarea", ["\n a"]), "y": ("textarea", ["b\nc"]),
    }  # fmt: skip


def test_what_a_browsers_date_control_could_not_show_is_drawn_as_text() -> None:
    form = _form({"x": {**TEXT, "format": "date"}}, data=QueryDict("x=tomorrow"))
    assert {"type": "text", "value": "tomorrow"}.items() <= _page(form).attributes_of("x").items()


def test_fields_stand_in_their_order_and_groups() -> None:
    form = _form(
        {
            "c": {**TEXT, "x-order": 3, "x-group": "More"},
            "b": {**TEXT, "x-order": 2},
            "a": {**TEXT, "x-order": 1, "x-group": "More"},
        }
    )
    assert [(each.legend, [part.name for part in each.parts]) for each in form] == [("More", ["a", "c"]), ("", ["b"])]
    assert [each.name for each in _page(form).controls] == ["a", "c", "b"]


def test_what_is_required_is_marked_and_nothing_else_is() -> None:
    page = _page(_form({"a": TEXT, "b": TEXT}, required=["a"]))
    assert ["required" in page.attributes_of(name) for name in "ab"] == [True, False]
    assert page.text.count("required") == 1


def test_few_choices_are_radio_buttons_many_are_a_list_and_labels_are_shown() -> None:
    few = {**TEXT, "enum": ["a", "b"], "default": "a", "x-enum-labels": {"b": "The second"}}
    page = _page(
        _form({"few": few, "many": {**TEXT, "enum": list("abcdefg")}, "n": {"type": "integer", "enum": [1, 2]}})
    )
    assert {each.name: each.attributes.get("type", each.tag) for each in page.controls} == {
        "few": "radio",
        "many": "select",
        "n": "select",
    }
    assert "The second" in page.text


def test_a_choice_that_is_no_longer_offered_is_still_shown_and_refused_when_saved() -> None:
    node = {**TEXT, "enum": ["a", "b"]}
    form = _sent({"x": node}, {"x": "old"})
    assert "old (no longer offered)" in _page(form).text
    assert form.errors == {"x": ["Must be one of: a, b."]}


def test_everything_shown_is_escaped() -> None:
    evil = "<script>\"'&"
    node = {**TEXT, "title": evil, "description": evil, "x-placeholder": evil, "x-group": evil}
    text = str(
        _form(
            {"x": node, evil: {**TEXT, "enum": [evil]}, "s": {**TEXT, "writeOnly": True, "title": evil}},
            {"x": evil},
            saved_secrets=[("s",)],
        )
    )
    assert "<script" not in text
    assert {each.name for each in Page(text).controls} == {"x", "%3Cscript%3E%22%27%26", "s", "remove:s"}


def test_a_field_named_like_one_of_the_pages_own_keeps_apart_from_it() -> None:
    properties = {"revision": TEXT, "csrfmiddlewaretoken": TEXT, "config": TEXT}
    names = {each.name for each in _page(_form(properties)).controls}
    assert names.isdisjoint({"revision", "csrfmiddlewaretoken"})
    form = _form(
        properties,
        {"revision": "mine"},
        data=_page(_form(properties, {"revision": "mine"})).submit(revision="7", csrfmiddlewaretoken="t"),
    )
    assert form.config == {"revision": "mine"}


def test_the_real_plugins_form_says_what_it_said_before() -> None:
    schema = compile_schema(config_schema())
    saved = {"smtp_host": "mail.example", "smtp_port": 25, "welcome_text": "Hi\n\nthere", "send_welcome": False}
    page = Page(str(SettingsForm(schema, saved=saved, saved_secrets=[("password",)])))
    form = SettingsForm(schema, saved=saved, saved_secrets=[("password",)], data=page.submit())
    assert (form.is_valid(), form.config, form.secrets, form.removed_secrets) == (True, saved, {}, ())


# --- what is read -----------------------------------------------------------------------------------------------------


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
    form = _sent({"x": node}, x=typed)
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
        ({"type": "integer", "maximum": 9}, "12", "Must be at most 9."),
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
    form = _sent({"x": node, "other": TEXT}, other="kept", x=typed)
    page = _page(form)
    assert form.errors == {"x": [message]}
    assert not form.is_valid()
    assert page.attributes_of("other")["value"] == "kept"
    assert message in page.text
    str(form).encode()  # a page can be made of it, whatever was typed


@pytest.mark.parametrize("typed", ["seven", "9" * 30, "1,5"])
def test_nothing_typed_is_lost_when_it_is_wrong(typed: str) -> None:
    assert _page(_sent({"x": {"type": "integer"}}, x=typed)).attributes_of("x")["value"] == typed


def test_a_field_that_was_not_sent_stays_as_it_is_saved() -> None:
    properties = {
        "a": TEXT,
        "b": {"type": "boolean"},
        "l": {"type": "array", "items": TEXT},
        "c": {"type": "array", "items": {**TEXT, "enum": ["u", "v"]}},
    }
    saved = {"a": "x", "b": True, "l": ["1"], "c": ["u"]}
    assert (
        _form(
            properties, saved, data=QueryDict("unknown=1&l.x=2&l.-1=3&l.01=3&l.99999999999999=4&add:nothing=1")
        ).config
        == saved
    )


def test_an_empty_box_is_a_no_although_browsers_send_nothing_for_it() -> None:
    properties = {"b": {"type": "boolean"}}
    page = _page(_form(properties, {"b": True}))
    unticked = page.submit()
    unticked.setlist("b", unticked.getlist("b")[:-1])  # the browser leaves the box out, and only the box
    assert _form(properties, {"b": True}, data=unticked).config == {"b": False}
    assert _form(properties, {"b": True}, data=page.submit()).config == {"b": True}


def test_a_required_box_left_empty_is_a_no_and_not_an_error() -> None:
    form = _sent({"b": {"type": "boolean"}}, form={"required": ["b"]})
    assert (form.errors, form.config) == ({}, {"b": False})


def test_two_different_values_for_one_field_are_refused() -> None:
    form = _form({"x": TEXT}, data=QueryDict("x=a&x=b"))
    assert list(form.errors) == ["x"]
    assert _form({"x": TEXT}, data=QueryDict("x=a&x=a")).config == {"x": "a"}


def test_what_is_missing_is_said_at_the_missing_field() -> None:
    assert _sent({"x": TEXT}, form={"required": ["x"]}).errors == {"x": ["Required."]}


def test_a_locked_field_shows_its_value_and_takes_no_other() -> None:
    properties = {
        "a": TEXT,
        "server": SERVER,
        "l": {"type": "array", "items": TEXT},
        "c": {"type": "array", "items": {**TEXT, "enum": ["u"]}},
    }
    saved = {"a": "theirs", "server": {"host": "h"}, "l": ["1"], "c": ["u"]}
    options = {"locked": ["a", ("server",), "l", "c"], "saved_secrets": [("server", "token")]}
    page = _page(_form(properties, saved, **options))
    assert all(each.disabled for each in page.controls)
    assert "This cannot be changed here." in page.text
    forged = QueryDict(
        "a=mine&server.host=evil&server.token=evil&remove:server.token=on&l.0=2&rows:l=1&remove:l.0=on&c="
    )
    form = _form(properties, saved, **options, data=forged)
    assert (form.config, form.secrets, form.removed_secrets, form.errors) == (saved, {}, (), {})


# --- groups -----------------------------------------------------------------------------------------------------------


def test_a_group_that_nobody_fills_in_is_left_out_and_asks_for_nothing() -> None:
    form = _sent({"server": SERVER})
    assert (form.config, form.errors) == ({}, {})


def test_a_group_that_is_begun_must_be_finished() -> None:
    assert _sent({"server": SERVER}, **{"server.port": "26"}).errors == {"server.host": ["Required."]}
    assert _sent({"server": SERVER}, **{"server.host": "h"}).config == {"server": {"host": "h"}}


def test_a_group_can_be_emptied_again() -> None:
    form = _sent({"server": SERVER}, {"server": {"host": "h"}}, **{"server.host": ""})
    assert (form.config, form.errors) == ({}, {})


def test_what_the_schema_does_not_know_is_kept_and_never_shown() -> None:
    saved = {"server": {"host": "h", "left_over": "v-hidden"}, "old": "v-hidden"}
    form = _sent({"server": SERVER}, saved, **{"server.host": "g"})
    assert form.config == {"server": {"host": "g", "left_over": "v-hidden"}, "old": "v-hidden"}
    assert "v-hidden" not in str(form)


def test_what_is_saved_and_fits_no_more_is_said_and_can_be_replaced() -> None:
    properties = {"n": {"type": "integer"}, "server": SERVER, "l": {"type": "array", "items": TEXT}}
    saved = {"n": "5", "server": "x", "l": {"a": 1}}
    assert "does not fit any more" in _page(_form(properties, saved)).text
    assert _sent(properties, saved).config == {"n": 5}


# --- rows -------------------------------------------------------------------------------------------------------------


def test_rows_are_changed_removed_and_added_without_javascript() -> None:
    saved = {"h": [{"name": "a", "on": False}, {"name": "b", "extra": 1}, {"name": "c"}]}
    form = _sent({"h": HEADERS}, saved, **{"h.1.name": "B", "remove:h.0": "on", "h.3.name": "new"})
    assert form.config == {"h": [{"name": "B", "extra": 1}, {"name": "c"}, {"name": "new"}]}


def test_an_emptied_row_is_removed_and_the_empty_one_at_the_end_is_none() -> None:
    items = {"type": "array", "items": TEXT}
    assert _sent({"l": items}, {"l": ["a", "b"]}, **{"l.0": ""}).config == {"l": ["b"]}
    assert _sent({"l": items}, {"l": ["a", ""]}, **{"l.0": "A"}).config == {"l": ["A", ""]}
    assert _sent({"l": items}, {"l": ["a"]}, **{"l.0": ""}).config == {}
    assert _sent({"l": items}, **{"l.0": "a"}).config == {"l": ["a"]}


def test_add_row_draws_the_form_again_with_all_that_was_typed_and_one_row_more() -> None:
    properties = {"h": HEADERS, "n": {"type": "integer"}, "s": {**TEXT, "writeOnly": True}}
    form = _sent(
        properties,
        {"h": [{"name": "a"}]},
        press="add:h",
        n="seven",
        s="v-typed",
        **{"h.1.name": "second", "remove:h.0": "on"},
    )
    page = _page(form)
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
    again = _form(properties, {"h": [{"name": "a"}]}, data=page.submit(n="7", **{"h.2.name": "third"}))
    assert again.config == {"h": [{"name": "second"}, {"name": "third"}], "n": 7}


def test_the_enter_key_saves_although_a_button_to_add_rows_comes_before_the_pages_own() -> None:
    first = next(each for each in _page(_form({"h": HEADERS})).controls if each.tag == "button")
    assert first.name == ""
    assert "formnovalidate" in _page(_form({"h": HEADERS})).attributes_of("add:h")
    assert not [each for each in _page(_form({"x": TEXT})).controls if each.tag == "button"]


def test_an_error_in_a_list_stands_at_the_row_that_it_came_from() -> None:
    saved = {"h": [{"name": "a"}, {"name": "b"}]}
    form = _sent({"h": HEADERS}, saved, **{"remove:h.0": "on", "h.1.name": "much too long", "h.2.name": "x"})
    assert form.errors == {"h.1.name": ["Must have at most 9 characters."]}
    assert ("id_h.1.name", "Headers: Entry 2: Name") in [(each.anchor, each.label) for each in form.summary]


def test_too_many_rows_are_refused_and_none_is_lost() -> None:
    data = QueryDict("&".join(f"l.{index}=v{index}" for index in range(300)))
    form = _form({"l": {"type": "array", "items": TEXT}}, data=data)
    assert form.errors == {"l": ["Takes at most 200 rows."]}
    assert 'value="v299"' in str(form)
    assert _sent({"l": {"type": "array", "maxItems": 1, "items": TEXT}}, {"l": ["a"]}, **{"l.1": "b"}).errors == {
        "l": ["Takes one entry only."]
    }


def test_a_list_too_long_for_rows_is_edited_as_json() -> None:
    properties = {"l": {"type": "array", "items": {"type": "integer"}}}
    saved = {"l": list(range(300))}
    assert _sent(properties, saved).config == saved
    assert _sent(properties, saved, l="[1, 2]").config == {"l": [1, 2]}
    assert _sent(properties, saved, l="{}").errors == {"l": ["Must be a JSON list, like []."]}
    assert _sent(properties, saved, l='[1, "x"]').errors == {"l": ["Must be a whole number."]}


def test_several_of_a_few_choices_are_boxes_in_the_schemas_order() -> None:
    properties = {"e": {"type": "array", "items": {**TEXT, "enum": ["a", "b", "c"]}, "default": ["a", "b"]}}
    assert _sent(properties).config == {}
    assert _sent(properties, e=["", "c", "a"]).config == {"e": ["a", "c"]}
    assert _sent(properties, e=[""]).config == {"e": []}
    assert _sent(properties, {"e": ["c", "a"]}).config == {"e": ["c", "a"]}


# --- secrets ----------------------------------------------------------------------------------------------------------

SECRET = {"s": {**TEXT, "writeOnly": True, "title": "Key"}, "x": TEXT}


def test_a_secret_left_empty_is_kept_and_one_that_is_typed_is_new() -> None:
    kept = _sent(SECRET, form={"saved_secrets": [("s",)], "required": ["s"]})
    assert (kept.is_valid(), kept.secrets, kept.removed_secrets, kept.config) == (True, {}, (), {})
    assert _sent(SECRET, form={"saved_secrets": [("s",)]}, s=" v ").secrets == {("s",): " v "}
    assert _sent({"s": {**TEXT, "format": "password"}}, s="v").secrets == {("s",): "v"}


def test_a_secret_is_removed_only_when_it_is_said() -> None:
    saved: Any = {"saved_secrets": [("s",)]}
    assert _sent(SECRET, form=saved, **{"remove:s": "on"}).removed_secrets == (("s",),)
    assert _sent(SECRET, form={**saved, "required": ["s"]}, **{"remove:s": "on"}).errors == {"s": ["Required."]}
    assert list(_sent(SECRET, form=saved, s="v", **{"remove:s": "on"}).errors) == ["s"]
    assert _form(SECRET, data=QueryDict("remove:s=on")).removed_secrets == ()


def test_a_secret_is_never_in_the_page_whether_typed_wrong_or_saved_by_mistake() -> None:
    form = _sent(
        {**SECRET, "n": {"type": "integer"}}, {"s": "v-saved"}, s="v-typed", n="x", form={"saved_secrets": [("s",)]}
    )
    assert form.secrets == {("s",): "v-typed"}
    assert form.retype
    assert "v-" not in str(form)
    assert "Saved." in _page(form).text


def test_a_new_secret_is_held_against_the_schema_and_a_kept_one_is_not() -> None:
    node = {"s": {**TEXT, "writeOnly": True, "minLength": 8, "format": "uri"}}
    assert _sent(node, form={"saved_secrets": [("s",)]}).errors == {}
    assert set(_sent(node, s="short").errors) == {"s"}
    assert _sent(node, s=" https://a.example/\n").secrets == {("s",): "https://a.example/"}


def test_a_secret_in_a_group_makes_the_group_and_removing_it_lets_the_group_go() -> None:
    properties = {
        "auth": {"type": "object", "required": ["token"], "properties": {"token": {**TEXT, "writeOnly": True}}}
    }
    token: Any = ("auth", "token")
    assert _sent(properties, {"auth": {}}, form={"saved_secrets": [token]}).errors == {}
    form = _sent(properties, {"auth": {}}, form={"saved_secrets": [token]}, **{"remove:auth.token": "on"})
    assert (form.config, form.removed_secrets, form.errors) == ({}, (token,), {})
    assert _sent(properties, **{"auth.token": "v"}).secrets == {token: "v"}


def test_a_secret_says_which_fields_decide_where_it_goes() -> None:
    assert "If you change Host, it has to be typed again." in _page(_form({"server": SERVER})).text


# --- errors from elsewhere --------------------------------------------------------------------------------------------


def test_errors_of_the_engine_stand_at_their_fields_or_above_the_form() -> None:
    form = _sent({"server": SERVER, "h": HEADERS}, {"h": [{"name": "a"}, {"name": "b"}]}, **{"remove:h.0": "on"})
    form.add_errors(
        [
            FieldError(("server", "host"), "No."),
            FieldError((), "All."),
            FieldError(("h", 0, "name"), "Row."),
            FieldError(("gone",), "Lost."),
        ]
    )
    form.add_errors({"server.host": "No.", "": ["More."]})
    assert form.errors == {"server.host": ["No."], "h.1.name": ["Row."], "__all__": ["All.", "Lost.", "More."]}
    assert form.non_field_errors() == ["All.", "Lost.", "More."]
    assert not form.is_valid()


def test_the_list_of_errors_tells_fields_of_the_same_name_apart_by_their_group() -> None:
    subject = {"type": "string", "title": "Subject", "maxLength": 1}
    form = _sent({"a": {**subject, "x-group": "Welcome"}, "b": {**subject, "x-group": "Order"}}, a="long", b="long")
    assert [each.label for each in form.summary] == ["Welcome: Subject", "Order: Subject"]


def test_errors_are_tied_to_their_fields_and_the_list_leads_to_them() -> None:
    properties = {
        "n": {"type": "integer", "description": "How many."},
        "h": HEADERS,
        "c": {**TEXT, "enum": ["a", "b"], "default": "a"},
        "s": {**TEXT, "writeOnly": True},
    }
    form = _sent(properties, {"h": [{"name": "a"}]}, n="x", c="z", s="a\x00", **{"h.0.name": "much too long"})
    form.add_errors({"h": "Bad list."})
    page = _page(form)
    assert len(set(page.ids)) == len(page.ids)
    links = [attributes["href"][1:] for tag, attributes in page.elements if tag == "a"]
    assert set(links) <= set(page.ids)
    assert len(links) == 5
    for name in ("n", "h.0.name", "s", "c"):
        attributes = page.attributes_of(name)
        assert attributes["aria-invalid"] == "true"
        assert set(attributes["aria-describedby"].split()) <= set(page.ids)
    assert page.attributes_of("n")["aria-describedby"].split() == ["id_n:help", "id_n:error"]


def test_every_control_has_a_name_for_screen_readers_and_nothing_is_inline() -> None:
    properties = {
        "t": TEXT,
        "b": {"type": "boolean"},
        "server": SERVER,
        "h": HEADERS,
        "l": {"type": "array", "items": TEXT},
        **SECRET,
    }
    page = _page(_form(properties, {"h": [{"name": "a"}]}, saved_secrets=[("s",)]))
    labelled = {attributes["for"] for tag, attributes in page.elements if tag == "label" and "for" in attributes}
    for control in page.controls:
        if control.attributes.get("type") not in {"hidden", "checkbox", "submit"}:
            assert control.attributes["id"] in labelled
    assert not [
        attributes
        for _tag, attributes in page.elements
        if "style" in attributes or any(each.startswith("on") for each in attributes)
    ]
    assert "script" not in {tag for tag, _attributes in page.elements}


# --- a plugin without a schema ----------------------------------------------------------------------------------------


def _free(data: QueryDict | None = None, **saved: Any) -> SettingsForm:
    return SettingsForm(FREE_FORM, saved=saved, data=data)


def test_a_plugin_without_a_schema_has_one_field_of_json() -> None:
    assert _free(Page(str(_free(a=[1], b="ü"))).submit(), a=[1], b="ü").config == {"a": [1], "b": "ü"}
    assert _free(QueryDict('config={"a": {"b": null}}')).config == {"a": {"b": None}}
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
