"""Finds out whether a tenant's schema still has its tables: before staff looks into it, and when a query has not found one."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from functools import cache

from django.apps import apps
from django.db import connection
from django.db.models import Model

from plugin_framework.db import recorded
from plugin_framework.db.migrator import tenant_labels
from plugin_framework.models import AuditEntry, PluginState
from plugin_framework.tenancy import TenantRef, current_tenant, public_scope
from plugin_framework.tenancy_directory import everyone

_TABLES = "SELECT tablename::text FROM pg_tables WHERE schemaname = %s"
# By name, which an index finds: among many tenants the catalog is large.
_LACKING = """
SELECT schema, name FROM unnest(%s::text[]) AS schema, unnest(%s::text[]) AS name WHERE to_regclass(format('%%I.%%I', schema, name)) IS NULL
"""
_HISTORY = "django_migrations"
LOOKED_AT = 20  # tenants that are not whole, of which it is found out why


class Condition(StrEnum):
    """How a tenant's schema stands."""

    WHOLE = "whole"
    BEHIND = "behind"  # tables are yet to come: the installed code is newer
    LOST = "lost"  # it, or some of its tables, was dropped


def condition(ref: TenantRef) -> Condition:
    """Whether `ref` has the tables that every tenant has; where one is missing, nothing inside can be shown or changed."""
    lacking = _lacking([ref.schema], _own_tables() | {_HISTORY}).get(ref.schema, set())
    if not lacking:
        return Condition.WHOLE
    return Condition.LOST if _HISTORY in lacking or recorded.is_ready(ref) else Condition.BEHIND


def whole(schemas: Collection[str]) -> frozenset[str]:
    """Those of `schemas` that have the tables that every tenant has."""
    return frozenset(schemas) - _lacking(schemas, _own_tables() | {_HISTORY}).keys()


def lost() -> list[TenantRef]:
    """The tenants that are not whole and not only behind, by slug: a statement for all, and a few more for each that is not whole.

    Of those at most `LOOKED_AT` are looked at: while a deploy waits for its migrations, that may be everybody.
    """
    refs = {entry.ref.schema: entry.ref for entry in everyone()}
    there = whole(refs)
    doubtful = [ref for schema, ref in refs.items() if schema not in there]
    return [ref for ref in doubtful[:LOOKED_AT] if condition(ref) is Condition.LOST]


def has_log(schema: str) -> bool:
    """Whether the tenant in `schema` has its audit log."""
    return not _lacking([schema], {AuditEntry._meta.db_table})


def _lacking(schemas: Collection[str], tables: Collection[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    with public_scope(), connection.cursor() as cursor:
        cursor.execute(_LACKING, [sorted(schemas), sorted(tables)])
        for schema, table in cursor.fetchall():
            found.setdefault(schema, set()).add(table)
    return found


def missing_tables() -> list[str]:
    """Those that the current tenant should have and has not: of its own apps, and of the plugins that it has installed."""
    with connection.cursor() as cursor:
        cursor.execute(_TABLES, [current_tenant().schema])
        there = {name for (name,) in cursor.fetchall()}
    wanted = set(_own_tables())
    if PluginState._meta.db_table in there:
        wanted |= {name for tables in PluginState.objects.values_list("tables", flat=True) for name in tables}
    return sorted(wanted - there)


@cache
def _own_tables() -> frozenset[str]:
    return frozenset(model._meta.db_table for label in tenant_labels() for model in _models(label))


def _models(label: str) -> list[type[Model]]:
    found = apps.get_app_config(label).get_models(include_auto_created=True)
    return [model for model in found if model._meta.managed and not model._meta.proxy]
