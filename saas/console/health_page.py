"""The console's page of the queue and its workers: what waits, who works, what was given up, what comes by the clock."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import batched

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from plugin_framework.delivery import census, retention
from plugin_framework.delivery.given_up import given_up
from plugin_framework.delivery.house import HOUSE
from plugin_framework.quotas import storage
from plugin_framework.tenancy import TenantRef
from saas.console import fleet
from saas.console.fleet_view import LATELY
from saas.site.access import admins_only
from saas.site.plugin_info import title_of
from saas.watch import readiness
from tenants import owed, purging, supply

LOOKED_AT = 300  # organisations whose given-up deliveries are counted: the newest ones
AT_ONCE = 150  # of them in one statement: each costs locks and planning time
SHOWN = 20  # troubled lanes
_JOBS = {  # what the platform itself does by the clock, for staff to read
    owed.WORK: gettext_lazy("Set up new organisations"),
    purging.HOURLY: gettext_lazy("Delete for good what is due"),
    retention.NIGHTLY: gettext_lazy("Delete old deliveries"),
    storage.MEASURE: gettext_lazy("Measure storage"),
}


@dataclass(frozen=True, slots=True)
class GivenUp:
    """Deliveries of all organisations that were given up lately."""

    counts: list[tuple[str, str, int]]  # name and title of the plugin, and how many
    looked_at: int
    total: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """A breaker that is open, and whose it is; `ref` is None for an organisation that is gone."""

    ref: TenantRef | None
    title: str
    lane: census.Troubled


@require_safe
@admins_only
def health(request: HttpRequest) -> HttpResponse:
    """How the installation does its work."""
    lanes, sign_ups = census.lanes(), supply.now()
    context = {
        "missing": readiness.missing(),
        "lanes": [(_name(each.plugin), each) for each in lanes],
        "waiting": sum(each.waiting for each in lanes),
        "leased": sum(each.leased for each in lanes),
        "open": sum(each.open for each in lanes),
        "lag": max((each.lag for each in lanes if each.lag), default=None),
        "workers": census.workers(),
        "wakes": census.wakes(),
        "jobs": [
            (_name(each.plugin), _JOBS.get(each.job, "") if each.plugin == HOUSE else "", each)
            for each in census.jobs()
        ],
        "spares": sign_ups.spares,
        "spares_wanted": settings.SPARE_SCHEMAS,
        "sign_ups": sign_ups.unfinished,
        "given_up": _given_up(),
        "days": LATELY.days,
        "troubled": _troubled(),
    }
    return render(request, "platform/health.html", context)


def _given_up() -> GivenUp:
    newest = fleet.newest(LOOKED_AT)
    counts: Counter[str] = Counter()
    since = timezone.now() - LATELY
    for some in batched(newest.schemas, AT_ONCE):
        for (_schema, plugin), number in given_up(some, since).items():
            counts[plugin] += number
    found = [(name, _name(name), number) for name, number in counts.most_common()]
    return GivenUp(found, newest.looked_at, newest.total)


def _troubled() -> list[Trouble]:
    found = census.troubled(SHOWN)
    refs = {ref.schema: ref for ref in fleet.everyone([each.schema for each in found])}
    return [Trouble(refs.get(each.schema), _name(each.plugin), each) for each in found]


def _name(plugin: str) -> str:
    return _("The platform’s own work") if plugin == HOUSE else title_of(plugin)
