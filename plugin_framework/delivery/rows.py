"""The deliveries' SQL: finding due ones, starting, finishing; `rows_held` has the rest. Every write is conditional on the lane's fence.

Tables are named with their schema, so nothing here depends on the current search_path.

Times are the database's, as of the moment in which a statement arrived there. Citus takes no volatile function (clock_timestamp,
random) where rows of a tenant are changed, and no function but an immutable one within CASE or COALESCE; adding to a time is not immutable
either. A statement that had to wait for a row writes a time that is older by that wait, and finds what became due meanwhile not due yet:
the lane is released for it, and the next slice takes it.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from plugin_framework.catalog.revisions import UNCHANGED
from plugin_framework.db import wear
from plugin_framework.delivery import prepared
from plugin_framework.delivery.outcome import Outcome
from plugin_framework.delivery.retry import MAX_ATTEMPTS
from plugin_framework.models.quota import TODAY
from plugin_framework.registry import JOB_HOOK
from plugin_framework.sdk._words import Phrase
from plugin_framework.tenancy import Revisions

_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}")
# Seconds since 1970: with these a time can be made from a row's own columns, as `to_timestamp` is immutable and "time + interval" is not.
NOW_SECONDS = "extract(epoch FROM statement_timestamp() - TIMESTAMPTZ 'epoch')"
_DUE = """
SELECT id, hook, handler, started_at IS NOT NULL AND finished_at IS NULL AS interrupted,
    held_since IS NOT NULL AND next_at > created_at AS held, attempts = attempts_before AS fresh FROM {deliveries}
WHERE plugin = %(plugin)s AND state = 'due' AND next_at <= statement_timestamp() ORDER BY next_at, id LIMIT %(limit)s
"""
_NEXT = "SELECT min(next_at) FROM {deliveries} WHERE plugin = %(plugin)s AND state = 'due'"
# Deliveries begun in a day, UTC. Where the plan sets a limit, each is counted in the statement that starts it: exact, also when its
# process is killed in the next moment. Elsewhere they are counted together with the last statement of a slice, at no cost.
_COUNT = f"""
INSERT INTO {{uses}} AS use (kind, period, used) VALUES ('deliveries', {TODAY}, %(begun)s)
ON CONFLICT (kind, period) DO UPDATE SET used = use.used + excluded.used
"""  # noqa: S608  # made of constants, here and below
_COUNT_AND_NEXT = f"WITH counted AS ({_COUNT}) {_NEXT}"
_BEGUN = f"SELECT coalesce(max(used), 0) FROM {{uses}} WHERE kind = 'deliveries' AND period = {TODAY}"  # noqa: S608
# The casts: as a prepared statement it would take a parameter that stands in two places for two types. Without a wait `next_at` stays as it
# is: what runs is due, and the greatest of it and NULL is itself.
_FINISHED = """finished AS (
    UPDATE {deliveries} SET state = %(state)s, finished_at = statement_timestamp(), duration_ms = %(duration_ms)s::int,
        last_error = %(error)s::text, response_status = %(response_status)s::smallint,
        next_at = greatest(least(next_at, statement_timestamp()), statement_timestamp() + make_interval(secs => %(wait)s::float8))
    WHERE id = %(id)s AND fence = %(fence)s AND state = 'due' AND started_at IS NOT NULL AND finished_at IS NULL
    RETURNING id, attempts, started_at, state, next_at),
attempt AS (
    INSERT INTO {attempts}
        (delivery_id, number, started_at, duration_ms, outcome, error, response_status, method, host, answer)
    SELECT id, attempts, started_at, %(duration_ms)s::int, %(attempt)s, %(error)s::text, %(response_status)s::smallint,
        %(method)s, %(host)s, %(answer)s FROM finished)"""
_STARTED = """started AS (
    UPDATE {deliveries} SET attempts = attempts + 1, fence = %(fence)s, started_at = statement_timestamp(), finished_at = NULL,
        held_since = NULL
    WHERE id = %(next)s AND state = 'due' AND fence <= %(fence)s AND next_at <= statement_timestamp()
    RETURNING id, event_id, hook, handler, payload, attempts, idempotency_key, attempts - attempts_before, sample)"""
_FINISH = f"WITH {_FINISHED} SELECT count(*) FROM finished"  # noqa: S608  # made of the constants above, here and below
# The statement sees the others as they were before it, and what it does itself in what it returns.
_NEXT_AFTER = """SELECT (SELECT count(*) FROM finished), least((SELECT next_at FROM finished WHERE state = 'due'),
    (SELECT min(next_at) FROM {deliveries} WHERE plugin = %(plugin)s AND state = 'due' AND id <> %(id)s))"""
_FINISH_AND_NEXT = f"WITH {_FINISHED} {_NEXT_AFTER}"
_FINISH_COUNT_AND_NEXT = f"WITH {_FINISHED}, counted AS ({_COUNT}) {_NEXT_AFTER}"
_START = f"WITH {_STARTED} SELECT started.* FROM started"  # noqa: S608
# The gate was asked with revisions that were read before; whether they have changed is seen in the moment in which it starts.
_GATE = f"gate AS (SELECT {UNCHANGED} AS unchanged)"
_START_IF = _STARTED.replace("RETURNING", "AND (SELECT unchanged FROM gate) RETURNING")
_START_GATED = f"WITH {_GATE}, {_START_IF} SELECT 0, gate.unchanged, started.* FROM gate LEFT JOIN started ON true"  # noqa: S608
_FINISH_AND_START = (
    f"WITH {_GATE}, {_FINISHED}, {_START_IF} SELECT (SELECT count(*) FROM finished), gate.unchanged, started.* "  # noqa: S608
    "FROM gate LEFT JOIN started ON true"
)
# At most %(limit)s begin in a day: of two lanes of a tenant that would begin the last one, the second waits for the first's commit, and
# sees that. `told`: up to which per cent of this limit the admins know.
_PLACE = """place AS (
    INSERT INTO {uses} AS use (kind, period, used) SELECT 'deliveries', gate.day, 1 FROM gate WHERE gate.unchanged
    ON CONFLICT (kind, period) DO UPDATE SET used = use.used + 1 WHERE use.used < %(limit)s::bigint
    RETURNING used, CASE WHEN told_limit = %(limit)s::bigint THEN told ELSE 0 END AS told)"""
_GATE_AND_DAY = f"gate AS (SELECT {UNCHANGED} AS unchanged, {TODAY} AS day)"
_START_IN_PLACE = _START_IF.replace("RETURNING", "AND EXISTS (SELECT FROM place) RETURNING")
_PLACED = "gate.unchanged, gate.day::text, place.used, place.told, started.* FROM gate LEFT JOIN place ON true LEFT JOIN started ON true"
_START_COUNTED = f"WITH {_GATE_AND_DAY}, {_PLACE}, {_START_IN_PLACE} SELECT 0, {_PLACED}"
_FINISH_AND_START_COUNTED = (
    f"WITH {_GATE_AND_DAY}, {_FINISHED}, {_PLACE}, {_START_IN_PLACE} SELECT (SELECT count(*) FROM finished), {_PLACED}"  # noqa: S608
)
_CUT_OFF = Phrase("The worker stopped before the attempt had ended; it may have been delivered.")
_INTERRUPTED = """
WITH lost AS (
    UPDATE {deliveries} SET fence = %(fence)s, finished_at = statement_timestamp(), last_error = %(error)s,
        state = CASE WHEN attempts - attempts_before >= %(most)s THEN 'dead' ELSE 'due' END
    WHERE id = %(id)s AND fence < %(fence)s AND state = 'due' AND started_at IS NOT NULL AND finished_at IS NULL
    RETURNING id, attempts, started_at, state)
, attempt AS (
    INSERT INTO {attempts} (delivery_id, number, started_at, outcome, error)
    SELECT id, attempts, started_at, 'interrupted', %(error)s FROM lost)
SELECT state FROM lost
"""
_LOOK = """
SELECT attempts - attempts_before, fence = %s AND started_at IS NOT NULL AND finished_at IS NULL,
    (extract(epoch FROM greatest(clock_timestamp(), started_at) - started_at) * 1000)::int, sample
FROM {deliveries} WHERE id = %s AND state = 'due'
"""


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery whose time has come.

    Attributes:
        interrupted: an earlier attempt was cut off together with its worker.
        held: its plugin did not run when it was last looked at.
        fresh: it has not been tried since it was emitted, or since an admin had it delivered again.
    """

    id: int
    hook: str
    handler: str
    interrupted: bool
    held: bool
    fresh: bool

    @property
    def counts(self) -> bool:
        """Whether it is one of the day's deliveries: trying one again is not, nor is a plugin's own job by the clock."""
        return self.fresh and self.hook != JOB_HOOK


@dataclass(frozen=True, slots=True)
class Started:
    """A delivery that is ours to run now."""

    id: int
    event_id: UUID
    hook: str
    handler: str
    payload: str  # as JSON; read where a failure to do so is the delivery's own
    attempt: int  # of all that were made
    key: UUID
    tried: int  # the attempt's number in the retry schedule, which begins anew when an admin has it delivered again
    sample: bool = False


@dataclass(frozen=True, slots=True)
class Finished:
    """A delivery that ran, and what came of it; not written yet."""

    id: int
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Next:
    """What `finish_and_start` did.

    Attributes:
        written: the outcome of the attempt before. False: a newer claim has that delivery, or it is written already.
        gate_holds: the revisions were still those. Else nothing was started, and the gate has to be asked again.
        started: None: also if it is not due any more, or a newer claim has it.
        place: where a limit was given: what the day looks like now.
    """

    written: bool
    gate_holds: bool
    started: Started | None
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A day's deliveries.

    Attributes:
        day: as in 2026-11-28, UTC. `used`: how many have begun with this one; None: it may not, the day's are used up.
        told: up to which per cent of the limit the admins know.
    """

    day: str
    used: int | None
    told: int


def table(schema: str, name: str = "delivery") -> str:
    """The quoted name of one of the engine's tables of a tenant: of deliveries, attempts (`deliveryattempt`), what is used (`quotause`).

    Raises:
        ValueError: `schema` cannot be a tenant's schema.
    """
    if not _SCHEMA.fullmatch(schema):
        raise ValueError(f"{schema!r} is not the name of a tenant's schema.")
    return f'"{schema}".plugin_framework_{name}'


def due(schema: str, plugin: str, limit: int) -> list[Due]:
    """Deliveries of the lane whose time has come, longest waiting first."""
    return [Due(*row) for row in _quick(schema, _DUE, {"plugin": plugin, "limit": limit})]


def next_due(schema: str, plugin: str, begun: int = 0) -> datetime | None:
    """When the lane's next delivery is due; None if none waits.

    Args:
        begun: deliveries to be added to the day's, which were not counted when they were started.
    """
    sql = _COUNT_AND_NEXT if begun else _NEXT
    found: datetime | None = _quick(schema, sql, {"plugin": plugin, "begun": begun})[0][0]
    return found


def finish_and_next(
    schema: str, plugin: str, finished: Finished, fence: int, begun: int = 0
) -> tuple[bool, datetime | None]:
    """`finish` and `next_due` in one commit and one round trip: the last statement of a slice."""
    sql = _FINISH_COUNT_AND_NEXT if begun else _FINISH_AND_NEXT
    written, next_at = _quick(schema, sql, {**_outcome(finished, fence), "plugin": plugin, "begun": begun})[0]
    return bool(written), next_at if written else next_due(schema, plugin)


def begun_today(schema: str) -> int:
    """How many of the tenant's deliveries have begun today, UTC."""
    return int(found_by(schema, _BEGUN, [])[0][0])


def count(schema: str, begun: int) -> None:
    """Add to the day's deliveries; less than 0: some were counted and did not begin after all."""
    change(schema, _COUNT, {"begun": begun})


def start(schema: str, delivery: int, fence: int) -> Started | None:
    """Count an attempt and make the delivery ours; None if it is not due any more or a newer claim has it."""
    found = _quick(schema, _START, {"next": delivery, "fence": fence})
    return Started(*found[0]) if found else None


def finish_and_start(
    schema: str, before: Finished | None, delivery: int, fence: int, gate: Revisions | None, limit: int | None = None
) -> Next:
    """Write what came of the attempt before and start the next delivery, in one commit and one round trip.

    Args:
        before: what has ended; None: nothing.
        gate: the revisions with which the gate let the delivery through; it starts only if they are still that. None: no gate.
        limit: how many may begin in a day. It starts only if this is one of them, and is counted. None: any number, and it is not.
    """
    if gate is None:
        return Next(finish(schema, before, fence) if before else False, True, start(schema, delivery, fence))
    params = {"schema": schema, "plugins": gate.plugins, "catalog": gate.catalog, "next": delivery, "limit": limit}
    if before is None:
        row = _quick(schema, _START_GATED if limit is None else _START_COUNTED, {**params, "fence": fence})[0]
    else:
        sql = _FINISH_AND_START if limit is None else _FINISH_AND_START_COUNTED
        row = prepared.one(_sql(schema, sql), {**_outcome(before, fence), **params})
    written, unchanged, *rest = row
    place = None if limit is None else Place(rest.pop(0), rest.pop(0), rest.pop(0) or 0)
    started = None if rest[0] is None else Started(*rest)
    if place is not None and place.used is not None and started is None:
        count(schema, -1)  # somebody else has it
    return Next(bool(written), unchanged, started, place)


def finish(schema: str, finished: Finished, fence: int) -> bool:
    """Write what came of an attempt. False: a newer claim has the delivery, or it is written already; nothing was changed."""
    return bool(_quick(schema, _FINISH, _outcome(finished, fence))[0][0])


def record_interrupted(schema: str, delivery: int, fence: int) -> str:
    """Write down that an earlier attempt was cut off together with its worker: "due" if the delivery may be tried again, "dead" if not.

    "" if a newer claim has it, and nothing was changed.
    """
    params = {"id": delivery, "fence": fence, "error": _CUT_OFF.text, "most": MAX_ATTEMPTS}
    rows = found_by(schema, _INTERRUPTED, params)
    return str(rows[0][0]) if rows else ""


def look(schema: str, delivery: int, fence: int) -> tuple[int, bool, int | None, bool] | None:
    """Attempts of the schedule so far, whether one is under way under `fence`, its milliseconds, whether the delivery is a sample.

    None if nothing is due to it any more.
    """
    rows = found_by(schema, _LOOK, [fence, delivery])
    found: tuple[int, bool, int | None, bool] | None = rows[0] if rows else None
    return found


def _outcome(finished: Finished, fence: int) -> dict[str, object]:
    outcome = finished.outcome
    return {
        "id": finished.id,
        "fence": fence,
        "state": outcome.state.value,
        "attempt": outcome.attempt.value,
        "error": outcome.error,
        "wait": outcome.wait,
        "duration_ms": outcome.duration_ms,
        "response_status": outcome.response_status,
        "method": outcome.exchange.method,
        "host": outcome.exchange.host,
        "answer": outcome.exchange.answer,
    }


@functools.lru_cache(maxsize=1024)
def _sql(schema: str, sql: str) -> str:
    named = {"{deliveries}": "delivery", "{attempts}": "deliveryattempt", "{uses}": "quotause"}
    for name, what in named.items():
        sql = sql.replace(name, table(schema, what))
    return sql


def _quick(schema: str, sql: str, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """As `found_by`, for what is asked for each delivery. Within a transaction, which only the cursors know how to begin, the same."""
    if connection.in_atomic_block:
        return found_by(schema, sql, params)
    wear.touch(schema)
    return prepared.rows(_sql(schema, sql), params)


def found_by(schema: str, sql: str, params: list[Any] | Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The rows of a statement in which the engine's tables of `schema` are named {deliveries}, {attempts}, {uses}."""
    with connection.cursor() as cursor:
        cursor.execute(_sql(schema, sql), params)
        found: list[tuple[Any, ...]] = cursor.fetchall()
        return found


def change(schema: str, sql: str, params: Mapping[str, Any]) -> int:
    """How many rows such a statement changed."""
    with connection.cursor() as cursor:
        cursor.execute(_sql(schema, sql), params)
        return int(cursor.rowcount)
