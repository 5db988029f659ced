"""The breaker of one tenant's plugin: after failures in a row its deliveries rest, and a few are tried from time to time.

Closed, open, half-open as in M. Nygard, "Release It!". It rests the lane alone: pages and settings of the plugin are as they were,
and no attempt of a waiting delivery is used up.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from plugin_framework.audit import SYSTEM, Actor, record
from plugin_framework.delivery import house, rows_held
from plugin_framework.delivery.emit import notify, release_held
from plugin_framework.delivery.lanes import Lane
from plugin_framework.models.delivery import Delivery, DeliveryState
from plugin_framework.sdk._words import Phrase
from plugin_framework.tenancy import current_tenant

THRESHOLD = 5  # failed attempts in a row that open it
TRIALS = 3  # deliveries tried when it is half open; one that succeeds closes it
PAUSES = (60, 120, 240, 480, 900)  # seconds; the last one again and again
NOTICE = "deliveries_paused"  # the platform's work of telling the admins

_OPEN = """
UPDATE public.delivery_lane SET failures = 0, opened = opened + 1, trouble = %(trouble)s,
    open_since = coalesce(open_since, clock_timestamp()),
    paused_until = clock_timestamp() + (0.9 + 0.2 * random())
        * make_interval(secs => (%(pauses)s::int[])[least(opened + 1, array_length(%(pauses)s::int[], 1))])
WHERE tenant_schema = %(schema)s AND plugin = %(plugin)s AND fence = %(fence)s RETURNING opened
"""
_CLOSE = """
UPDATE public.delivery_lane SET failures = 0, opened = 0, trouble = '', open_since = NULL, paused_until = NULL
WHERE tenant_schema = %(schema)s AND plugin = %(plugin)s AND fence = %(fence)s AND open_since IS NOT NULL
"""
_TRY_NOW = """
UPDATE public.delivery_lane SET opened = 0, failures = 0, paused_until = clock_timestamp(), next_at = clock_timestamp(), seq = seq + 1
WHERE tenant_schema = %s AND plugin = %s AND open_since IS NOT NULL
"""
_PAUSE = """
INSERT INTO public.delivery_lane AS lane (tenant_schema, plugin, paused_by) VALUES (%s, %s, %s)
ON CONFLICT (tenant_schema, plugin) DO UPDATE SET paused_by = excluded.paused_by WHERE lane.paused_by = ''
"""
_RESUME = "UPDATE public.delivery_lane SET paused_by = '' WHERE tenant_schema = %s AND plugin = %s AND paused_by <> ''"
_LOOK = """
SELECT plugin, open_since, CASE WHEN open_since IS NOT NULL THEN paused_until END, trouble, paused_by
FROM public.delivery_lane WHERE tenant_schema = %s AND (open_since IS NOT NULL OR paused_by <> '')
"""

_LOOK_AT_MANY = """
SELECT tenant_schema, plugin, open_since, CASE WHEN open_since IS NOT NULL THEN paused_until END, trouble, paused_by
FROM public.delivery_lane WHERE tenant_schema = ANY (%s::text[]) AND (open_since IS NOT NULL OR paused_by <> '')
"""

_DIED = Phrase("The process that delivered died.")
_HELD = Phrase("Held back, because the last ones failed. %(why)s")


@dataclass(frozen=True, slots=True)
class Rest:
    """Why the deliveries of a plugin rest.

    Attributes:
        since: when its breaker opened; None: it is closed. `until`: the next trial; `trouble`: the failure that opened it.
        paused_by: who has paused it, until somebody resumes it; "" if nobody has.
    """

    since: datetime | None
    until: datetime | None
    trouble: str
    paused_by: str


def rests() -> dict[str, Rest]:
    """The plugins of the current tenant whose deliveries rest, with the reason."""
    with connection.cursor() as cursor:
        cursor.execute(_LOOK, [current_tenant().schema])
        return {plugin: Rest(*rest) for plugin, *rest in cursor.fetchall()}


def rests_of(schemas: Iterable[str]) -> dict[tuple[str, str], Rest]:
    """The same of many tenants, by schema and plugin. One statement."""
    with connection.cursor() as cursor:
        cursor.execute(_LOOK_AT_MANY, [list(schemas)])
        return {(schema, plugin): Rest(*rest) for schema, plugin, *rest in cursor.fetchall()}


def pause(plugin: str, actor: Actor) -> None:
    """Let the deliveries of `plugin` to the current tenant wait until somebody resumes them; nothing if they are paused already."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_PAUSE, [current_tenant().schema, plugin, actor.label[:200]])
        if cursor.rowcount:
            record(actor, "deliveries.paused", plugin)


def resume(plugin: str, actor: Actor) -> None:
    """Let them go out again; with an open breaker a few are tried at once, and the others follow if that works. Nothing if they do."""
    if plugin not in rests():
        return
    with transaction.atomic(), connection.cursor() as cursor:
        release_held(plugin)
        cursor.execute(_RESUME, [current_tenant().schema, plugin])
        if try_now(plugin):
            _bring_forward(plugin)
        record(actor, "deliveries.resumed", plugin)
        notify()


def _bring_forward(plugin: str) -> None:
    """Where all wait for times that are still to come, the first of them are what is tried now, their schedules begun anew."""
    waiting = Delivery.objects.filter(plugin=plugin, state=DeliveryState.DUE, held_since=None)
    waiting = waiting.exclude(started_at__isnull=False, finished_at__isnull=True).order_by("next_at", "id")
    first = [row.pk for row in waiting.select_for_update(skip_locked=True).only("pk")[:TRIALS]]
    later = Delivery.objects.filter(pk__in=first, next_at__gt=Now())
    later.update(next_at=Now(), attempts_before=F("attempts"))


def try_now(plugin: str) -> bool:
    """Do not wait for the end of the pause: something has changed. Whether the breaker of `plugin` is open at all."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_TRY_NOW, [current_tenant().schema, plugin])
        if cursor.rowcount:
            notify()
        return bool(cursor.rowcount)


class Breaker:
    """What a worker that holds a lane sees of its breaker."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self.failures = lane.failures
        self.recovered = False  # a trial has worked
        self.trouble = ""

    @property
    def trial(self) -> bool:
        """Whether it is half open."""
        return self._lane.open

    @property
    def tripped_before(self) -> bool:
        """Whether it has to open before anything is run: the processes that ran the last ones died of them."""
        return self.failures >= (1 if self.trial else THRESHOLD)

    @property
    def tripped(self) -> bool:
        """Whether it is enough."""
        return self.failures >= (TRIALS if self.trial else THRESHOLD)

    def succeeded(self) -> None:
        """An attempt was delivered."""
        self.failures = 0
        self.recovered = self.trial

    def failed(self, trouble: str) -> None:
        """An attempt failed."""
        self.failures += 1
        self.trouble = trouble

    def open(self) -> None:
        """Let the lane rest, and what is due with it; tell the admins if it was closed. Nothing if the lane is not ours any more."""
        lane, trouble = self._lane, self.trouble or _DIED.text
        with transaction.atomic():
            rows_held.hold(lane.schema, lane.plugin, lane.fence, _HELD(why=trouble).english)
            opened = self._write(_OPEN, trouble=trouble[:500], pauses=list(PAUSES))
            self.failures = 0
            if opened and not self.trial and lane.plugin != house.HOUSE:  # who would deliver that?
                record(SYSTEM, "deliveries.paused", lane.plugin, reason=trouble)
                house.owe(NOTICE, lane.plugin, trouble)

    def close(self) -> None:
        """It works again: let go out what was held."""
        lane = self._lane
        with transaction.atomic():
            rows_held.release_held(lane.schema, lane.plugin, lane.fence)
            if self._write(_CLOSE):
                record(SYSTEM, "deliveries.resumed", lane.plugin)

    def _write(self, sql: str, **params: Any) -> bool:
        lane = self._lane
        with connection.cursor() as cursor:
            cursor.execute(sql, {"schema": lane.schema, "plugin": lane.plugin, "fence": lane.fence, **params})
            return bool(cursor.rowcount)
