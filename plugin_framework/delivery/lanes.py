"""The lanes' SQL: folding wake-ups in, claiming, renewing and releasing. Times are the database's; every write names its fence."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from plugin_framework.db import wear
from plugin_framework.delivery import prepared
from plugin_framework.delivery.emit import notify
from plugin_framework.delivery.rows import NOW_SECONDS, table

log = logging.getLogger(__name__)
FOLD_LIMIT = 2000  # wake-ups folded in one transaction
FORGET_AFTER = 7 * 86400.0  # seconds after which a wake-up whose delivery never appeared is dropped

# With whether its schema exists, and has its tables: that of a tenant that is being made, or removed, may not.
_PENDING = """
SELECT id, tenant_schema, plugin, delivery_id, to_regnamespace(quote_ident(tenant_schema)) IS NOT NULL,
    to_regclass(format('%%I.plugin_framework_delivery', tenant_schema)) IS NOT NULL
FROM public.delivery_wake WHERE look_at <= clock_timestamp() ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
"""
_VISIBLE = "SELECT id FROM {deliveries} WHERE id = ANY (%s::bigint[])"
_FOLD = """
WITH gone AS (DELETE FROM public.delivery_wake WHERE id = ANY (%s::bigint[]) RETURNING tenant_schema, plugin)
INSERT INTO public.delivery_lane AS lane (tenant_schema, plugin, next_at, seq)
SELECT tenant_schema, plugin, statement_timestamp(), 1 FROM gone GROUP BY 1, 2 ORDER BY 1, 2
ON CONFLICT (tenant_schema, plugin) DO UPDATE SET next_at = least(lane.next_at, excluded.next_at), seq = lane.seq + 1
"""
# What cannot be seen yet is looked at again after as long as it has waited already, at most a minute. Citus knows of wake-ups, as of
# deliveries: `rows` says what that asks of a statement. It does not know of lanes.
_LATER = f"""
UPDATE public.delivery_wake SET look_at = to_timestamp(({NOW_SECONDS}
    + least(greatest(extract(epoch FROM statement_timestamp() - written_at), 0.1), 60))::float8)
WHERE id = ANY (%s::bigint[])
"""  # noqa: S608  # made of constants
_FORGET = """
DELETE FROM public.delivery_wake
WHERE id = ANY (%s::bigint[]) AND written_at < statement_timestamp() - make_interval(secs => %s) RETURNING id
"""
_DROP_WAKES = "DELETE FROM public.delivery_wake WHERE id = ANY (%s::bigint[])"
# Nobody waits for a flush of the log when a lane changes hands. If the server dies and has forgotten, a lane is free that was claimed, or
# leased that was given back, which its lease ends; and no delivery has seen that claim's fence: whatever carries it was flushed after it.
UNFLUSHED = "(SELECT set_config('synchronous_commit', 'off', true) AS set) AS unflushed"
# One row in any case, for `prepared.one`: an idle worker asks this all the time. `chosen` is a WITH query of its own because as a part of
# the join it is run again for each row wherever the planner, without statistics, thinks little of that: each time it takes another lane.
_CLAIM = f"""
WITH chosen AS MATERIALIZED (
    SELECT tenant_schema, plugin FROM public.delivery_lane
    WHERE next_at <= clock_timestamp() AND (leased_until IS NULL OR leased_until < clock_timestamp())
        AND (paused_until IS NULL OR paused_until <= clock_timestamp()) AND paused_by = ''
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


def fold() -> int:
    """Fold pending wake-ups into their lanes; how many were looked at. Call in a transaction.

    A wake-up is deleted only once its delivery can be seen; one whose tenant is gone is deleted too.
    """
    with connection.cursor() as cursor:
        cursor.execute(_PENDING, [FOLD_LIMIT])
        wakes = cursor.fetchall()
        if not wakes:
            return 0
        seen = {(schema, delivery) for schema, ids in _by_schema(wakes).items() for delivery in _visible(schema, ids)}
        ready = [wake for wake, schema, _, delivery, *_ in wakes if (schema, delivery) in seen]
        unseen = [wake for wake, schema, _, delivery, exists, _ in wakes if exists and (schema, delivery) not in seen]
        orphans = [wake for wake, _, _, _, exists, _ in wakes if not exists]
        cursor.execute(_FOLD, [ready])
        if orphans:
            cursor.execute(_DROP_WAKES, [orphans])
        if unseen:
            _put_off(unseen)
    return len(wakes)


def _by_schema(wakes: Iterable[tuple[int, str, str, int, bool, bool]]) -> dict[str, set[int]]:
    """The deliveries to look for, in the schemas that have the table."""
    found: dict[str, set[int]] = {}
    for _, schema, _, delivery, _, has_table in wakes:
        if has_table:
            found.setdefault(schema, set()).add(delivery)
    return found


def _visible(schema: str, ids: set[int]) -> list[int]:
    wear.touch(schema)
    with connection.cursor() as cursor:
        cursor.execute(_VISIBLE.format(deliveries=table(schema)), [sorted(ids)])
        return [row[0] for row in cursor.fetchall()]


def _put_off(unseen: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, [unseen, FORGET_AFTER])
        for (wake,) in cursor.fetchall():
            log.warning("Dropped wake-up %s: its delivery has not appeared in a week, or was deleted meanwhile.", wake)
        cursor.execute(_LATER, [unseen])


def claim(owner: str, lease: float) -> Lane | None:
    """Claim the due lane that has waited longest, for `lease` seconds; None if none is due."""
    schema, *more = prepared.one(_CLAIM, {"owner": owner, "lease": lease})
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
