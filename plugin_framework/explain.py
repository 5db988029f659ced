"""Says why a plugin's handler runs or does not, from the very functions that decide it."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass

from plugin_framework import activation
from plugin_framework.delivery import breaker
from plugin_framework.delivery.breaker import Rest
from plugin_framework.gate import Reason
from plugin_framework.models import PluginState
from plugin_framework.registry import registry
from plugin_framework.sdk import UnknownHook


@dataclass(frozen=True, slots=True)
class Explained:
    """One handler of a hook, as the current tenant has it. `runs`: it is called, in this order among those that run."""

    plugin: str
    handler: str
    runs: bool
    reason: str
    text: str


def explain(hook: str) -> list[Explained]:
    """All handlers of `hook` in the order in which they would run, and why each one runs or does not for the current tenant.

    Raises:
        UnknownHook: nobody declares it; the text has the nearest names. NoTenant: outside of a tenant.
    """
    if hook not in registry.points:
        near = difflib.get_close_matches(hook, registry.points, cutoff=0.4)
        advice = f" Did you mean {', '.join(near)}?" if near else ""
        raise UnknownHook(f"Nobody declares the hook {hook!r}.{advice}")
    active = activation.current()
    found = []
    for spec in registry.specs.values():
        for handler in spec.handlers:
            if handler.hook == hook:
                decision = active.decision(spec.name)
                runs = active.find(spec.name, handler.method, hook) is not None
                found.append(Explained(spec.name, handler.method, runs, decision.reason.value, decision.text))
    return found


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a plugin that somebody should look at. `remedy`: what to do."""

    plugin: str
    text: str
    remedy: str


_REMEDY = {
    Reason.QUARANTINED: "Mend the plugin, or remove it from PLUGINS; then restart.",
    Reason.MISSING: "Install the package again, or disable the plugin for this organisation.",
    Reason.WITHDRAWN: "The platform has withdrawn it: offer it again, or disable it.",
    Reason.NOT_OFFERED: "The platform does not offer it here: grant it, or disable it.",
    Reason.DEPENDENCY: "Mend what it needs first.",
    Reason.NEEDS_SETUP: "Open its settings page and correct what is marked.",
    Reason.PAUSED: "It runs again by itself; its page has a button that resumes it at once.",
    Reason.UPDATING: "Run migrate_tenants for this organisation, and restart the processes that have older code.",
    Reason.FAILED_TO_START: "Read the log; it is tried again every half minute.",
}


def installed_findings() -> Iterator[Finding]:
    """What is wrong with the installed plugins, whoever has enabled them."""
    for name, why in registry.quarantine.items():
        yield Finding(name, f"Quarantined: {why}", _REMEDY[Reason.QUARANTINED])
    for spec, handler in registry.idle_handlers():
        text = f"{handler.method} handles {handler.hook!r}, which nobody declares."
        yield Finding(spec.name, text, "Correct the hook's name, or install the plugin that declares it.")


def tenant_findings() -> Iterator[Finding]:
    """What the current tenant has enabled and does not run, or whose deliveries rest, and why."""
    active, rests = activation.current(), breaker.rests()
    for name in PluginState.objects.filter(enabled=True).order_by("plugin").values_list("plugin", flat=True):
        decision = active.decision(name)
        if not decision.runs:
            yield Finding(name, decision.text, _REMEDY.get(decision.reason, ""))
        elif rest := rests.get(name):
            yield _resting(name, rest)


def _resting(name: str, rest: Rest) -> Finding:
    if rest.paused_by:
        return Finding(name, f"Its deliveries are paused by {rest.paused_by}.", f"plugins resume --plugin {name}")
    remedy = f"A few are tried every few minutes; correct its settings, or try at once: plugins resume --plugin {name}"
    return Finding(name, f"Its deliveries do not arrive, so they are paused: {rest.trouble}", remedy)
