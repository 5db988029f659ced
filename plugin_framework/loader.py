"""Fills the registry at start-up, from the PLUGINS setting and from entry points; a plugin is loaded whole or quarantined."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from plugin_framework.inspection import Rejected, check_signatures, inspect_plugin
from plugin_framework.registry import PluginSpec, Registry

ENTRY_POINTS = "tenantry.plugins"
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a plugin's class is to be found."""

    name: str
    module: str
    cls: str
    defaults: Mapping[str, Any] = field(default_factory=dict)


def sources(plugins: Mapping[str, Mapping[str, Any]]) -> Iterator[Source]:
    """The plugins named by the PLUGINS setting, then those of installed packages that the setting does not name."""
    for name, entry in plugins.items():
        yield Source(name, str(entry.get("module", "")), str(entry.get("class", "")), dict(entry.get("settings") or {}))
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name):
        if point.name not in plugins:
            yield Source(point.name, point.module, point.attr)


def load(registry: Registry, plugins: Mapping[str, Mapping[str, Any]]) -> None:
    """Load every plugin that is sound; quarantine the others with a sentence each. Never raises for a plugin's fault."""
    found: dict[str, PluginSpec] = {}
    for source in sources(plugins):
        try:
            found[source.name] = _inspect(source, found)
        except Exception as error:  # noqa: BLE001  # a plugin may fail in any way; it is quarantined, not swallowed
            _quarantine(registry, source.name, error)
    install(registry, found)


def install(registry: Registry, found: Mapping[str, PluginSpec]) -> None:
    """Put `found` into the registry in dependency order, after what only the whole can tell: points, signatures, cycles."""
    candidates = dict(registry.specs) | dict(found)
    _declare(registry, candidates)
    for spec in list(candidates.values()):
        try:
            check_signatures(spec, registry.points)
        except Rejected as error:
            del candidates[spec.name]
            _quarantine(registry, spec.name, error)
    registry.specs = _in_order(registry, candidates)


def _inspect(source: Source, found: Mapping[str, PluginSpec]) -> PluginSpec:
    try:
        cls = getattr(import_module(source.module), source.cls)
    except Exception as error:  # a plugin's module may raise anything while it is imported
        raise Rejected(f"{source.name} cannot be loaded from {source.module}:{source.cls}: {error}") from error
    spec = inspect_plugin(cls, source.defaults)
    if spec.name != source.name:
        raise Rejected(f"{source.module}:{source.cls} calls itself {spec.name!r}, but is listed as {source.name!r}.")
    if spec.name in found:
        raise Rejected(f"Two plugins are called {spec.name!r}; rename one of them.")
    return spec


def _declare(registry: Registry, candidates: dict[str, PluginSpec]) -> None:
    for spec in list(candidates.values()):
        for point in spec.cls.declares:
            known = registry.points.get(point.name)
            if known is not None and known != point:
                candidates.pop(spec.name, None)
                _quarantine(
                    registry, spec.name, Rejected(f"{spec.name} declares {point.name!r}, which is declared already.")
                )
            else:
                registry.points[point.name] = point


def _in_order(registry: Registry, candidates: dict[str, PluginSpec]) -> dict[str, PluginSpec]:
    """By dependency, then priority, then name; members of a cycle are quarantined. A missing dependency is the gate's business."""
    ordered: dict[str, PluginSpec] = {}
    waiting = sorted(candidates.values(), key=lambda spec: (spec.cls.priority, spec.name))
    while waiting:
        ready = next(
            (spec for spec in waiting if all(r.name in ordered or r.name not in candidates for r in spec.requires)),
            None,
        )
        if ready is None:
            names = ", ".join(spec.name for spec in waiting)
            for spec in waiting:
                _quarantine(
                    registry, spec.name, Rejected(f"{spec.name} is part of a dependency cycle, or needs one: {names}.")
                )
            break
        waiting.remove(ready)
        ordered[ready.name] = ready
    return ordered


def _quarantine(registry: Registry, name: str, error: Exception) -> None:
    registry.quarantine[name] = str(error)
    log.error("Plugin %s is quarantined: %s", name, error, exc_info=None if isinstance(error, Rejected) else error)
