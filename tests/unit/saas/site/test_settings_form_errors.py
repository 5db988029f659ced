"""The settings form of a plugin: errors stand where they belong, and everybody can read it."""

from __future__ import annotations

from plugin_framework.config import FieldError
from tests.support.settings_forms import HEADERS, SECRET, SERVER, TEXT, form_of, page_of, sent


def test_errors_of_the_engine_stand_at_their_fields_or_above_the_form() -> None:
    form = sent({"server": SERVER, "h": HEADERS}, {"h": [{"name": "a"}, {"name": "b"}]}, **{"remove:h.0": "on"})
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
    form = sent({"a": {**subject, "x-group": "Welcome"}, "b": {**subject, "x-group": "Order"}}, a="long", b="long")
    assert [each.label for each in form.summary] == ["Welcome: Subject", "Order: Subject"]


def test_errors_are_tied_to_their_fields_and_the_list_leads_to_them() -> None:
    properties = {
        "n": {"type": "integer", "description": "How many."},
        "h": HEADERS,
        "c": {**TEXT, "enum": ["a", "b"], "default": "a"},
        "s": {**TEXT, "writeOnly": True},
    }
    form = sent(properties, {"h": [{"name": "a"}]}, n="x", c="z", s="a\x00", **{"h.0.name": "much too long"})
    form.add_errors({"h": "Bad list."})
    page = page_of(form)
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
    page = page_of(form_of(properties, {"h": [{"name": "a"}]}, saved_secrets=[("s",)]))
    labelled = {attributes["for"] for tag, attributes in page.elements if tag == "label" and "for" in attributes}
    for control in page.controls:
        if control.attributes.get("type") not in {"hidden", "checkbox", "submit"}:
            assert control.attributes["id"] in labelled
    assert not [
        attributes
        for _tag, attributes in page.elements
        if "style" in attributes or any(each.startswith("on") for each in attributes)
    ]
    assert all("src" in attributes for tag, attributes in page.elements if tag == "script")
