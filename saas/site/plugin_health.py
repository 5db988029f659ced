"""How a plugin does here, in plain words: whether it works, when it last did, what went wrong last, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from plugin_framework.delivery import record
from plugin_framework.delivery.record import Record
from plugin_framework.quotas import Kind
from plugin_framework.registry import registry
from plugin_framework.sdk._counts import Counted
from saas.site import quota_info
from saas.site.charts import Chart, chart
from saas.site.plugin_info import PluginInfo

LATELY = timedelta(hours=24)  # after which a failure that others have followed well is not mentioned any more


@dataclass(frozen=True, slots=True)
class Health:
    """What a plugin's page says of its state.

    Attributes:
        level: `ok`, `idle`, `warn` or `error`; the words say it too.
        title, text: how it is, and what to do about it.
        delivers: whether anything is ever delivered to it; `hears`: whether events are among that. `record`: None if nothing is.
    """

    level: Literal["ok", "idle", "warn", "error"]
    title: str
    text: str
    delivers: bool
    hears: bool
    record: Record | None
    arrived: Chart | None
    failed: Chart | None


def health_of(info: PluginInfo) -> Health:
    """How the plugin does for the current tenant."""
    spec = registry.specs.get(info.name)
    events = [handler for handler in spec.handlers if _is_event(handler.hook)] if spec else []
    lately = record.of(info.name)
    delivers = bool(events or (spec and spec.jobs)) or lately.last_arrived is not None or lately.last_failed is not None
    level, title, text = _words(info, lately, delivers=delivers, hears=bool(events))
    return Health(
        level=level,
        title=title,
        text=text,
        delivers=delivers,
        hears=bool(events),
        record=lately if delivers else None,
        arrived=chart([(day.on, day.arrived) for day in lately.days]) if delivers else None,
        failed=chart([(day.on, day.failed) for day in lately.days]) if delivers else None,
    )


def _is_event(hook: str) -> bool:
    point = registry.points.get(hook)
    return point is not None and point.kind == "event"


type Words = tuple[Literal["ok", "idle", "warn", "error"], str, str]


def _words(info: PluginInfo, lately: Record, *, delivers: bool, hears: bool) -> Words:
    if not info.enabled:
        return "idle", _("It is not enabled."), _("Nothing is delivered to it, and nothing of it runs.")
    if not info.runs:
        level: Literal["warn", "error"] = "warn" if info.state == "attention" else "error"
        return level, _("It is enabled, but does not run now."), f"{info.reason_text} {info.advice}".strip()
    if info.rest:
        return "warn", _("It runs, but its deliveries are paused."), ""
    if not delivers:
        return "ok", _("It runs."), _("It works while pages are opened; nothing has to be delivered to it.")
    if not hears and lately.last_arrived is None and lately.last_failed is None:
        return "ok", _("It runs."), _("It works while pages are opened; what it does by the clock was not due yet.")
    return _of_deliveries(info, lately)


def _of_deliveries(info: PluginInfo, lately: Record) -> Words:
    good, bad = lately.last_arrived, lately.last_failed
    if bad and (good is None or bad.at > good.at):
        tried = _("What failed is tried again by itself.") if lately.next_try else ""
        return "error", _("The latest delivery failed."), f"{tried} {_remedy(info)}".strip()
    if lately.waiting and (used_up := [each for each in quota_info.pressing(Kind.DELIVERIES) if each.used_up]):
        return "warn", _("Its deliveries wait: those that your plan includes for today are used up."), used_up[0].remedy
    if lately.given_up:
        number = lately.given_up
        said = ngettext(
            "It works, but %(number)s delivery was given up in the last %(days)s days.",
            "It works, but %(number)s deliveries were given up in the last %(days)s days.",
            number,
        )
        return (
            "warn",
            said % {"number": Counted(number), "days": record.DAYS},
            _("Look at them: each can be delivered again."),
        )
    if good is None:
        return "idle", _("It is ready."), _("Nothing has happened yet that it acts on.")
    if bad and timezone.now() - bad.at < LATELY:
        return "ok", _("It works again."), _("Deliveries failed within the last day, and later ones arrived.")
    return "ok", _("It works."), ""


def _remedy(info: PluginInfo) -> str:
    if info.can_check:
        return _("Read the error below, correct the settings, and press “Test connection”.")
    return _("Read the error below; the page of the delivery has each attempt.")
