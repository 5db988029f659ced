"""Deletes deliveries that ended long ago, with their attempts: the tables stay small, and personal data does not stay for ever."""

from __future__ import annotations

from django.conf import settings
from django.db import connection, transaction

NIGHTLY, AT = "retention", "15 1 * * *"  # the platform's work, and when each tenant is owed it
MOST_A_NIGHT = 100_000  # the rest goes in the next ones
BATCH = 500  # deliveries deleted in one transaction, so that locks are held for milliseconds
# A row that an admin is just having delivered again is locked: it is passed over, and is not finished any more afterwards.
_SWEEP = """
WITH old AS (
    SELECT id FROM plugin_framework_delivery
    WHERE (state IN ('done', 'cancelled') AND coalesce(finished_at, created_at) < statement_timestamp() - make_interval(days => %(keep)s))
        OR (state = 'dead' AND coalesce(finished_at, created_at) < statement_timestamp() - make_interval(days => %(keep_dead)s))
    ORDER BY id LIMIT %(batch)s FOR UPDATE SKIP LOCKED),
attempts AS (DELETE FROM plugin_framework_deliveryattempt WHERE delivery_id IN (SELECT id FROM old))
DELETE FROM plugin_framework_delivery WHERE id IN (SELECT id FROM old)
"""


def nightly() -> None:
    """Every tenant's, by the clock."""
    sweep(MOST_A_NIGHT)


def sweep(limit: int) -> int:
    """Delete what the current tenant need not keep any more, oldest first; how many deliveries.

    Delivered and cancelled ones go DELIVERIES_KEEP_DAYS after they ended, given-up ones DEAD_DELIVERIES_KEEP_DAYS after. What is still
    to be delivered is never touched. Call it outside of a transaction: each batch commits by itself.

    Args:
        limit: the most that is deleted in this call; if that many are, call again.

    Raises:
        NoTenant: outside of a tenant.
    """
    gone = 0
    while gone < limit:
        size = min(BATCH, limit - gone)
        deleted = _batch(size)
        gone += deleted
        if deleted < size:
            break
    return gone


def _batch(size: int) -> int:
    days = {"keep": settings.DELIVERIES_KEEP_DAYS, "keep_dead": settings.DEAD_DELIVERIES_KEEP_DAYS}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_SWEEP, {"batch": size, **days})
        return int(cursor.rowcount)
