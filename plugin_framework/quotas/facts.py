"""How much a tenant may use, and how much it uses: the only place that says so.

Whoever owns the facts binds how they are found: the engine counts deliveries and bytes, `tenants.accounts` the people.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.db import connection
from django.utils import timezone

from plugin_framework.catalog.plans import Limits
from plugin_framework.models.quota import EVER, TODAY
from plugin_framework.quotas.kinds import Kind, Usage
from plugin_framework.tenancy import current_tenant

_PLAN = """
SELECT plan.name, plan.people, plan.deliveries, plan.storage FROM public.catalog_tenantplan AS has
JOIN public.catalog_plan AS plan ON plan.id = has.plan_id WHERE has.tenant_schema = %s
"""
_DELIVERIES = f"SELECT used FROM plugin_framework_quotause WHERE kind = 'deliveries' AND period = {TODAY}"  # noqa: S608  # constants
TABLES = """
SELECT coalesce(sum(pg_total_relation_size(oid)), 0)::bigint FROM pg_class
WHERE relnamespace = to_regnamespace(quote_ident(%s)) AND relkind IN ('r', 'm')
"""
_STORED = f"SELECT sum(used), bool_or(kind = 'tables') FROM plugin_framework_quotause WHERE kind IN ('files', 'tables') AND period = {EVER}"  # noqa: S608  # constants

type Measure = Callable[[], int]
_measures: dict[Kind, Measure] = {}


def bind(kind: Kind, measure: Measure) -> None:
    """Let `measure` say how much the current tenant uses; once, in an AppConfig's `ready`."""
    _measures[kind] = measure


def plan() -> tuple[str, Limits]:
    """The name of the current tenant's plan and its limits, as they are now; "" and none without a plan.

    Raises:
        NoTenant: outside of a tenant.
    """
    with connection.cursor() as cursor:
        cursor.execute(_PLAN, [current_tenant().schema])
        row = cursor.fetchone()
    return ("", Limits()) if row is None else (row[0], Limits(*row[1:]))


def usage(kind: Kind) -> Usage:
    """How much the current tenant uses of one kind."""
    name, limits = plan()
    return _usage(kind, name, limits)


def usages() -> list[Usage]:
    """The same of all kinds."""
    return usages_under(*plan())


def usages_under(name: str, limits: Limits) -> list[Usage]:
    """How much the current tenant uses of all kinds, beside the limits of the plan `name`, whether it has that or not."""
    return [_usage(kind, name, limits) for kind in Kind]


def lock(kind: Kind) -> None:
    """From here to the end of the transaction nobody else adds to this kind for the current tenant: look, then add."""
    with connection.cursor() as cursor:
        key = f"quota:{kind}:{current_tenant().schema}"
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])


def next_day() -> datetime:
    """When the day's deliveries begin again at nothing."""
    return (timezone.now().astimezone(UTC) + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)


def _usage(kind: Kind, name: str, limits: Limits) -> Usage:
    resets_at = next_day() if kind is Kind.DELIVERIES else None
    return Usage(kind, _measures[kind](), getattr(limits, kind.value), name, resets_at)


def _deliveries() -> int:
    return _number(_DELIVERIES)


def _stored() -> int:
    """Tables as they were measured last; those of a tenant that nobody has measured yet are looked at now, which is slow among many."""
    with connection.cursor() as cursor:
        cursor.execute(_STORED)
        used, measured = cursor.fetchone()
    return int(used or 0) + (0 if measured else _number(TABLES, current_tenant().schema))


def _number(sql: str, *params: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        row = cursor.fetchone()
        return int(row[0] or 0) if row else 0


bind(Kind.DELIVERIES, _deliveries)
bind(Kind.STORAGE, _stored)
