"""Reads all that a tenant's active set is made of, in one statement: which plugins are enabled, their settings, the tenant's plan.

With thousands of tenants most of them are not in a process's memory when they come, so this is part of many requests.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from psycopg import sql

from plugin_framework.catalog import plans
from plugin_framework.catalog.models import Plan
from plugin_framework.catalog.plans import PlanFacts
from plugin_framework.db import wear
from plugin_framework.settings_store import Config
from plugin_framework.tenancy import current_tenant, public_scope

_READ = """
WITH enabled AS (
    SELECT plugin, version, settings_revision, config_version, paused_until, paused_reason
    FROM {at}plugin_framework_pluginstate WHERE enabled)
SELECT (SELECT coalesce(jsonb_agg(enabled), '[]') FROM enabled),
    (SELECT coalesce(jsonb_agg(jsonb_build_array(setting.plugin_name, setting.key, setting.value)), '[]')
     FROM {at}plugin_framework_pluginsetting AS setting WHERE setting.plugin_name IN (SELECT plugin FROM enabled)),
    (SELECT coalesce(jsonb_agg(jsonb_build_array(app, name)), '[]') FROM {at}django_migrations WHERE app = ANY (%s)),
    (SELECT to_jsonb(plan) FROM public.catalog_tenantplan AS has JOIN public.catalog_plan AS plan ON plan.id = has.plan_id
     WHERE has.tenant_schema = %s)
"""
_OF_ONE = _READ.format(at="")
_SETTINGS = """
SELECT %s, coalesce((SELECT jsonb_agg(jsonb_build_array(plugin_name, key, value))
        FROM {at}plugin_framework_pluginsetting WHERE plugin_name = ANY (%s)), '[]'),
    coalesce((SELECT jsonb_object_agg(plugin, config_version) FROM {at}plugin_framework_pluginstate WHERE plugin = ANY (%s)), '{{}}')
"""
_REVISION = "coalesce((SELECT revision FROM public.catalog_tenantrevision WHERE tenant_schema = %s), 0)"
_OF_EACH = f"SELECT %s, {_REVISION}, record.* FROM ({_READ}) AS record"  # noqa: S608  # the schema's name is quoted by psycopg
HAS_TABLES = " AND ".join(  # a condition on `name`, a schema's; in a statement with parameters
    f"to_regclass(format('%%I.{table}', name)) IS NOT NULL"
    for table in (
        "django_migrations",
        "plugin_framework_pluginstate",
        "plugin_framework_pluginsetting",
        "plugin_framework_delivery",
    )
)
_WHOLE = f"SELECT name FROM unnest(%s::text[]) AS name WHERE {HAS_TABLES}"  # noqa: S608  # constants


@dataclass(frozen=True, slots=True)
class Enabled:
    """What is recorded of a plugin that the tenant has enabled. `paused_until`: None if it is not."""

    plugin: str
    version: str
    settings_revision: int
    config_version: int
    paused_until: datetime | None
    paused_reason: str


@dataclass(frozen=True, slots=True)
class TenantRecord:
    """What is stored of one tenant's plugins.

    Attributes:
        settings: its own, by plugin and key, secrets still sealed.
        migrations: those recorded of the plugins' apps, by app and name.
    """

    enabled: Mapping[str, Enabled]
    settings: Mapping[str, Config]
    migrations: frozenset[tuple[str, str]]
    plan: PlanFacts | None


def read(apps: Iterable[str]) -> TenantRecord:
    """The current tenant's.

    Args:
        apps: labels of the plugins' apps.

    Raises:
        NoTenant: outside of a tenant.
    """
    with connection.cursor() as cursor:
        cursor.execute(_OF_ONE, [sorted(apps), current_tenant().schema])
        return _record(*cursor.fetchone())


def having_tables(schemas: Sequence[str]) -> list[str]:
    """Those of `schemas` that have the tables that say what a tenant has: a statement that names others' would fail."""
    with public_scope(), connection.cursor() as cursor:
        cursor.execute(_WHOLE, [list(schemas)])
        return [name for (name,) in cursor.fetchall()]


def read_many(schemas: Sequence[str], apps: Iterable[str]) -> dict[str, tuple[int, TenantRecord]]:
    """The same of many tenants in two statements, each with its plugin revision; without those whose schema has not its tables.

    Args:
        schemas: a few dozen; each costs locks and planning time.
    """
    labels = sorted(apps)
    whole = having_tables(schemas)
    if not whole:
        return {}
    with public_scope(), connection.cursor() as cursor:
        parts = [
            sql.SQL(_OF_EACH).format(at=sql.SQL("{}.").format(sql.Identifier(schema))).as_string() for schema in whole
        ]
        cursor.execute(
            " UNION ALL ".join(f"({part})" for part in parts),
            [param for schema in whole for param in (schema, schema, labels, schema)],
        )
        found = cursor.fetchall()
    for schema in whole:
        wear.touch(schema)
    return {schema: (revision, _record(*record)) for schema, revision, *record in found}


def settings_of_many(schemas: Sequence[str], plugins: Iterable[str]) -> dict[str, dict[str, tuple[Config, int | None]]]:
    """What many tenants have saved for some plugins, enabled or not, by schema and plugin, with its config version; one statement.

    Args:
        schemas: a few dozen that have their tables. `plugins`: each is in the answer; one that a tenant never had is ({}, None) there.
    """
    names = sorted(plugins)
    if not schemas or not names:
        return {schema: {} for schema in schemas}
    with public_scope(), connection.cursor() as cursor:
        parts = [
            sql.SQL(_SETTINGS).format(at=sql.SQL("{}.").format(sql.Identifier(schema))).as_string()
            for schema in schemas
        ]
        cursor.execute(
            " UNION ALL ".join(f"({part})" for part in parts),
            [param for schema in schemas for param in (schema, names, names)],
        )
        found = cursor.fetchall()
    for schema in schemas:
        wear.touch(schema)
    return {schema: _settings(names, json.loads(rows), json.loads(versions)) for schema, rows, versions in found}


def _settings(
    plugins: Sequence[str], rows: Sequence[tuple[str, str, Any]], versions: Mapping[str, int]
) -> dict[str, tuple[Config, int | None]]:
    by_plugin: dict[str, Config] = {name: {} for name in plugins}
    for plugin, key, value in rows:
        by_plugin[plugin][key] = value
    return {name: (config, versions.get(name)) for name, config in by_plugin.items()}


def _record(enabled: str, settings: str, migrations: str, plan: str | None) -> TenantRecord:
    by_plugin: dict[str, Config] = {}
    for plugin, key, value in json.loads(settings):
        by_plugin.setdefault(plugin, {})[key] = value
    return TenantRecord(
        enabled={row["plugin"]: _enabled(**row) for row in json.loads(enabled)},
        settings=by_plugin,
        migrations=frozenset((app, name) for app, name in json.loads(migrations)),
        plan=plans.facts(Plan(**json.loads(plan))) if plan else None,
    )


def _enabled(*, paused_until: str | None, **row: Any) -> Enabled:
    return Enabled(**row, paused_until=datetime.fromisoformat(paused_until) if paused_until else None)
