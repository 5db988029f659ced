"""Finds out whether a tenant's schema still has its tables, when a query has not found one."""

from __future__ import annotations

from django.apps import apps
from django.db import connection
from django.db.models import Model

from plugin_framework.db.migrator import tenant_labels
from plugin_framework.models import PluginState
from plugin_framework.tenancy import current_tenant

_TABLES = "SELECT tablename::text FROM pg_tables WHERE schemaname = %s"


def missing_tables() -> list[str]:
    """Those that the current tenant should have and has not: of its own apps, and of the plugins that it has installed."""
    with connection.cursor() as cursor:
        cursor.execute(_TABLES, [current_tenant().schema])
        there = {name for (name,) in cursor.fetchall()}
    wanted = {model._meta.db_table for label in tenant_labels() for model in _models(label)}
    if PluginState._meta.db_table in there:
        wanted |= {name for tables in PluginState.objects.values_list("tables", flat=True) for name in tables}
    return sorted(wanted - there)


def _models(label: str) -> list[type[Model]]:
    found = apps.get_app_config(label).get_models(include_auto_created=True)
    return [model for model in found if model._meta.managed and not model._meta.proxy]
