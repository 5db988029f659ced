"""Looks into many tenants' schemas at once, in bounded steps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched

from django.db import connection
from django.db.models import OuterRef, QuerySet, Subquery
from psycopg import sql

from plugin_framework.tenancy import TenantRef, public_scope
from tenants.models import PLATFORM_SCHEMA, Domain, State, Tenant

AT_ONCE = 200  # schemas in one statement: each costs locks and planning time
COUNTED = 2000  # schemas looked into for the numbers on a page
_ENABLED = sql.SQL(
    "SELECT {name}, plugin FROM {schema}.plugin_framework_pluginstate"
    " WHERE enabled AND (%(plugin)s::text IS NULL OR plugin = %(plugin)s)"
)


@dataclass(frozen=True, slots=True)
class Adoption:
    """In how many tenants each plugin is enabled."""

    counts: Mapping[str, int]
    looked_at: int  # tenants
    total: int  # tenants; more than `looked_at` in a large fleet

    @property
    def complete(self) -> bool:
        """Whether every tenant was counted."""
        return self.looked_at == self.total


def adoption() -> Adoption:
    """How many tenants have enabled what; in a large fleet, as counted in the oldest `COUNTED` tenants."""
    with public_scope():
        tenants = _with_schema().order_by("pk")
        total, schemas = tenants.count(), list(tenants.values_list("schema_name", flat=True)[:COUNTED])
    return Adoption(Counter(plugin for _, plugin in _enabled(schemas)), len(schemas), total)


def newest(most: int) -> list[str]:
    """Schemas of the newest organisations."""
    with public_scope():
        return list(_with_schema().order_by("-pk").values_list("schema_name", flat=True)[:most])


def count() -> int:
    """How many organisations have their schema."""
    with public_scope():
        return int(_with_schema().count())


def having(plugin: str) -> list[TenantRef]:
    """All tenants in which `plugin` is enabled, suspended ones included.

    Looks into every schema: for changes, not for pages.
    """
    refs = {ref.schema: ref for ref in everyone()}
    return [refs[schema] for schema, _ in _enabled(list(refs), plugin)]


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


def _enabled(schemas: Sequence[str], plugin: str | None = None) -> Iterator[tuple[str, str]]:
    """Pairs of schema and enabled plugin."""
    for some in batched(schemas, AT_ONCE):
        query = sql.SQL(" UNION ALL ").join(
            _ENABLED.format(name=schema, schema=sql.Identifier(schema)) for schema in some
        )
        with public_scope(), connection.cursor() as cursor:
            cursor.execute(query.as_string(), {"plugin": plugin})
            yield from cursor.fetchall()
