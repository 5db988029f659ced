"""Settings in words: what differs between two versions of them, fit for a page."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from plugin_framework.config import ConfigSchema


@dataclass(frozen=True, slots=True)
class Difference:
    """One setting that is not the same in two versions."""

    label: str
    before: str
    after: str


def differences(schema: ConfigSchema, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """What differs between two configurations without secrets, in the schema's order."""
    return [
        Difference(label(schema, key), words(before.get(key)), words(after.get(key)))
        for key in dict.fromkeys([*schema.properties, *before, *after])
        if before.get(key) != after.get(key)
    ]


def label(schema: ConfigSchema, dotted: str) -> str:
    """What people read for the field at `dotted`."""
    return str(schema.at(tuple(dotted.split("."))).get("title") or dotted.replace("_", " ").capitalize())


def words(value: Any) -> str:
    """A value as people read it."""
    if value is None or value == "":
        return _("(empty)")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
