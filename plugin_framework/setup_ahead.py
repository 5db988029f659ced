"""What plugins that many tenants have not enabled yet would lack there, found before anybody enables them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from plugin_framework import layers, settings_store, shapes, tenant_record
from plugin_framework.activation import ActiveSet
from plugin_framework.catalog.offers import DEFAULT
from plugin_framework.registry import PluginSpec, registry
from plugin_framework.sdk import PluginInterface
from plugin_framework.sdk._calling import plugins_code
from plugin_framework.sdk._words import Sentence
from plugin_framework.settings_store import Config
from plugin_framework.tenancy import tenant_scope


def lacking(sets: Mapping[str, ActiveSet], plugins: Collection[str]) -> dict[tuple[str, str], Sentence]:
    """Why plugins would need setup if they were enabled now, by schema and plugin; without those that would run. One statement.

    Args:
        sets: the active sets of a few dozen tenants, by schema.
    """
    specs = [registry.specs[name] for name in plugins if name in registry.specs]
    saved = tenant_record.settings_of_many(list(sets), [spec.name for spec in specs])
    found: dict[tuple[str, str], Sentence] = {}
    for schema, active in sets.items():
        with tenant_scope(active.tenant, active.revisions):
            for spec in specs:
                config, version = saved[schema][spec.name]
                lacks = _lacks(spec, active, config, version)
                if lacks is not None:
                    found[schema, spec.name] = lacks
    return found


def _lacks(spec: PluginSpec, active: ActiveSet, saved: Config, version: int | None) -> Sentence | None:
    platform = layers.platform_of(spec, active.facts.offers.get(spec.name, DEFAULT))

    def judge() -> PluginInterface:
        with plugins_code():
            plugin = spec.new()
            plugin.tenant = active.tenant
            return plugin

    try:
        own = shapes.in_shape(spec, saved, spec.config_version if version is None else version, platform)
        checked = layers.effective(spec, own, platform)
    except shapes.Unfit as error:
        return error.words
    except settings_store.Unreadable as error:
        return spec.schema.sentence(error.found)
    wrong = layers.problems(spec, judge, checked)
    return spec.schema.sentence(wrong[0]) if wrong else None
