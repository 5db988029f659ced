"""The lanes' SQL: claiming, renewing and releasing. Times are the database's; every write names its fence."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from plugin_framework.delivery import prepared
from plugin_framework.delivery.emit import notify

log = logging.getLogger(__name__)

# Nobody waits for a flush of the log when a lane changes hands. If the server dies and has forgotten, a lane is free that was claimed, or
# leased that was given back, which its lease ends; and no delivery has seen that claim's fence: whatever carries it was flushed after it.
UNFLUSHED = "(SELECT set_config('synchronous_commit', 'off', true) AS set) AS unflushed"
# Who runs a lane whose last attempt failed may die of it, or be stuck: that is for the child that is the least loss. Nobody is left alone.
SUSPECT = "(failures > 0 OR open_since IS NOT NULL)"
SUSPECTS_WAIT = 5.0  # seconds after which anybody takes one
# One row in any case, for `prepared.one`: an idle worker asks this all the time. `chosen` is a WITH query of its own because as a part of
# the join it is run again for each row wherever the planner, without statistics, thinks little of that: each time it takes another lane.
_CLAIM = f"""
WITH chosen AS MATERIALIZED (
    SELECT tenant_schema, plugin FROM public.delivery_lane
    WHERE next_at <= clock_timestamp() AND (leased_until IS NULL OR leased_until < clock_timestamp())
        AND (paused_until IS NULL OR paused_until <= clock_timestamp()) AND paused_by = ''
        AND (%(suspects)s::boolean OR NOT {SUSPECT}
            OR greatest(next_at, paused_until) <= clock_timestamp() - make_interval(secs => {SUSPECTS_WAIT}))
    ORDER BY next_at LIMIT 1 FOR UPDATE SKIP LOCKED),
claimed AS (
    UPDATE public.delivery_lane AS lane
    SET owner = %(owner)s, fence = nextval('public.delivery_fence_seq'),
        leased_until = clock_timestamp() + make_interval(secs => %(lease)s)
    FROM chosen
    WHERE lane.tenant_schema = chosen.tenant_schema AND lane.plugin = chosen.plugin
    RETURNING lane.tenant_schema, lane.plugin, lane.fence, lane.seq, lane.failures, lane.open_since IS NOT NULL, lane.over_quota)
SELECT claimed.* FROM {UNFLUSHED} LEFT JOIN claimed ON true
"""  # noqa: S608  # made of constants
# `seq` has moved on if a wake-up was folded in since the claim: its delivery may have been missed, so the lane is due at once.
# A lane with more to do goes to the end of the queue (`now`), not back to where its oldest delivery would put it.
_RELEASE = f"""
WITH released AS (
    UPDATE public.delivery_lane
    SET owner = '', leased_until = NULL, failures = %(failures)s::int, over_quota = %(over_quota)s, next_at = CASE
        WHEN seq <> %(seq)s THEN clock_timestamp()
        WHEN %(next_at)s::timestamptz IS NULL THEN NULL
        ELSE greatest(%(next_at)s::timestamptz, clock_timestamp()) END
    WHERE tenant_schema = %(schema)s AND plugin = %(plugin)s AND fence = %(fence)s RETURNING fence)
SELECT released.fence FROM {UNFLUSHED} LEFT JOIN released ON true
"""  # noqa: S608  # made of constants
_POSTPONE = """
UPDATE public.delivery_lane
SET owner = '', leased_until = NULL, failures = failures + %(failed)s, next_at = clock_timestamp()
    + CASE WHEN seq <> %(seq)s THEN interval '0' ELSE make_interval(secs => %(wait)s) END
WHERE tenant_schema = %(schema)s AND plugin = %(plugin)s AND fence = %(fence)s
"""
_DELETE = (
    "DELETE FROM public.delivery_lane WHERE tenant_schema = %(schema)s AND plugin = %(plugin)s AND fence = %(fence)s"
)
_RENEW = """
UPDATE public.delivery_lane SET leased_until = clock_timestamp() + make_interval(secs => %s)
WHERE owner = %s AND fence = ANY (%s::bigint[]) RETURNING fence
"""
_TAKE_OVER = """
UPDATE public.delivery_lane SET owner = '', leased_until = NULL
WHERE owner = ANY (%s::text[]) AND leased_until IS NOT NULL
"""
# In the order in which `_FOLD` locks them.
_HURRY = """
UPDATE public.delivery_lane AS lane SET next_at = clock_timestamp(), seq = lane.seq + 1
FROM (SELECT plugin FROM public.delivery_lane WHERE tenant_schema = %(schema)s AND next_at IS NOT NULL
      ORDER BY plugin FOR UPDATE) AS chosen
WHERE lane.tenant_schema = %(schema)s AND lane.plugin = chosen.plugin
"""
_HURRY_OVER_QUOTA = """
UPDATE public.delivery_lane AS lane SET next_at = clock_timestamp(), seq = lane.seq + 1
FROM (SELECT tenant_schema, plugin FROM public.delivery_lane
      WHERE over_quota AND next_at IS NOT NULL AND tenant_schema = ANY (%s::text[])
      ORDER BY tenant_schema, plugin FOR UPDATE) AS chosen
WHERE lane.tenant_schema = chosen.tenant_schema AND lane.plugin = chosen.plugin
"""


@dataclass(frozen=True, slots=True)
class Lane:
    """A claimed lane: whoever holds the newest fence holds it.

    Attributes:
        failures: attempts that have failed in a row. `open`: its breaker is; what runs now is a trial.
        over_quota: when it was last given back, deliveries of it had to wait for another day, or for another plan.
    """

    schema: str
    plugin: str
    fence: int
    seq: int
    failures: int = 0
    open: bool = False
    over_quota: bool = False


def claim(owner: str, lease: float, *, suspects: bool = True) -> Lane | None:
    """Claim the due lane that has waited longest, for `lease` seconds; None if none is due.

    Args:
        suspects: also one whose last attempt failed. Otherwise only one that nobody else has taken for `SUSPECTS_WAIT` seconds.
    """
    schema, *more = prepared.one(_CLAIM, {"owner": owner, "lease": lease, "suspects": suspects})
    return None if schema is None else Lane(schema, *more)


def release(lane: Lane, next_at: datetime | None, failures: int = 0, *, over_quota: bool = False) -> bool:
    """Give a lane back; it is due at `next_at`, or at once if something came in meanwhile. False: it was not ours any more.

    Args:
        failures: attempts that have failed in a row by now.
        over_quota: whether some of it waits because the day's deliveries are used up.
    """
    ours = {"schema": lane.schema, "plugin": lane.plugin, "fence": lane.fence, "seq": lane.seq}
    (fence,) = prepared.one(_RELEASE, {**ours, "next_at": next_at, "failures": failures, "over_quota": over_quota})
    return fence is not None


def postpone(lane: Lane, wait: float, failed: int = 0) -> bool:
    """Give a lane back for `wait` seconds (its tenant is suspended, say), or due at once if something came in meanwhile.

    Args:
        failed: attempts to add to those that have failed in a row.
    """
    return _write(_POSTPONE, lane, seq=lane.seq, wait=wait, failed=failed)


def drop(lane: Lane) -> bool:
    """Remove a lane whose tenant is gone."""
    return _write(_DELETE, lane)


def _write(sql: str, lane: Lane, **params: Any) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(sql, {"schema": lane.schema, "plugin": lane.plugin, "fence": lane.fence, **params})
        return bool(cursor.rowcount)


def renew(owner: str, fences: Sequence[int], lease: float) -> set[int]:
    """Prolong the leases of the lanes held under `fences`; the fences of those that still were ours."""
    with connection.cursor() as cursor:
        cursor.execute(_RENEW, [lease, owner, list(fences)])
        return {row[0] for row in cursor.fetchall()}


def take_over(owners: Sequence[str]) -> int:
    """End the leases of workers known to be dead; how many lanes that frees."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_OVER, [list(owners)])
        return int(cursor.rowcount)


def hurry(schema: str) -> None:
    """Make the lanes of `schema` due now, with the current transaction's commit: its tenant may work again."""
    with connection.cursor() as cursor:
        cursor.execute(_HURRY, {"schema": schema})
    notify()


def hurry_over_quota(schemas: Sequence[str]) -> None:
    """Make due, with the current transaction's commit, the lanes that wait for their tenant's next day: its plan has changed."""
    with connection.cursor() as cursor:
        cursor.execute(_HURRY_OVER_QUOTA, [list(schemas)])
        if cursor.rowcount:
            notify()
