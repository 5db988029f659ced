"""What is going on in an organisation, for its admins' first page: what needs somebody, the last day in numbers, the latest events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from plugin_framework.delivery.breaker import Rest
from plugin_framework.delivery.house import HOUSE
from plugin_framework.delivery.search import Search
from plugin_framework.models import AuditEntry, Delivery
from plugin_framework.models.delivery import DeliveryState
from plugin_framework.sdk._counts import Counted
from plugin_framework.sdk._words import reread
from saas.site import plugin_info
from saas.site.names import has_address
from saas.site.plugin_info import PluginInfo

DAY, WEEK = timedelta(days=1), timedelta(days=7)
LOOKED_AT = 1000  # the newest deliveries are counted, and no more: a first page must not read a million rows
SHOWN = 6


@dataclass(frozen=True, slots=True)
class Attention:
    """Something that does not get right by itself: what it is, why, what to do and where. `level`: error or warning."""

    title: str
    text: str
    advice: str
    url: str
    action: str
    level: str


@dataclass(frozen=True, slots=True)
class Day:
    """The last 24 hours. `more`: there were more deliveries than are counted."""

    running: int
    delivered: int
    pending: int
    given_up: int
    more: bool


def attention(plugins: Iterable[PluginInfo]) -> list[Attention]:
    """The enabled plugins that do not run, or whose deliveries rest; then what was given up within a week, by plugin."""
    infos = {info.name: info for info in plugins}
    troubled = [_plugin(info) for info in infos.values() if info.enabled and info.state in ("attention", "locked")]
    return troubled + _given_up(infos)


def day(plugins: Iterable[PluginInfo]) -> Day:
    """The last 24 hours in numbers."""
    newest = Delivery.objects.exclude(plugin=HOUSE).order_by("-id").values("id")[:LOOKED_AT]
    since = timezone.now() - DAY
    rows = Delivery.objects.filter(id__in=newest, created_at__gte=since).order_by().values_list("state")
    counts = dict(rows.annotate(number=Count("id")))
    return Day(
        running=sum(info.runs for info in plugins),
        delivered=counts.get(DeliveryState.DONE, 0),
        pending=counts.get(DeliveryState.DUE, 0),
        given_up=counts.get(DeliveryState.DEAD, 0),
        more=sum(counts.values()) >= LOOKED_AT,
    )


def latest_deliveries() -> Sequence[Delivery]:
    """The newest, without their payloads."""
    return Search().page(SHOWN).rows


def latest_changes() -> list[AuditEntry]:
    """Who changed what last."""
    return list(AuditEntry.objects.all()[:SHOWN])


def _plugin(info: PluginInfo) -> Attention:
    text, advice = info.reason_text, info.advice
    if info.rest is not None and info.runs:
        text, advice = _resting(info.rest)
    return Attention(
        title=info.title,
        text=text,
        advice=advice,
        url=reverse("settings:plugin", args=[info.name]),
        action=_("Look at it") if info.state == "locked" else _("Put it right"),
        level="warning",
    )


def _resting(rest: Rest) -> tuple[str, str]:
    """The gate lets it run, and its deliveries wait."""
    if rest.paused_by:
        paused = _("%(who)s has paused its deliveries. They are kept.") % {"who": reread(rest.paused_by)}
        return paused, _("They go out once somebody resumes them.")
    failed = _("Its deliveries failed again and again, so they rest for now: %(why)s") % {"why": reread(rest.trouble)}
    return failed, _("One is tried from time to time, and all follow once it arrives.")


def _given_up(infos: dict[str, PluginInfo]) -> list[Attention]:
    """By plugin, with the newest reason. The index of those that failed answers this, however many others there are."""
    rows = Search(state=DeliveryState.DEAD, since=timezone.now() - WEEK).rows().order_by("-id")
    found: dict[str, list[str]] = {}
    for name, error in rows.values_list("plugin", "last_error")[:LOOKED_AT]:
        found.setdefault(name, []).append(error)
    return [_failures(name, errors, infos) for name, errors in sorted(found.items()) if has_address(name)]


def _failures(name: str, errors: list[str], infos: dict[str, PluginInfo]) -> Attention:
    title = infos[name].title if name in infos else plugin_info.title_of(name)
    said = ngettext(
        "%(number)s delivery of %(plugin)s did not arrive and was given up",
        "%(number)s deliveries of %(plugin)s did not arrive and were given up",
        len(errors),
    )
    return Attention(
        title=said % {"number": Counted(len(errors)), "plugin": title},
        text=str(reread(errors[0])),
        advice=_("Once the cause is gone, have them delivered again."),
        url=f"{reverse('settings:deliveries', args=[name])}?state=dead",
        action=_("See them"),
        level="error",
    )
