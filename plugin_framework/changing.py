"""What every change of a tenant's plugins has in common: one at a time, and what waited for it goes out."""

from __future__ import annotations

from django.db import connection

from plugin_framework import activation
from plugin_framework.delivery import emit
from plugin_framework.registry import PluginSpec, registry
from plugin_framework.sdk import NotAllowed, PluginInterface
from plugin_framework.tenancy import current_tenant


def lock_plugins() -> None:
    """One change of a tenant's plugins at a time; the others wait here, before they have read anything."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"plugins:{current_tenant().schema}"])


def spec_of(name: str) -> PluginSpec:
    """The loaded plugin `name`.

    Raises:
        NotAllowed: it is not installed, or quarantined.
    """
    spec = registry.specs.get(name)
    if spec is None:
        raise NotAllowed(activation.current().decision(name).text)
    return spec


def unstarted(spec: PluginSpec) -> PluginInterface:
    """An instance that knows its tenant but was not initialized: its settings may not be complete yet."""
    plugin = spec.new()
    plugin.tenant = current_tenant()
    plugin.settings = {}
    return plugin


def release_held(name: str) -> None:
    """What was held back until `name` runs is tried at once; whether it does run now is the gate's to say."""
    for each in (name, *dependants(name)):
        emit.release_held(each)


def dependants(name: str) -> tuple[str, ...]:
    """Names of all loaded plugins that need `name`, directly or not."""
    return registry.dependants(name) if name in registry.specs else ()
