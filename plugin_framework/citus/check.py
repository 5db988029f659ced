"""Finds, in the migrations of tenants and plugins, what Citus would refuse: with `check --database default`, and `citus check`.

It renders the state of every migration, which takes about a second, and nothing of it happens at a start.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from plugin_framework.db.migrator import shared_labels, tenant_labels
from plugin_framework.registry import registry


@dataclass(frozen=True, slots=True)
class Finding:
    """Something in a migration that Citus would refuse, or that could not be read."""

    owner: str  # the plugin's name, or "" for the platform itself
    place: str  # "app.migration, operation"
    what: str
    remedy: str

    def __str__(self) -> str:
        who = f"The plugin {self.owner}" if self.owner else "The platform"
        return f"{who}: {self.place}: {self.what}."


def findings() -> list[Finding]:
    """What Citus would refuse in the migrations of all apps whose tables are in tenants' schemas."""
    from plugin_framework.citus.forbidden import broken_rules
    from plugin_framework.citus.migrations_sql import statements

    owners = {spec.app_label: name for name, spec in registry.specs.items() if spec.app_label}
    shared = _tables(shared_labels())
    found = {}
    for each in statements(tenant_labels() | set(owners)):
        place = f"{each.app}.{each.migration}, “{each.operation}”"
        owner = owners.get(each.app, "")
        if each.problem:
            found[place, each.problem] = Finding(owner, place, f"it could not be read ({each.problem})", _UNREAD)
        for rule in broken_rules(each.sql, shared):
            found[place, rule.name] = Finding(owner, place, f"it {rule.name}", rule.remedy)
    return list(found.values())


_UNREAD = "Let the operation make its SQL through the schema editor alone."


def _tables(labels: frozenset[str]) -> set[str]:
    models = [model for label in labels for model in apps.get_app_config(label).get_models(include_auto_created=True)]
    return {bare(model._meta.db_table) for model in models}


def bare(table: str) -> str:
    """A table's name without its schema: shared models name theirs, quoted."""
    return table.rpartition(".")[2].strip('"')


@register(Tags.database)
def citus_accepts_the_migrations(
    app_configs: Sequence[AppConfig] | None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """An error where CITUS is on; else a warning, because such a plugin would keep the installation from growing onto Citus."""
    kind, number = (Error, "tenantry.E002") if settings.CITUS else (Warning, "tenantry.W003")
    found = findings() if databases else []
    return [kind(f"{each} Citus would refuse it.", hint=each.remedy, id=number) for each in found]
