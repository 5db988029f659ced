"""Looks into many tenants' schemas at once, in bounded steps."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import OuterRef, QuerySet, Subquery

from plugin_framework.tenancy import TenantRef, public_scope
from saas.console import adoption
from tenants.models import PLATFORM_SCHEMA, Domain, State, Tenant


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
