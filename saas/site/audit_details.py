"""The details of an audit entry in the reader's words: they are stored as names and codes."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, gettext_lazy

from plugin_framework.sdk._words import reread
from tenants.accounts.models import Role

_NAMES = {
    "after": gettext_lazy("after"),
    "before": gettext_lazy("before"),
    "changed": gettext_lazy("changed"),
    "count": gettext_lazy("number"),
    "decision": gettext_lazy("decision"),
    "deliveries": gettext_lazy("deliveries"),
    "delivery": gettext_lazy("delivery"),
    "devices": gettext_lazy("browsers"),
    "hook": gettext_lazy("event"),
    "limits": gettext_lazy("limits"),
    "message": gettext_lazy("message"),
    "name": gettext_lazy("name"),
    "new": gettext_lazy("new"),
    "number": gettext_lazy("number"),
    "organisations": gettext_lazy("organisations"),
    "plugins": gettext_lazy("plugins"),
    "reason": gettext_lazy("reason"),
    "role": gettext_lazy("role"),
    "rows": gettext_lazy("rows"),
    "timezone": gettext_lazy("time zone"),
    "until": gettext_lazy("until"),
    "version": gettext_lazy("version"),
    "was": gettext_lazy("was"),
    "which": gettext_lazy("which"),
}
_ROLES = {str(value): label for value, label in Role.choices}


def details(detail: dict[str, Any]) -> list[tuple[str, str]]:
    """What `detail` holds, by name. A name or code that nobody knows here stays as it is."""
    return [(str(_NAMES.get(name, name.replace("_", " "))), _said(name, value)) for name, value in detail.items()]


def _said(name: str, value: Any) -> str:
    if not isinstance(value, str):
        return words(value)
    if name in ("role", "before", "after"):
        return str(_ROLES.get(value, value))
    if name == "reason":
        return str(reread(value))
    return _time(value) if name == "until" else value


def words(value: Any) -> str:
    """A value of JSON as text."""
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if isinstance(value, list):
        return ", ".join(map(words, value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _time(text: str) -> str:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return text
    return date_format(timezone.localtime(at), "DATETIME_FORMAT") if at.tzinfo else text
