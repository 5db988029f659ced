"""Counts a page view with one statement; forgets what is too old."""

from __future__ import annotations

import random
from datetime import date

from django.db import connection

SHARDS = 8  # rows over which one page's count of a day is spread
MOST_FORGOTTEN = 1000  # rows deleted in one transaction
_COUNT = """
INSERT INTO usage_analytics_plugin_viewcount AS c (day, view, outcome, shard, views, total_ms, slowest_ms)
VALUES (%s, %s, %s, %s, 1, %s, %s)
ON CONFLICT (day, view, outcome, shard) DO UPDATE SET
    views = c.views + 1, total_ms = c.total_ms + excluded.total_ms, slowest_ms = greatest(c.slowest_ms, excluded.slowest_ms)
"""
_FORGET = """
DELETE FROM usage_analytics_plugin_viewcount
WHERE id IN (SELECT id FROM usage_analytics_plugin_viewcount WHERE day < %s LIMIT %s FOR UPDATE SKIP LOCKED)
"""


def count(view: str, outcome: int, milliseconds: int, *, on: date) -> None:
    """Count one view of the current tenant.

    Args:
        outcome: the hundreds of the answer's status.
        on: the day in the tenant's time zone.
    """
    shard = random.randrange(SHARDS)  # noqa: S311  # spreads load, keeps no secret
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [on, view[:150], outcome, shard, milliseconds, milliseconds])


def forget(before: date) -> int:
    """Delete the current tenant's counts of all days before `before`, some at a time; how many rows."""
    gone = 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute(_FORGET, [before, MOST_FORGOTTEN])
            deleted = int(cursor.rowcount)
            gone += deleted
            if deleted < MOST_FORGOTTEN:
                return gone
