"""Fills the registry at start-up, from the PLUGINS setting and from entry points; a plugin is loaded whole or quarantined."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from django.apps import AppConfig

from plugin_framework import rejections
from plugin_framework.app_guard import fault_of, said
from plugin_framework.app_guard.apps import plugin_configs
from plugin_framework.app_guard.leaving import leave_out
from plugin_framework.inspection import Rejected, check_signatures, inspect_plugin
from plugin_framework.points import CORE
from plugin_framework.registry import PluginSpec, Registry
from plugin_framework.sdk import HookPoint
from plugin_framework.sdk._calling import plugins_code
from plugin_framework.sdk._counts import Counted

ENTRY_POINTS = "tenantry.plugins"
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a plugin's class is to be found, and who says so: the PLUGINS setting, or an installed package."""

    name: str
    module: str
    cls: str
    defaults: Mapping[str, Any] = field(default_factory=dict)
    package: str = ""  # the distribution whose entry point it is; empty for the PLUGINS setting

    def __str__(self) -> str:
        where = f"{self.module}:{self.cls}"
        return rejections.OF_PACKAGE(source=where, package=self.package).english if self.package else where


def sources(plugins: Mapping[str, Mapping[str, Any]]) -> Iterator[Source]:
    """The plugins named by the PLUGINS setting, then those of installed packages."""
    for name, entry in plugins.items():
        yield Source(name, str(entry.get("module", "")), str(entry.get("class", "")), dict(entry.get("settings") or {}))
    found = [
        Source(point.name, point.module, point.attr, package=point.dist.name if point.dist else "")
        for point in entry_points(group=ENTRY_POINTS)
    ]
    yield from sorted(found, key=lambda source: (source.name, source.package, source.module, source.cls))


def load(registry: Registry, plugins: Mapping[str, Mapping[str, Any]]) -> None:
    """Load every plugin that is sound; quarantine the others with a sentence each. Never raises for a plugin's fault."""
    found: dict[str, PluginSpec] = {}
    for source in _settled(registry, list(sources(plugins))):
        try:
            with plugins_code():
                found[source.name] = _inspect(source)
        except Exception as error:  # noqa: BLE001  # a plugin may fail in any way; it is quarantined, not swallowed
            quarantine(registry, source.name, error)
    install(registry, found)


def _settled(registry: Registry, all_sources: Sequence[Source]) -> Iterator[Source]:
    """One source for each name. Of two packages that take the same name neither runs: one would be given the other's secrets.

    The PLUGINS setting decides for itself: it is the operator's word, and a package that takes such a name is the one to go.
    """
    by_name: dict[str, list[Source]] = {}
    for source in all_sources:
        by_name.setdefault(source.name, []).append(source)
    for name, (first, *others) in by_name.items():
        if others and first.package:
            number, packages = Counted(len(others) + 1), _listed([first, *others])
            text = rejections.SAME_NAME(number=number, name=repr(name), packages=packages).english
            quarantine(registry, name, Rejected(text))
            continue
        for other in others:
            if other.module.split(".")[0] != first.module.split(".")[0]:
                text = rejections.NAME_IN_SETTING(name=repr(name), other=other).english
                quarantine(registry, f"{name} ({other.package})", Rejected(text))
        yield first


def install(registry: Registry, found: Mapping[str, PluginSpec]) -> None:
    """Put `found` into the registry in dependency order, after what only the whole can tell: points, signatures, cycles."""
    candidates = dict(registry.specs) | dict(found)
    for why in (_clashing_points, _wrong_signatures, _cycles):
        for name, error in list(why(candidates)):
            del candidates[name]
            quarantine(registry, name, error)
    registry.points = _points(candidates)
    registry.specs = _in_order(candidates)


def guard_ready(registry: Registry) -> None:
    """Let the AppConfig.ready() of a plugin, which Django calls after this, fail for that plugin alone."""
    for config in plugin_configs():
        config.ready = _guarded_ready(registry, config, config.ready)  # type: ignore[method-assign]  # of this one instance


def _guarded_ready(registry: Registry, config: AppConfig, ready: Callable[[], None]) -> Callable[[], None]:
    def run() -> None:
        try:
            with plugins_code():
                ready()
        except Exception as error:  # noqa: BLE001  # a plugin's own code may raise anything
            failed = rejections.NOT_READY(config=type(config).__name__, app=config.name, error=said(error))
            why = failed.english
            leave_out(config, why, with_models=False)
            owners = [spec for spec in registry.specs.values() if fault_of(spec.cls.__module__)]
            for spec in owners:
                del registry.specs[spec.name]
                quarantine(registry, spec.name, Rejected(rejections.NOT_STARTED(plugin=spec.name, why=why).english))
            registry.points = _points(registry.specs)

    return run


def _inspect(source: Source) -> PluginSpec:
    if fault := fault_of(source.module):
        raise Rejected(rejections.NOT_LOADED(plugin=source.name, why=fault).english)
    try:
        with plugins_code():
            cls = getattr(import_module(source.module), source.cls)
    except Exception as error:  # a plugin's module may raise anything while it is imported
        raise Rejected(
            rejections.NOT_LOADED_FROM(plugin=source.name, source=source, error=said(error)).english
        ) from error
    spec = inspect_plugin(cls, source.defaults)
    if spec.name != source.name:
        raise Rejected(
            rejections.LISTED_OTHERWISE(source=source, name=repr(spec.name), listed=repr(source.name)).english
        )
    return spec


type Faults = Iterator[tuple[str, Rejected]]


def _clashing_points(candidates: Mapping[str, PluginSpec]) -> Faults:
    owners = {point.name: (point, rejections.THE_PLATFORM.text) for point in CORE}
    for spec in list(candidates.values()):
        for point in spec.cls.declares:
            known, owner = owners.setdefault(point.name, (point, spec.name))
            if known != point:
                text = rejections.SAME_POINT(plugin=spec.name, hook=repr(point.name), owner=owner)
                yield spec.name, Rejected(text.english)
                break


def _wrong_signatures(candidates: Mapping[str, PluginSpec]) -> Faults:
    points = _points(candidates)
    for spec in list(candidates.values()):
        try:
            check_signatures(spec, points)
        except Rejected as error:
            yield spec.name, error


def _cycles(candidates: Mapping[str, PluginSpec]) -> Faults:
    """The members of each cycle. Who merely needs one of them is loaded; the gate says why it does not run."""
    for name in candidates:
        if circle := _way_back(name, candidates):
            yield name, Rejected(rejections.CYCLE(plugin=name, circle=" → ".join(circle)).english)


def _way_back(name: str, candidates: Mapping[str, PluginSpec]) -> list[str]:
    """The shortest way from `name` along dependencies to itself; empty if there is none."""
    ways, seen = [[name]], set[str]()
    for way in ways:
        for requirement in candidates[way[-1]].requires:
            if requirement.name == name:
                return [*way, name]
            if requirement.name in candidates and requirement.name not in seen:
                seen.add(requirement.name)
                ways.append([*way, requirement.name])
    return []


def _points(candidates: Mapping[str, PluginSpec]) -> dict[str, HookPoint]:
    return {point.name: point for point in CORE} | {
        point.name: point for spec in candidates.values() for point in spec.cls.declares
    }


def _in_order(candidates: Mapping[str, PluginSpec]) -> dict[str, PluginSpec]:
    """By dependency, then priority, then name. A missing dependency is the gate's business."""
    ordered: dict[str, PluginSpec] = {}
    waiting = sorted(candidates.values(), key=lambda spec: (spec.cls.priority, spec.name))
    while waiting:
        ready = next(
            spec for spec in waiting if all(r.name in ordered or r.name not in candidates for r in spec.requires)
        )
        waiting.remove(ready)
        ordered[ready.name] = ready
    return ordered


def _listed(same: Sequence[Source]) -> str:
    return ", ".join(f"{each.package or each.module} ({each.module}:{each.cls})" for each in same)


def quarantine(registry: Registry, name: str, error: BaseException) -> None:
    """Keep a plugin from running, and keep the sentence that says why."""
    expected = isinstance(error, Rejected)
    unforeseen = rejections.FAILED(plugin=name, error=said(error)).english
    registry.quarantine[name] = str(error) if expected else unforeseen
    log.error("Plugin %s is quarantined: %s", name, registry.quarantine[name], exc_info=None if expected else error)
