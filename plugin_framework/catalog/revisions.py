"""Moves revisions on, and reads them: a change commits together with its new number, so the next request anywhere sees it."""

from __future__ import annotations

from typing import Any

from django.db import connection

from plugin_framework.tenancy import Revisions, TenantRef, current_scope, current_tenant

# The number is drawn before the row is locked (Citus takes no function in DO UPDATE). Of two changes at once the later one may get the
# smaller; it is a new one all the same, and nobody asks which is greater.
_BUMP_TENANT = """
INSERT INTO public.catalog_tenantrevision AS t (tenant_schema, revision) VALUES (%s, nextval('public.catalog_revision_seq'))
ON CONFLICT (tenant_schema) DO UPDATE SET revision = excluded.revision RETURNING revision
"""
_BUMP_CATALOG = """
INSERT INTO public.catalog_catalogrevision AS c (id, revision) VALUES (1, nextval('public.catalog_revision_seq'))
ON CONFLICT (id) DO UPDATE SET revision = nextval('public.catalog_revision_seq') RETURNING revision
"""
_READ = """
SELECT coalesce((SELECT revision FROM public.catalog_tenantrevision WHERE tenant_schema = %s), 0),
       coalesce((SELECT revision FROM public.catalog_catalogrevision), 0)
"""
# What `read` asks, as a condition within another statement: true if they still are what was read.
UNCHANGED = """
coalesce((SELECT revision FROM public.catalog_tenantrevision WHERE tenant_schema = %(schema)s), 0) = %(plugins)s
AND coalesce((SELECT revision FROM public.catalog_catalogrevision), 0) = %(catalog)s
"""
CHANGED = "revisions_changed"  # in a scope's memo: this scope has changed what it was keyed by


def bump_tenant() -> int:
    """Give the current tenant's plugin set a new number, in the current transaction, and return it."""
    tenant = current_tenant()
    revision = _one(_BUMP_TENANT, [tenant.schema])
    _mark_changed(tenant)
    return revision


def bump_catalog() -> int:
    """Give the catalog a new number, in the current transaction, and return it."""
    revision = _one(_BUMP_CATALOG, [])
    _mark_changed()
    return revision


def read() -> Revisions:
    """The current tenant's revisions: as the request's one statement saw them, unless this scope has changed them since.

    A scope that changed them asks again at each use: whether its change will be committed or rolled back is not known yet.
    """
    scope = current_scope()
    if scope is not None and scope.revisions is not None and CHANGED not in scope.memo:
        return scope.revisions
    schema = current_tenant().schema
    with connection.cursor() as cursor:
        cursor.execute(_READ, [schema])
        revisions = Revisions(*cursor.fetchone())
    if scope is not None and not connection.in_atomic_block:
        scope.revisions = revisions
        scope.memo.pop(CHANGED, None)
    return revisions


def _one(sql: str, params: list[Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return int(cursor.fetchone()[0])


def _mark_changed(tenant: TenantRef | None = None) -> None:
    """Let this scope ask anew, and those around it that it concerns: a request goes on in its own after one within has ended."""
    scope = current_scope()
    while scope is not None:
        if tenant is None or (scope.tenant is not None and scope.tenant.schema == tenant.schema):
            scope.memo[CHANGED] = True
        scope = scope.outer
