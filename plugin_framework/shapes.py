"""Brings saved settings into the shape that the installed version of the plugin expects, in memory.

A process with new code never sees the old shape, whether the deploy has come to this tenant or not; one with old code goes on
with what is saved.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable
from typing import Any, cast

from plugin_framework import layers, settings_store
from plugin_framework.config.limits import problem_with
from plugin_framework.layers import PlatformSettings
from plugin_framework.models import PluginState
from plugin_framework.registry import PluginSpec
from plugin_framework.sdk import ConfigurablePlugin
from plugin_framework.sdk._calling import plugins_code
from plugin_framework.sdk._words import Phrase, Sentence
from plugin_framework.settings_store import Config, Opened, Path
from plugin_framework.tenancy import current_tenant

log = logging.getLogger(__name__)


_RAISED = Phrase(
    "Its settings, saved as of version %(saved)s, could not be brought to version %(installed)s (%(kind)s)."
)
_MADE = Phrase(
    "Its settings, saved as of version %(saved)s, could not be brought to version %(installed)s. %(problem)s"
)
_NO_OBJECT = Phrase(
    "Its settings, saved as of version %(saved)s, could not be brought to version %(installed)s: it made something else than an object."
)


class Unfit(ValueError):
    """Saved settings that could not be brought to the installed version; nothing was changed. `words`: what was the matter."""

    def __init__(self, words: Sentence) -> None:
        super().__init__(words)
        self.words = words


def stored_now(spec: PluginSpec) -> Config:
    """The current tenant's own settings in the shape of the installed version, secrets sealed; as saved where that cannot be done."""
    stored = settings_store.stored(spec.name)
    row = PluginState.objects.filter(plugin=spec.name).only("config_version").first()
    try:
        return in_shape(spec, stored, row.config_version if row else spec.config_version, layers.platform_of(spec))
    except Unfit:
        return stored  # the form shows it, and whoever saves that mends it


def in_shape(spec: PluginSpec, stored: Config, version: int, platform: PlatformSettings) -> Config:
    """`stored`, saved as of config version `version`, as the installed version wants it; secrets sealed in both.

    Raises:
        Unfit: the plugin's `migrate_config` raised, or returned what cannot be stored.
    """
    if version >= spec.config_version or not stored or not issubclass(spec.cls, ConfigurablePlugin):
        return stored
    versions = {"saved": version, "installed": spec.config_version}
    opened = settings_store.mapped(stored, (), _open(spec.name))
    try:
        with plugins_code():
            moved = cast(ConfigurablePlugin, spec.new()).migrate_config(copy.deepcopy(opened), version)
    except Exception as error:  # a plugin's own code may raise anything; the tenant's settings stay as they are
        log.exception("migrate_config() of %s failed", spec.name)
        raise Unfit(_RAISED(**versions, kind=type(error).__name__)) from error
    if not isinstance(moved, dict) or (problem := problem_with(moved)):
        raise Unfit(_MADE(**versions, problem=problem) if isinstance(moved, dict) else _NO_OBJECT(**versions))
    return _sealed(spec, moved, platform)


def _open(plugin: str) -> Callable[[Path, Any], Any]:
    tenant = current_tenant().schema

    def open_one(path: Path, value: Any) -> Any:
        try:
            return settings_store.opened(value, tenant=tenant, plugin=plugin, path=path)
        except settings_store.Unreadable:
            return value  # it stays sealed, and will be asked for again

    return open_one


def _sealed(spec: PluginSpec, config: Config, platform: PlatformSettings) -> Config:
    """Secrets sealed where they are now, also where none belongs; one that was moved keeps its destination."""
    tenant, merged = current_tenant().schema, layers.layered(spec, config, platform)

    def seal_one(path: Path, value: Any) -> Any:
        if not isinstance(value, Opened) and not (isinstance(value, str) and path in spec.schema.secret_paths):
            return value
        to = settings_store.meant_for(value)
        to = layers.destination(spec.schema, merged, path) if to is None else to
        return settings_store.sealed(value, tenant=tenant, plugin=spec.name, path=path, to=to)

    return dict(settings_store.mapped(config, (), seal_one))
