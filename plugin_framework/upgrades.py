"""Saves the settings of tenants in the shape of newer plugin versions, on deploy; and says which do not fit, without saving."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import transaction

from plugin_framework import layers, settings_history, settings_store, shapes
from plugin_framework.audit import SYSTEM, Actor, record
from plugin_framework.catalog.revisions import bump_tenant
from plugin_framework.changing import lock_plugins
from plugin_framework.models import PluginState
from plugin_framework.registry import PluginSpec, registry
from plugin_framework.settings_store import Config


@dataclass(frozen=True, slots=True)
class Finding:
    """One plugin of one tenant whose settings are of an older version, or do not fit the installed one."""

    plugin: str
    saved: int  # config_version
    installed: int
    problem: str = ""  # why it needs setup; empty if it fits


def findings() -> list[Finding]:
    """What `upgrade` would find for the current tenant: a dry run."""
    return [finding for finding, _ in _findings()]


def upgrade(actor: Actor = SYSTEM) -> list[Finding]:
    """Save the current tenant's settings in the shape of the installed versions; those that do not fit stay as they are.

    Returns:
        What was upgraded, and what does not fit.
    """
    with transaction.atomic():
        found = list(_findings())
        if any(finding.saved < finding.installed for finding, _ in found):
            lock_plugins()
            found = list(_findings())
            for finding, config in found:
                if finding.saved < finding.installed and not finding.problem:
                    _save(finding, config, actor)
        return [finding for finding, _ in found]


def _findings() -> Iterator[tuple[Finding, Config]]:
    rows = [row for row in PluginState.objects.order_by("plugin") if row.plugin in registry.specs]
    stored = settings_store.stored_for([row.plugin for row in rows])
    for row in rows:
        spec = registry.specs[row.plugin]
        if row.config_version > spec.config_version:
            continue  # a newer version's: not ours to judge
        config, problem = _tried(spec, stored.get(row.plugin, {}), row.config_version)
        problem = problem if row.enabled or row.config_version < spec.config_version else ""
        if problem or row.config_version < spec.config_version:
            yield Finding(row.plugin, row.config_version, spec.config_version, problem), config


def _tried(spec: PluginSpec, stored: Config, version: int) -> tuple[Config, str]:
    """The settings in their new shape, and what is wrong with them."""
    platform = layers.platform_of(spec)
    try:
        config = shapes.in_shape(spec, stored, version, platform)
        found = layers.problems(spec, spec.new, layers.effective(spec, config, platform))
    except (shapes.Unfit, settings_store.Unreadable) as error:
        return stored, error.words.english
    return config, "; ".join(each.sentence.english for each in found)


def _save(finding: Finding, config: Config, actor: Actor) -> None:
    revision = bump_tenant()
    settings_store.write(finding.plugin, config)
    settings_history.add(registry.specs[finding.plugin], revision, actor, config)
    PluginState.objects.filter(plugin=finding.plugin).update(
        config_version=finding.installed, settings_revision=revision
    )
    detail = {"from": finding.saved, "to": finding.installed}
    record(actor, "plugin.settings_upgraded", finding.plugin, **detail)
