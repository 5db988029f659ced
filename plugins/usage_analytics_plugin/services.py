"""Counts a page view with one statement, and forgets what is too old."""

from __future__ import annotations

import random
from datetime import date, timedelta

from django.db import connection

SHARDS = 8  # rows over which one page's count of a day is spread
MOST_FORGOTTEN = 1000  # rows deleted at a time: somebody waits meanwhile
_COUNT = """
INSERT INTO usage_analytics_plugin_viewcount AS c (day, view, outcome, shard, views, total_ms, slowest_ms)
VALUES (%s, %s, %s, %s, 1, %s, %s)
ON CONFLICT (day, view, outcome, shard) DO UPDATE SET
    views = c.views + 1, total_ms = c.total_ms + excluded.total_ms, slowest_ms = greatest(c.slowest_ms, excluded.slowest_ms)
RETURNING views
"""
_FORGET = """
DELETE FROM usage_analytics_plugin_viewcount
WHERE id IN (SELECT id FROM usage_analytics_plugin_viewcount WHERE day < %s LIMIT %s FOR UPDATE SKIP LOCKED)
"""


def count(view: str, outcome: int, milliseconds: int, *, on: date, kept_days: int) -> None:
    """Count one view of the current tenant.

    Plugins have no jobs by the clock yet, so a new row, of which there are few a day, is the occasion to forget old ones.

    Args:
        outcome: the hundreds of the answer's status.
        on: the day in the tenant's time zone.
        kept_days: how many days before `on` are kept.
    """
    shard = random.randrange(SHARDS)  # noqa: S311  # spreads load, keeps no secret
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [on, view[:150], outcome, shard, milliseconds, milliseconds])
        if cursor.fetchone() == (1,):
            cursor.execute(_FORGET, [on - timedelta(days=kept_days), MOST_FORGOTTEN])
