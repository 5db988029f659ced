"""Schemas and shorthands for the tests of the settings form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plugin_framework.config import compile_schema
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
SECRET = {"s": {**TEXT, "writeOnly": True, "title": "Key"}, "x": TEXT}


def form_of(properties: Mapping[str, Any], saved: Mapping[str, Any] | None = None, /, **options: Any) -> SettingsForm:
    """The form of a schema with these properties."""
    document = {"type": "object", "properties": dict(properties), "required": options.pop("required", [])}
    return SettingsForm(
        compile_schema(document), saved=saved or {}, saved_secrets=options.pop("saved_secrets", ()), **options
    )


def page_of(form: SettingsForm) -> Page:
    """What is drawn, as a browser reads it."""
    return Page(str(form))


def sent(
    properties: Mapping[str, Any], saved: Mapping[str, Any] | None = None, /, *, press: str = "", **changes: Any
) -> SettingsForm:
    """The form after its page was sent with `changes`; options of the form stand in `form`."""
    options = changes.pop("form", {})
    page = page_of(form_of(properties, saved, **dict(options)))
    return form_of(properties, saved, **dict(options), data=page.submit(press, **changes))
