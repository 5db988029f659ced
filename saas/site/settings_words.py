"""Settings in words: what differs between two versions of them, fit for a page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from plugin_framework import settings_store
from plugin_framework.config import ConfigSchema
from saas.site.settings_choices import option_label
from saas.site.settings_values import showable, shown, text_of
from saas.site.spoken import spoken


@dataclass(frozen=True, slots=True)
class Difference:
    """One setting that is not the same in two versions."""

    label: str
    before: str
    after: str


def differences(schema: ConfigSchema, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """What differs between two configurations without secrets, in the schema's order; of groups, the fields in them."""
    found = (
        (path, *(settings_store.get(each, path) for each in (before, after)))
        for path in _leaves(schema.document, before, after)
    )
    return [
        Difference(long_label(schema, path), words(old, schema.at(path)), words(new, schema.at(path)))
        for path, old, new in found
        if old != new
    ]


def _leaves(node: Mapping[str, Any], *values: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of all fields of `node` and of whatever else `values` hold."""
    fields = node.get("properties", {})
    for name in dict.fromkeys(key for each in (fields, *values) if isinstance(each, Mapping) for key in each):
        inner = fields.get(name, {})
        inside = [each.get(name) for each in values if isinstance(each, Mapping)]
        if inner.get("properties") and all(each is None or isinstance(each, Mapping) for each in inside):
            yield from _leaves(inner, *inside, path=(*path, name))
        else:
            yield (*path, name)


def label(schema: ConfigSchema, dotted: str) -> str:
    """What people read for the field at `dotted`."""
    return spoken(str(schema.at(tuple(dotted.split("."))).get("title") or dotted.replace("_", " ").capitalize()))


def long_label(schema: ConfigSchema, path: tuple[str, ...]) -> str:
    """The same with what it stands in, a section or groups: two of them may each have a "Subject"."""
    section = spoken(str(schema.at(path[:1]).get("x-group", "")))
    return ": ".join(filter(None, [section, *map(str, schema.labels(path))]))


def words(value: Any, node: Mapping[str, Any] | None = None) -> str:
    """A value as people read it; with its schema, the names of choices and of the fields in a list."""
    node = node or {}
    if value is None and "default" in node:
        return _("(default)")
    if value is None or value in ("", [], {}):
        return _("(empty)")
    if "enum" in node or "const" in node:
        return showable(option_label(node, text_of(value)))
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return "\n".join(_entry(each, node.get("items", {})) for each in value)
    if isinstance(value, str | int | float):
        return showable(shown(value))
    return showable(json.dumps(value, ensure_ascii=False, indent=2))


def _entry(value: Any, node: Mapping[str, Any]) -> str:
    if not isinstance(value, Mapping):
        return words(value, node)
    fields = node.get("properties", {})
    return ", ".join(
        f"{spoken(str(fields.get(name, {}).get('title') or _capital(name)))}: {words(each, fields.get(name, {}))}"
        for name in dict.fromkeys([*fields, *value])
        if (each := value.get(name)) is not None
    )


def _capital(name: str) -> str:
    return name.replace("_", " ").capitalize()
