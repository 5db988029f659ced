"""How the queue and its workers stand, all tenants together: a few statements over tables of the public schema that stay small."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from plugin_framework.delivery import times
from plugin_framework.delivery.workers import FRESH
from plugin_framework.tenancy import public_scope

# A lane is due as a worker sees it that looks for one; see `lanes._CLAIM`.
_LANES = """
SELECT plugin, count(*), count(*) FILTER (WHERE due), count(*) FILTER (WHERE leased_until > now()),
    count(*) FILTER (WHERE next_at IS NOT NULL AND NOT due AND (leased_until IS NULL OR leased_until <= now())
        AND paused_by = '' AND (paused_until IS NULL OR paused_until <= now())),
    count(*) FILTER (WHERE open_since IS NOT NULL), count(*) FILTER (WHERE paused_by <> ''),
    count(*) FILTER (WHERE over_quota AND next_at IS NOT NULL),
    now() - min(next_at) FILTER (WHERE due)
FROM (SELECT *, coalesce(next_at <= now() AND (leased_until IS NULL OR leased_until < now())
        AND (paused_until IS NULL OR paused_until <= now()) AND paused_by = '', false) AS due FROM public.delivery_lane) AS lane
GROUP BY plugin ORDER BY plugin
"""
_WORKERS = """
SELECT worker.id, split_part(worker.host, '/', 1), worker.pid, worker.started_at, worker.seen_at,
    worker.seen_at > now() - make_interval(secs => %s),
    (SELECT count(*) FROM public.delivery_lane WHERE owner = worker.id AND leased_until > now())
FROM public.delivery_worker AS worker ORDER BY worker.seen_at DESC LIMIT 100
"""
_WAKES = "SELECT count(*), now() - min(written_at) FROM public.delivery_wake"
_JOBS = """
SELECT plugin, job, count(*), count(*) FILTER (WHERE run_at <= now()), min(run_at), expression
FROM public.delivery_schedule GROUP BY plugin, job, expression ORDER BY plugin, job, expression LIMIT 500
"""
_TROUBLED = """
SELECT tenant_schema, plugin, open_since, trouble FROM public.delivery_lane
WHERE open_since IS NOT NULL ORDER BY open_since LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class LaneCount:
    """The lanes of one plugin.

    Attributes:
        waiting: due, and in no worker's hands. `leased`: in one's hands. `later`: not due yet. `open`: the breaker has opened.
        paused: by a person. `over_quota`: put off to the next day. `lag`: how long the one that is due for longest has waited.
    """

    plugin: str
    total: int
    waiting: int
    leased: int
    later: int
    open: int
    paused: int
    over_quota: int
    lag: timedelta | None


@dataclass(frozen=True, slots=True)
class WorkerSeen:
    """A worker that has given a sign of life within a day. `alive`: a fresh one. `lanes`: how many it has in hand."""

    id: str
    host: str
    pid: int
    started_at: datetime
    seen_at: datetime
    alive: bool
    lanes: int


@dataclass(frozen=True, slots=True)
class JobCount:
    """One job by the clock, of all tenants that have it at these times. `overdue`: whose time has come and that no worker has taken up."""

    plugin: str
    job: str
    tenants: int
    overdue: int
    next_at: datetime
    expression: str

    @property
    def readable(self) -> bool:
        """Whether its times can be read here; else it does not run."""
        return times.readable(self.expression, self.next_at)


@dataclass(frozen=True, slots=True)
class Troubled:
    """A tenant's plugin whose deliveries rest after failures. `trouble`: the one that opened the breaker."""

    schema: str
    plugin: str
    since: datetime
    trouble: str


@dataclass(frozen=True, slots=True)
class Wakes:
    """Wake-ups that no worker has taken up. `lag`: how long the oldest has waited."""

    count: int
    lag: timedelta | None


def lanes() -> list[LaneCount]:
    """By plugin; the platform's own work is that of `house.HOUSE`."""
    return [LaneCount(*row) for row in _rows(_LANES)]


def workers() -> list[WorkerSeen]:
    """The one that was seen last first."""
    return [WorkerSeen(*row) for row in _rows(_WORKERS, FRESH)]


def wakes() -> Wakes:
    """How many there are."""
    return Wakes(*_rows(_WAKES)[0])


def jobs() -> list[JobCount]:
    """By plugin, name and times: while a release is brought out, a job may have others in some organisations."""
    return [JobCount(*row) for row in _rows(_JOBS)]


def troubled(most: int) -> list[Troubled]:
    """Whose breaker has been open for longest."""
    return [Troubled(*row) for row in _rows(_TROUBLED, most)]


def _rows(sql: str, *params: Any) -> list[tuple[Any, ...]]:
    with public_scope(), connection.cursor() as cursor:
        cursor.execute(sql, params or None)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
