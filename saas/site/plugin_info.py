"""A plugin as its pages show it: what it does and reaches, how it stands here, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from django.http import Http404

from plugin_framework import activation, lifecycle
from plugin_framework.catalog.models import Availability
from plugin_framework.catalog.offers import DEFAULT
from plugin_framework.delivery import breaker
from plugin_framework.delivery.breaker import Rest
from plugin_framework.gate import Reason
from plugin_framework.lifecycle import Status
from plugin_framework.models import PluginState
from plugin_framework.registry import PluginSpec, registry
from saas.site.names import has_address

type State = Literal["enabled", "attention", "available", "locked"]
STATES: dict[State, str] = {
    "enabled": "Enabled",
    "attention": "Needs attention",
    "available": "Available",
    "locked": "Not available",
}

_ADVICE = {
    Reason.QUARANTINED: "Nothing can be done here: the platform's staff sees the fault. Settings and data are kept.",
    Reason.MISSING: "Ask the platform whether it will come back, or disable it.",
    Reason.WITHDRAWN: "Settings and data are kept. It runs again as soon as the platform offers it again.",
    Reason.NOT_OFFERED: "If you need it, ask the platform to offer it to your organisation.",
    Reason.NOT_IN_PLAN: "It runs again as soon as your organisation has a plan that includes it. Ask the platform for one.",
    Reason.DISABLED: "Enable it to use it.",
    Reason.DEPENDENCY: "Put that right first; this plugin then runs by itself.",
    Reason.NEEDS_SETUP: "Complete its settings; it runs as soon as they are saved.",
    Reason.PAUSED: "Its settings and data are as they were. It runs again by itself, or at once if you resume it.",
    Reason.UPDATING: "This takes a few minutes at most. Its settings and data are kept, and so are its events.",
    Reason.FAILED_TO_START: "Check its settings. It is tried again every half minute.",
}


@dataclass(frozen=True, slots=True)
class HookInfo:
    """A hook point the plugin handles, and what it is told there."""

    name: str
    kind: str
    doc: str
    args: tuple[str, ...]
    idle: bool  # nobody declares it here: the plugin it belongs to is not installed


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A plugin that this one needs, or that needs it."""

    name: str
    title: str
    requirement: str  # "orders>=1.2", as the author wrote it
    installed: bool
    enabled: bool


@dataclass(frozen=True, slots=True)
class PluginInfo:
    """One plugin in the current organisation."""

    name: str
    title: str
    description: str
    details: str
    version: str
    category: str
    icon: str
    state: State
    state_label: str
    reason: str  # the gate's: runs, disabled, withdrawn, …
    reason_text: str
    advice: str
    enabled: bool
    runs: bool
    may_enable: bool
    may_purge: bool
    has_settings: bool
    can_check: bool
    hooks: tuple[HookInfo, ...]
    reads: tuple[str, ...]
    sends_to: tuple[str, ...]
    needs: tuple[Neighbour, ...]
    needed_by: tuple[Neighbour, ...]
    rest: Rest | None  # why its deliveries wait


def plugins() -> list[PluginInfo]:
    """All plugins that the current organisation may see, by title."""
    found = lifecycle.statuses()
    enabled = {each.name for each in found if each.enabled}
    ever = set(PluginState.objects.values_list("plugin", flat=True))
    shown = [each for each in found if has_address(each.name) and (each.name in ever or not _hidden(each.name))]
    rests = breaker.rests()
    return sorted(
        (describe(each, enabled, rests.get(each.name)) for each in shown),
        key=lambda info: (info.title.casefold(), info.name),
    )


def plugin(name: str) -> PluginInfo:
    """One plugin in the current organisation.

    Raises:
        Http404: there is none, or it is hidden from organisations that never had it.
    """
    ever = PluginState.objects.filter(plugin=name).exists()
    if not ever and (_hidden(name) or name not in {*registry.specs, *registry.quarantine}):
        raise Http404(f"There is no plugin {name!r} here.")
    enabled = set(PluginState.objects.filter(enabled=True).values_list("plugin", flat=True))
    return describe(lifecycle.status(name), enabled, breaker.rests().get(name))


def matching(infos: Iterable[PluginInfo], words: str, state: str) -> list[PluginInfo]:
    """Those of `infos` that contain all `words` and are in `state` (any, where it is none of `STATES`)."""
    wanted = words.casefold().split()
    found = [info for info in infos if all(word in _text(info) for word in wanted)]
    return [info for info in found if info.state == state] if state in STATES else found


def describe(status: Status, enabled: Iterable[str], rest: Rest | None = None) -> PluginInfo:
    """What the pages show of a plugin, whether its code is there or not."""
    spec, decision = status.spec, status.decision
    state = _state(status, rest)
    # The fault itself is for those who can mend it.
    return PluginInfo(
        name=status.name,
        title=spec.title if spec else title_of(status.name),
        description=spec.description if spec else "",
        details=spec.cls.details if spec else "",
        version=spec.version if spec else "",
        category=spec.cls.category if spec else "",
        icon=spec.cls.icon if spec else "plug",
        state=state,
        state_label=STATES[state],
        reason=decision.reason.value,
        reason_text="" if decision.reason in (Reason.RUNS, Reason.DISABLED) else decision.text,
        advice=_ADVICE.get(decision.reason, ""),
        enabled=status.enabled,
        runs=decision.runs,
        may_enable=decision.may_enable and not status.enabled,
        may_purge=status.had and not status.enabled,
        has_settings=has_settings(spec),
        can_check=spec is not None and spec.can_check,
        hooks=hooks_of(spec),
        reads=tuple(spec.cls.reads) if spec else (),
        sends_to=tuple(spec.cls.sends_to) if spec else (),
        needs=_needs(spec, set(enabled)),
        needed_by=tuple(_neighbour(each, each, set(enabled)) for each in dependants_of(status.name)),
        rest=rest if status.enabled else None,
    )


def has_settings(spec: PluginSpec | None) -> bool:
    """Whether there is anything to fill in; a plugin without a schema has one field for JSON."""
    return spec is not None and (spec.schema.free_form or bool(spec.schema.properties))


def hooks_of(spec: PluginSpec | None) -> tuple[HookInfo, ...]:
    """The hook points a plugin handles, each once, by name."""
    names = sorted({handler.hook for handler in spec.handlers}) if spec else []
    return tuple(_hook(name) for name in names)


def dependants_of(name: str) -> tuple[str, ...]:
    """The plugins that need `name`, directly or not."""
    return registry.dependants(name) if name in registry.specs else ()


def title_of(name: str) -> str:
    """What people read for a plugin, its code being there or not."""
    spec = registry.specs.get(name)
    return spec.title if spec else name.replace("_", " ").capitalize()


def _state(status: Status, rest: Rest | None) -> State:
    if status.decision.runs:
        return "attention" if rest else "enabled"
    if not status.decision.may_enable:
        return "locked"
    return "attention" if status.enabled else "available"


def _hidden(name: str) -> bool:
    return activation.current().facts.offers.get(name, DEFAULT).availability == Availability.HIDDEN


def _hook(name: str) -> HookInfo:
    point = registry.points.get(name)
    if point is None:
        return HookInfo(name, "", "Declared by a plugin that is not installed.", (), idle=True)
    return HookInfo(name, point.kind, point.doc, point.args, idle=False)


def _needs(spec: PluginSpec | None, enabled: set[str]) -> tuple[Neighbour, ...]:
    return tuple(_neighbour(each.name, str(each), enabled) for each in spec.requires) if spec else ()


def _neighbour(name: str, requirement: str, enabled: set[str]) -> Neighbour:
    return Neighbour(name, title_of(name), requirement, name in registry.specs, name in enabled)


def _text(info: PluginInfo) -> str:
    return " ".join((info.name, info.title, info.description, info.category)).casefold()
