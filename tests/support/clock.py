"""Lets time pass for the queue without waiting: all its moments move into the past. The database's clock runs on as it does."""

from __future__ import annotations

from django.db import connection

from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope

_MOMENTS = {
    "plugin_framework_delivery": ("created_at", "next_at", "started_at", "finished_at", "held_since"),
    "plugin_framework_deliveryattempt": ("started_at",),
}
_SHARED = {"delivery_lane": ("next_at", "leased_until", "paused_until"), "delivery_wake": ("written_at", "look_at")}


DAY = 86400.0


def pass_time(tenant: TenantRef, seconds: float) -> None:
    """It is `seconds` later now, for the deliveries of `tenant` and for all lanes; its days are those of whole days alone."""
    with tenant_scope(tenant):
        _move(_MOMENTS, seconds)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE plugin_framework_quotause SET period = period - %s::int", [seconds // DAY])
    with public_scope():
        _move({f"public.{table}": columns for table, columns in _SHARED.items()}, seconds)


def _move(tables: dict[str, tuple[str, ...]], seconds: float) -> None:
    with connection.cursor() as cursor:
        for table, columns in tables.items():
            sets = ", ".join(f"{column} = {column} - make_interval(secs => %(by)s)" for column in columns)
            cursor.execute(f"UPDATE {table} SET {sets}", {"by": seconds})
