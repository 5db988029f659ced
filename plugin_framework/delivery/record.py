"""How the deliveries of one plugin went lately, day by day and as of now; read in one statement, whatever their number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db import connection
from django.utils import timezone

DAYS = 7
MOST_READ = 20_000  # the latest deliveries; with more in a week, the page says that it counted no further back

# A delivery that arrived at once has no failed attempt, so the attempts of most are not looked at.
_READ = """
WITH recent AS MATERIALIZED (
    SELECT id, state, attempts, attempts_before, finished_at, next_at, created_at FROM plugin_framework_delivery
    WHERE plugin = %(plugin)s ORDER BY id DESC LIMIT %(most)s),
arrived AS (
    SELECT finished_at AS at, id FROM recent WHERE state = 'done' AND finished_at IS NOT NULL),
failed AS (
    SELECT attempt.started_at AS at, recent.id, attempt.error FROM recent
    JOIN plugin_framework_deliveryattempt AS attempt ON attempt.delivery_id = recent.id
    WHERE (recent.state <> 'done' OR recent.attempts > 1) AND attempt.outcome IN ('failed', 'killed'))
SELECT 'arrived', (at AT TIME ZONE %(zone)s)::date, count(*), NULL::timestamptz, NULL::bigint, ''
    FROM arrived WHERE at >= %(since)s GROUP BY 2
UNION ALL SELECT 'failed', (at AT TIME ZONE %(zone)s)::date, count(*), NULL, NULL, '' FROM failed WHERE at >= %(since)s GROUP BY 2
UNION ALL (SELECT 'last arrived', NULL, 1, at, id, '' FROM arrived ORDER BY at DESC, id DESC LIMIT 1)
UNION ALL (SELECT 'last failed', NULL, 1, at, id, error FROM failed ORDER BY at DESC, id DESC LIMIT 1)
UNION ALL SELECT 'given up', NULL, count(*), NULL, NULL, '' FROM recent WHERE state = 'dead' AND finished_at >= %(since)s
UNION ALL SELECT 'due', NULL, count(*), min(next_at) FILTER (WHERE attempts > attempts_before), NULL, '' FROM recent WHERE state = 'due'
UNION ALL SELECT 'read', NULL, count(*), min(created_at), NULL, '' FROM recent
"""


@dataclass(frozen=True, slots=True)
class Day:
    """One day: deliveries that arrived, and attempts that failed."""

    on: date
    arrived: int
    failed: int


@dataclass(frozen=True, slots=True)
class Moment:
    """The latest delivery that arrived, or the latest attempt that failed with its error."""

    at: datetime
    delivery: int
    error: str


@dataclass(frozen=True, slots=True)
class Record:
    """How the deliveries of a plugin went.

    Attributes:
        days: the last DAYS days, today last. `given_up`: deliveries of these days.
        waiting: how many are still to be delivered. `next_try`: when the first of those that failed is tried again.
        read_back_to: None if all of these days were read; else the moment before which nothing was counted.
    """

    days: tuple[Day, ...]
    last_arrived: Moment | None
    last_failed: Moment | None
    given_up: int
    waiting: int
    next_try: datetime | None
    read_back_to: datetime | None

    @property
    def to_come(self) -> datetime | None:
        """`next_try`; None also where that time has come, and the turn alone is waited for."""
        return self.next_try if self.next_try and self.next_try > timezone.now() else None

    @property
    def arrived(self) -> int:
        """In all of the days."""
        return sum(day.arrived for day in self.days)

    @property
    def failed(self) -> int:
        """In all of the days."""
        return sum(day.failed for day in self.days)


def of(plugin: str) -> Record:
    """The current tenant's deliveries to `plugin`, by days of the current time zone.

    Raises:
        NoTenant: outside of a tenant.
    """
    today = timezone.localdate()
    first = today - timedelta(days=DAYS - 1)
    since = timezone.make_aware(datetime.combine(first, datetime.min.time()))
    zone = timezone.get_current_timezone_name()
    with connection.cursor() as cursor:
        cursor.execute(_READ, {"plugin": plugin, "most": MOST_READ, "since": since, "zone": zone})
        rows = cursor.fetchall()
    by_day = {(kind, on): int(number) for kind, on, number, *_ in rows if on is not None}
    whole = {kind: (int(number), at, id_, error) for kind, on, number, at, id_, error in rows if on is None}
    read, oldest, *_ = whole["read"]
    return Record(
        days=tuple(_day(by_day, first + timedelta(days=number)) for number in range(DAYS)),
        last_arrived=_moment(whole, "last arrived"),
        last_failed=_moment(whole, "last failed"),
        given_up=whole["given up"][0],
        waiting=whole["due"][0],
        next_try=whole["due"][1],
        read_back_to=oldest if read == MOST_READ and oldest > since else None,
    )


def _day(by_day: Mapping[tuple[str, date], int], on: date) -> Day:
    return Day(on, by_day.get(("arrived", on), 0), by_day.get(("failed", on), 0))


def _moment(whole: Mapping[str, tuple[int, datetime, int, str]], kind: str) -> Moment | None:
    if kind not in whole:
        return None
    _, at, delivery, error = whole[kind]
    return Moment(at, delivery, error)
