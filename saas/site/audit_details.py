"""The details of an audit entry in the reader's words: they are stored as names and codes."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, gettext_lazy

from plugin_framework.models.delivery import DeliveryState
from plugin_framework.quotas import Kind
from plugin_framework.registry import PluginSpec, registry
from plugin_framework.sdk._counts import Counted
from plugin_framework.sdk._words import reread
from saas.site import quota_info, settings_words
from saas.site.spoken import spoken
from tenants.accounts.models import Role
from tenants.models import State

OF_PLUGINS = ("plugin.", "catalog.", "fleet.", "deliver")  # how the actions begin whose target is a plugin's name
_NAMES = {
    "after": gettext_lazy("after"),
    "before": gettext_lazy("before"),
    "changed": gettext_lazy("changed"),
    "count": gettext_lazy("number"),
    "decision": gettext_lazy("decision"),
    "default": gettext_lazy("by default"),
    "deliveries": gettext_lazy("deliveries"),
    "delivery": gettext_lazy("delivery"),
    "devices": gettext_lazy("browsers"),
    "files": gettext_lazy("files"),
    "from": gettext_lazy("from version"),
    "hook": gettext_lazy("event"),
    "host": gettext_lazy("address"),
    "instead": gettext_lazy("instead of it"),
    "limits": gettext_lazy("limits"),
    "locked": gettext_lazy("locked settings"),
    "made_at": gettext_lazy("archive made at"),
    "message": gettext_lazy("message"),
    "name": gettext_lazy("name"),
    "new": gettext_lazy("new"),
    "not_asked": gettext_lazy("not asked, for their code is missing"),
    "number": gettext_lazy("number"),
    "organisations": gettext_lazy("organisations"),
    "owner": gettext_lazy("owner"),
    "picked": gettext_lazy("chosen"),
    "plan": gettext_lazy("plan"),
    "plugins": gettext_lazy("plugins"),
    "purge_at": gettext_lazy("data goes for good at"),
    "reason": gettext_lazy("reason"),
    "role": gettext_lazy("role"),
    "rows": gettext_lazy("rows"),
    "settings": gettext_lazy("settings"),
    "since": gettext_lazy("happened from"),
    "state": gettext_lazy("state"),
    "still_in_settings_of": gettext_lazy("address still in the settings of"),
    "timezone": gettext_lazy("time zone"),
    "to": gettext_lazy("to version"),
    "until": gettext_lazy("until"),
    "version": gettext_lazy("version"),
    "was": gettext_lazy("was"),
    "which": gettext_lazy("which"),
}
_ROLES = {str(value): label for value, label in Role.choices}
_STATES = {**dict(State.choices), **dict(DeliveryState.choices)}
_REACHES = {
    "reads": gettext_lazy("It can read"),
    "stores": gettext_lazy("It stores here"),
    "sends_to": gettext_lazy("It sends data to"),
    "hears": gettext_lazy("It acts when"),
}
_FIRST = ("before", "from")  # what was comes before what is; the database keeps no order
_OF_SETTINGS = ("changed", "locked")
_TIMES = ("until", "since", "purge_at", "made_at")
_COUNTS = ("count", "deliveries", "devices", "files", "number", "organisations", "rows", "settings")


def details(detail: dict[str, Any], plugin: str = "") -> list[tuple[str, str]]:
    """What `detail` holds, by name, without empty texts. A name or code that nobody knows here stays as it is.

    `plugin`: the one that the entry is about; its settings are called as its form calls them.
    """
    spec = registry.specs.get(plugin)
    if spec is not None:
        detail = {name: _settings(spec, value) if name in _OF_SETTINGS else value for name, value in detail.items()}
    found = sorted(detail.items(), key=lambda item: item[0] not in _FIRST)
    return [
        (str(_NAMES.get(name, name.replace("_", " "))), _said(name, value, detail))
        for name, value in found
        if value not in ("", None)
    ]


def _settings(spec: PluginSpec, value: Any) -> Any:
    """Names of settings as people read them."""
    named = isinstance(value, list) and all(isinstance(each, str) for each in value)
    return [settings_words.long_label(spec.schema, tuple(each.split("."))) for each in value] if named else value


def _said(name: str, value: Any, detail: dict[str, Any]) -> str:
    match value:
        case [] | {} if not value:
            return gettext("none")
        case bool():
            return words(value)
        case int() if name in _COUNTS:
            return str(Counted(value))
        case dict():
            return ", ".join(_part(name, key, each) for key, each in value.items())
        case list() if name == "new":
            return "; ".join(map(_reach, map(str, value)))
        case str():
            return _text(name, value, detail)
    return words(value)


def _text(name: str, value: str, detail: dict[str, Any]) -> str:
    if name in ("role", "before", "after"):
        return str(_ROLES.get(value, value))
    if name == "state" or (name == "was" and "delivery" in detail):
        return str(_STATES.get(value) or spoken(value))  # a search for deliveries has kept the English word
    if name == "reason":
        return str(reread(value))
    return _time(value) if name in _TIMES else value


def _part(name: str, key: str, value: Any) -> str:
    """An entry of an object: a limit of a plan, how many rows were in a table."""
    if name == "limits" and key in Kind and isinstance(value, int):
        return quota_info.limit(Kind(key), value)
    return f"{key}: {Counted(value) if isinstance(value, int) and name in _COUNTS else words(value)}"


def _reach(text: str) -> str:
    kind, colon, what = text.partition(": ")
    return f"{_REACHES[kind]}: {spoken(what)}" if colon and kind in _REACHES else text


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
