"""The settings form of a plugin: putting fields back to their defaults, and a value that can only be one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.settings_forms import SECRET, SERVER, TEXT, form_of, page_of, sent

COLOUR = {**TEXT, "default": "blue", "title": "Colour"}
WITH: Any = {"defaults": {}}


def after_reset(node: dict[str, Any], value: Any, name: str = "x", **options: Any) -> Any:
    """What is saved after "Use the default" and "Save" were pressed."""
    options = {"defaults": {}, **options}
    first = sent({"x": node}, {"x": value}, press=f"reset:{name}", form=options)
    assert first.redraws
    assert first.errors == {}
    data = page_of(first).submit()
    second = form_of({"x": node}, {"x": value}, **options, data=data)
    assert second.is_valid()
    return second.config


@pytest.mark.parametrize(
    ("node", "value"),
    [
        (COLOUR, "red"),
        ({**TEXT, "default": "a\nb", "x-multiline": True}, "c"),
        ({"type": "integer", "default": 5}, 7),
        ({"type": "boolean", "default": True}, False),
        ({**TEXT, "enum": ["a", "b", "c"], "default": "b"}, "c"),
        ({**TEXT, "enum": list("abcdefgh"), "default": "b"}, "c"),
        ({"type": "array", "items": {"enum": ["a", "b", "c"]}, "default": ["a"]}, ["b", "c"]),
        ({"type": "array", "items": TEXT, "default": ["one"]}, ["two", "three"]),
        (
            {"type": "array", "items": {"type": "object", "properties": {"n": TEXT}}, "default": [{"n": "1"}]},
            [{"n": "2"}, {"n": "3"}],
        ),
    ],
)
def test_a_field_put_back_to_its_default_has_no_value_of_its_own_any_more(node: dict[str, Any], value: Any) -> None:
    assert after_reset(node, value) == {}


def test_a_default_that_is_changed_before_it_is_saved_is_an_ordinary_value() -> None:
    first = sent({"x": COLOUR}, {"x": "red"}, press="reset:x", form=WITH)
    assert page_of(first).attributes_of("x")["value"] == "blue"
    second = form_of({"x": COLOUR}, {"x": "red"}, **WITH, data=page_of(first).submit(x="green"))
    assert second.config == {"x": "green"}
    assert second.reset_keys == frozenset()


def test_other_fields_keep_what_was_typed_and_typing_over_the_field_itself_is_given_up() -> None:
    form = sent({"x": COLOUR, "y": TEXT}, {"x": "red", "y": "a"}, press="reset:x", x="typed", y="typed", form=WITH)
    assert {name: page_of(form).attributes_of(name)["value"] for name in "xy"} == {"x": "blue", "y": "typed"}


def test_the_platforms_value_is_the_default_where_it_has_one() -> None:
    options: Any = {"defaults": {"x": "green"}}
    page = page_of(form_of({"x": COLOUR}, {"x": "red"}, **options))
    assert "Use the default: green" in page.text
    form = sent({"x": COLOUR}, {"x": "red"}, press="reset:x", form=options)
    assert form.reset_keys == {"x"}
    assert after_reset({**TEXT}, "red", defaults={"x": "green"}, required=["x"]) == {"x": "green"}
    assert after_reset({**TEXT}, "red", defaults={"x": "green"}) == {}


def test_only_what_differs_from_a_default_can_be_put_back_and_only_where_the_page_offers_it() -> None:
    def buttons(node: dict[str, Any], saved: dict[str, Any], **options: Any) -> list[str]:
        controls = page_of(form_of({"x": node}, saved, **options)).controls
        return [each.name for each in controls if each.name.startswith("reset:")]

    assert buttons(COLOUR, {"x": "red"}, **WITH) == ["reset:x"]
    assert buttons(COLOUR, {"x": "red"}) == []
    assert buttons(COLOUR, {"x": "blue"}, **WITH) == []
    assert buttons(COLOUR, {}, **WITH) == []
    assert buttons(TEXT, {"x": "red"}, **WITH) == []
    assert buttons(COLOUR, {"x": "red"}, **WITH, locked=["x"]) == []
    assert (
        buttons(
            {"type": "array", "items": {"type": "object", "properties": {"c": COLOUR}}}, {"x": [{"c": "red"}]}, **WITH
        )
        == []
    )


def test_a_locked_field_goes_nowhere_whatever_is_sent() -> None:
    form = form_of({"x": COLOUR}, {"x": "red"}, **WITH, locked=["x"], data={"reset:": "1", "default:x": "1"})
    assert page_of(form).attributes_of("x")["value"] == "red"


def test_all_go_back_at_once_but_secrets_and_what_is_required_and_has_no_default() -> None:
    properties = {"a": COLOUR, "b": TEXT, "c": TEXT, "server": SERVER, **SECRET}
    saved = {"a": "red", "b": "kept", "c": "gone", "x": "gone", "server": {"host": "kept", "port": 99}}
    options: Any = {"defaults": {}, "required": ["b"], "saved_secrets": [("s",), ("server", "token")]}
    data = page_of(form_of(properties, saved, **dict(options))).submit(b="typed", **{"reset:": "1"})
    form = form_of(properties, saved, **dict(options), data=data)
    assert form.redraws
    assert form.all_reset
    page = page_of(form)
    assert {name: page.attributes_of(name).get("value") for name in ("a", "b", "c", "x", "server.host", "server.port")} == {
        "a": "blue", "b": "typed", "c": "", "x": "", "server.host": "kept", "server.port": "25",
    }  # fmt: skip
    done = form_of(properties, saved, **dict(options), data=page.submit())
    assert done.config == {"b": "typed", "server": {"host": "kept"}}
    assert (done.secrets, done.removed_secrets) == ({}, ())


def test_a_field_that_is_kept_as_the_other_person_saved_it_takes_nothing_that_was_sent() -> None:
    saved = {"x": "theirs", "server": {"host": "theirs"}, "l": ["theirs"]}
    properties = {"x": COLOUR, "server": SERVER, "l": {"type": "array", "items": TEXT}, **SECRET}
    data = page_of(form_of(properties, saved)).submit(
        **{"x": "mine", "server.host": "mine", "l.0": "mine", "s": "mine"}
    )
    for name in ("x", "server.host", "l", "s"):
        data[f"take:{name}"] = "theirs"
    data["default:x"] = "1"  # it was put back to its default before the other one saved
    form = form_of(properties, saved, data=data, **WITH)
    assert (form.config, form.secrets, form.errors) == (saved, {}, {})
    data["take:x"] = "mine"
    del data["default:x"]
    assert form_of(properties, saved, data=data, **WITH).config == {**saved, "x": "mine"}


def test_a_constant_is_chosen_or_not_and_nothing_can_be_typed() -> None:
    node = {**TEXT, "const": "v1", "title": "Version"}
    page = page_of(form_of({"x": node}, {"x": "v1"}, required=["x"]))
    assert [(each.name, each.attributes["type"], each.sent()) for each in page.controls] == [("x", "radio", ["v1"])]
    assert sent({"x": node}).config == {}
    assert sent({"x": node}, x="v1").config == {"x": "v1"}
    assert sent({"x": node}, x="v2").errors == {"x": ["Choose one of the options."]}
    assert sent({"x": {"type": "integer", "const": 3}}, x="3").config == {"x": 3}
    assert sent({"x": {"type": "boolean", "const": True}}, form={"required": ["x"]}).errors == {"x": ["Must be yes."]}
