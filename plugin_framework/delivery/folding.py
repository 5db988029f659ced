"""Folds wake-ups into their lanes. Times are the database's."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.db import connection, transaction

from plugin_framework.db import wear
from plugin_framework.delivery import prepared
from plugin_framework.delivery.lanes import SUSPECT, UNFLUSHED
from plugin_framework.delivery.rows import NOW_SECONDS, table

log = logging.getLogger(__name__)
FOLD_LIMIT = 2000  # wake-ups folded in one transaction
FORGET_AFTER = 7 * 86400.0  # seconds after which a wake-up whose delivery never appeared is dropped

# Wherever a wake-up can be seen its delivery can: they were written in one transaction. The lane of a tenant that is gone goes when it is
# claimed. A fold that is forgotten when the server dies leaves its wake-ups, so nobody waits for it to be flushed.
_FOLD_ALL = f"""
WITH pending AS MATERIALIZED (
    SELECT id FROM public.delivery_wake WHERE look_at <= clock_timestamp() ORDER BY id LIMIT %(most)s FOR UPDATE SKIP LOCKED),
gone AS (
    DELETE FROM public.delivery_wake AS wake USING pending WHERE wake.id = pending.id RETURNING wake.tenant_schema, wake.plugin),
folded AS (
    INSERT INTO public.delivery_lane AS lane (tenant_schema, plugin, next_at, seq)
    SELECT tenant_schema, plugin, statement_timestamp(), 1 FROM gone GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (tenant_schema, plugin) DO UPDATE SET next_at = least(lane.next_at, excluded.next_at), seq = lane.seq + 1
    RETURNING {SUSPECT} AS suspect)
SELECT count(gone.plugin), (SELECT count(*) FROM folded WHERE suspect) FROM {UNFLUSHED} LEFT JOIN gone ON true
"""  # noqa: S608  # made of constants
# On Citus they may lie on different servers, and the wake-up can be seen first.
# With whether its schema exists, and has its tables: that of a tenant that is being made, or removed, may not.
_PENDING = """
SELECT id, tenant_schema, plugin, delivery_id, to_regnamespace(quote_ident(tenant_schema)) IS NOT NULL,
    to_regclass(format('%%I.plugin_framework_delivery', tenant_schema)) IS NOT NULL
FROM public.delivery_wake WHERE look_at <= clock_timestamp() ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
"""
_VISIBLE = "SELECT id FROM {deliveries} WHERE id = ANY (%s::bigint[])"
_FOLD = f"""
WITH gone AS (DELETE FROM public.delivery_wake WHERE id = ANY (%s::bigint[]) RETURNING tenant_schema, plugin)
INSERT INTO public.delivery_lane AS lane (tenant_schema, plugin, next_at, seq)
SELECT tenant_schema, plugin, statement_timestamp(), 1 FROM gone GROUP BY 1, 2 ORDER BY 1, 2
ON CONFLICT (tenant_schema, plugin) DO UPDATE SET next_at = least(lane.next_at, excluded.next_at), seq = lane.seq + 1
RETURNING {SUSPECT}
"""  # noqa: S608  # made of constants
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


@dataclass(frozen=True, slots=True)
class Folded:
    """What a fold came to.

    Attributes:
        looked_at: wake-ups. `suspects`: lanes they went into whose last attempt failed.
    """

    looked_at: int = 0
    suspects: int = 0


def fold() -> Folded:
    """Fold pending wake-ups into their lanes."""
    if not settings.CITUS:
        return Folded(*prepared.one(_FOLD_ALL, {"most": FOLD_LIMIT}))
    with transaction.atomic():
        return _fold_what_can_be_seen()


def _fold_what_can_be_seen() -> Folded:
    """A wake-up is deleted only once its delivery can be seen; one whose tenant is gone is deleted too."""
    with connection.cursor() as cursor:
        cursor.execute(_PENDING, [FOLD_LIMIT])
        wakes = cursor.fetchall()
        if not wakes:
            return Folded()
        seen = {(schema, delivery) for schema, ids in _by_schema(wakes).items() for delivery in _visible(schema, ids)}
        ready = [wake for wake, schema, _, delivery, *_ in wakes if (schema, delivery) in seen]
        unseen = [wake for wake, schema, _, delivery, exists, _ in wakes if exists and (schema, delivery) not in seen]
        orphans = [wake for wake, _, _, _, exists, _ in wakes if not exists]
        cursor.execute(_FOLD, [ready])
        suspects = sum(row[0] for row in cursor.fetchall())
        if orphans:
            cursor.execute(_DROP_WAKES, [orphans])
        if unseen:
            _put_off(unseen)
    return Folded(len(wakes), suspects)


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
