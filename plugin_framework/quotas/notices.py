"""Tells a tenant's admins, once a period, that a limit is near or reached, and counts what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from plugin_framework import metrics
from plugin_framework.delivery import house
from plugin_framework.metrics.names import REFUSED
from plugin_framework.models.quota import TODAY
from plugin_framework.quotas.kinds import NEAR, Kind, Level, QuotaExceeded, Usage

NOTICE = "quota_reached"  # the platform's work of telling them
FULL = 100
# What begins again each day is told of each day; what stays is told of once a month.
_PERIOD = {Kind.DELIVERIES: TODAY}
_MONTH = f"date_trunc('month', {TODAY})::date"
_TELL = """
INSERT INTO plugin_framework_quotause AS use (kind, period, told, told_limit) VALUES (%(kind)s, {period}, %(told)s, %(limit)s)
ON CONFLICT (kind, period) DO UPDATE SET told = excluded.told, told_limit = excluded.told_limit
WHERE use.told < excluded.told OR use.told_limit IS DISTINCT FROM excluded.told_limit
"""


def due(usage: Usage) -> int:
    """What the admins are to know: that NEAR or FULL per cent are used; 0: nothing."""
    if usage.level is Level.FINE:
        return 0
    return NEAR if usage.level is Level.NEAR else FULL


def tell(usage: Usage) -> bool:
    """Owe the current tenant's admins a mail with the current transaction, unless they have had it; whether it is owed now."""
    told = due(usage)
    if not told:
        return False
    params = {"kind": usage.kind.value, "told": told, "limit": usage.limit}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_TELL.format(period=_PERIOD.get(usage.kind, _MONTH)), params)
        if cursor.rowcount:
            house.owe(NOTICE, usage.kind.value, told)
        return bool(cursor.rowcount)


@contextmanager
def told_of_refusals() -> Iterator[None]:
    """Around the transaction that a limit may refuse: what was refused is undone, and is counted and told all the same."""
    try:
        yield
    except QuotaExceeded as refused:
        metrics.counted(REFUSED, refused.usage.kind.value)
        tell(refused.usage)
        raise
