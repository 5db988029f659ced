"""Reads all that a tenant's active set is made of, in one statement: which plugins are enabled, their settings, the tenant's plan.

With thousands of tenants most of them are not in a process's memory when they come, so this is part of many requests.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from plugin_framework.catalog import plans
from plugin_framework.catalog.models import Plan
from plugin_framework.catalog.plans import PlanFacts
from plugin_framework.settings_store import Config
from plugin_framework.tenancy import current_tenant

_READ = """
WITH enabled AS (
    SELECT plugin, settings_revision, config_version, paused_until, paused_reason FROM plugin_framework_pluginstate WHERE enabled)
SELECT (SELECT coalesce(jsonb_agg(enabled), '[]') FROM enabled),
    (SELECT coalesce(jsonb_agg(jsonb_build_array(setting.plugin_name, setting.key, setting.value)), '[]')
     FROM plugin_framework_pluginsetting AS setting WHERE setting.plugin_name IN (SELECT plugin FROM enabled)),
    (SELECT coalesce(jsonb_agg(jsonb_build_array(app, name)), '[]') FROM django_migrations WHERE app = ANY (%s)),
    (SELECT to_jsonb(plan) FROM public.catalog_tenantplan AS has JOIN public.catalog_plan AS plan ON plan.id = has.plan_id
     WHERE has.tenant_schema = %s)
"""


@dataclass(frozen=True, slots=True)
class Enabled:
    """What is recorded of a plugin that the tenant has enabled. `paused_until`: None if it is not."""

    plugin: str
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
        cursor.execute(_READ, [sorted(apps), current_tenant().schema])
        enabled, settings, migrations, plan = cursor.fetchone()
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
