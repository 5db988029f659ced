"""The plugins that are installed, for all tenants: classes and what was learnt of them, never a tenant's configuration."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Any

from django.utils.translation import gettext
from packaging.requirements import Requirement
from packaging.version import InvalidVersion, Version

from plugin_framework.config import ConfigSchema
from plugin_framework.points import CORE
from plugin_framework.sdk import HookPoint, PluginInterface
from plugin_framework.sdk._calling import plugins_code


@dataclass(frozen=True, slots=True)
class Handler:
    """One hook handler of a plugin's class."""

    hook: str
    method: str
    takes_more: bool  # whether it accepts what a variadic point passes behind the declared arguments


JOB_HOOK = "@schedule"  # stands where a hook's name does; nobody can emit it


@dataclass(frozen=True, slots=True)
class Job:
    """A method of a plugin's class that is called at certain times; `expression` as in cron(5), UTC."""

    method: str
    expression: str


@dataclass(frozen=True, slots=True)
class Release:
    """One entry of a plugin's changelog. `version` and `on` are empty where the author wrote one text for all."""

    version: str
    on: date | None
    text: str


@dataclass(frozen=True, slots=True)
class PluginSpec:
    """What is known of one installed plugin."""

    cls: type[PluginInterface]
    name: str
    version: str
    description: str
    requires: tuple[Requirement, ...]
    handlers: tuple[Handler, ...]
    schema: ConfigSchema
    defaults: Mapping[str, Any]  # the platform's, from the PLUGINS setting
    app_label: str | None  # its Django app with models, if it has one
    urls: tuple[Any, ...] = ()
    jobs: tuple[Job, ...] = ()
    changelog: tuple[Release, ...] = ()

    @property
    def title(self) -> str:
        """What people read; made from the name where the author gave none."""
        return self.cls.title or self.name.replace("_", " ").capitalize()

    @property
    def config_version(self) -> int:
        """Of the settings this code expects; older ones are brought to it by the plugin's `migrate_config`."""
        return self.cls.config_version

    @property
    def can_check(self) -> bool:
        """Whether "Test connection" has something to call."""
        return self.cls.check is not PluginInterface.check

    @property
    def log(self) -> logging.Logger:
        """As the plugin's own, also where there is no instance of it, or one that has put something else in its place."""
        return logging.getLogger(f"plugins.{self.name}")

    def new(self) -> PluginInterface:
        """A fresh, unconfigured instance."""
        with plugins_code():
            return self.cls()


@dataclass(slots=True)
class Registry:
    """All plugins by name, in the order in which their handlers run; what was rejected, and why; the hook points."""

    specs: dict[str, PluginSpec] = field(default_factory=dict)
    quarantine: dict[str, str] = field(default_factory=dict)
    points: dict[str, HookPoint] = field(default_factory=lambda: {point.name: point for point in CORE})

    @property
    def plugins(self) -> Mapping[str, PluginSpec]:
        """Read-only view of the loaded plugins."""
        return MappingProxyType(self.specs)

    def owner_of_app(self, label: str) -> PluginSpec | None:
        """The plugin whose Django app is `label`."""
        return next((spec for spec in self.specs.values() if spec.app_label == label), None)

    def requirements(self, name: str) -> tuple[str, ...]:
        """Names of all plugins that `name` needs, directly or not, in the order in which they must be enabled."""
        found: dict[str, None] = {}
        for requirement in self.specs[name].requires:
            if requirement.name in self.specs:
                found |= dict.fromkeys(self.requirements(requirement.name))
            found[requirement.name] = None
        return tuple(found)

    def dependants(self, name: str) -> tuple[str, ...]:
        """Names of all plugins that need `name`, directly or not."""
        return tuple(other for other in self.specs if name in self.requirements(other))

    def idle_handlers(self) -> tuple[tuple[PluginSpec, Handler], ...]:
        """Handlers of hook points that nobody declares: their plugin may be absent, so they are idle, not wrong."""
        return tuple(
            (spec, handler)
            for spec in self.specs.values()
            for handler in spec.handlers
            if handler.hook not in self.points
        )


def is_newer(version: str, other: str) -> bool:
    """Whether `version`, an installed plugin's, comes after `other`, which somebody may have written down by hand."""
    try:
        return Version(version) > Version(other)
    except InvalidVersion:
        return version != other


registry = Registry()


def title_of(name: str) -> str:
    """What people read for a plugin, in the current language; its name if its code is not there."""
    spec = registry.specs.get(name)
    return gettext(spec.title) if spec and spec.title.strip() else name
