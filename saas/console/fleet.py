"""Looks into many tenants' schemas at once, in bounded steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import OuterRef, QuerySet, Subquery

from plugin_framework.tenancy import TenantRef, public_scope
from plugin_framework.tenant_record import HAS_TABLES
from saas.console import adoption
from tenants import wholeness
from tenants.models import PLATFORM_SCHEMA, Domain, State, Tenant
from tenants.wholeness import Condition

_NEWEST = f"""
SELECT name, {HAS_TABLES}, total FROM (
    SELECT schema_name AS name, count(*) OVER () AS total FROM public.tenants_tenant
    WHERE schema_name <> %s AND state <> %s ORDER BY id DESC LIMIT %s) AS newest
"""  # noqa: S608  # constants
_WITHOUT_TABLES = f"""
SELECT name FROM (SELECT slug, schema_name AS name FROM public.tenants_tenant WHERE schema_name <> %s AND state <> %s) AS each
WHERE NOT ({HAS_TABLES}) ORDER BY slug LIMIT %s
"""  # noqa: S608  # constants


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest organisations: the schemas of those that have their tables; how many were looked at, and how many there are."""

    schemas: tuple[str, ...]
    looked_at: int
    total: int


def newest(most: int) -> Newest:
    """The newest `most` organisations that are not still being set up, in one statement."""
    with public_scope(), connection.cursor() as cursor:
        cursor.execute(_NEWEST, [PLATFORM_SCHEMA, State.PROVISIONING.value, most])
        found = cursor.fetchall()
    return Newest(tuple(name for name, whole, _ in found if whole), len(found), found[0][2] if found else 0)


def lost(most: int) -> list[TenantRef]:
    """The first organisations whose tables are gone, by short name; in one statement, and a few more for each that is found."""
    with public_scope(), connection.cursor() as cursor:
        cursor.execute(_WITHOUT_TABLES, [PLATFORM_SCHEMA, State.PROVISIONING.value, most])
        found = [name for (name,) in cursor.fetchall()]
    refs = everyone(found) if found else []
    return [ref for ref in refs if wholeness.condition(ref) is Condition.LOST]


def having(plugin: str) -> list[TenantRef]:
    """All tenants in which `plugin` is enabled, suspended ones included; without those whose schema is lost or just being dropped.

    Looks into every schema: for changes, not for pages.
    """
    refs = {ref.schema: ref for ref in everyone()}
    return [refs[schema] for schema, _ in adoption.enabled(list(refs), plugin)]


def everyone(schemas: Sequence[str] | None = None) -> list[TenantRef]:
    """All tenants that have their schema, but the platform's own; or those of `schemas`. One query."""
    primary = Domain.objects.filter(tenant=OuterRef("pk"), is_primary=True).values("domain")[:1]
    with public_scope():
        rows = _with_schema().annotate(host=Subquery(primary))
        if schemas is not None:
            rows = rows.filter(schema_name__in=schemas)
        return [row.ref(row.host or "") for row in rows]


def _with_schema() -> QuerySet[Tenant]:
    rows: QuerySet[Tenant] = Tenant.objects.exclude(schema_name=PLATFORM_SCHEMA).exclude(state=State.PROVISIONING)
    return rows
