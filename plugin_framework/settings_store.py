"""Reads and writes a tenant's settings of a plugin: one row per key, secrets sealed, the platform's defaults underneath."""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings

from plugin_framework.config import Checked, ConfigSchema
from plugin_framework.models import PluginSetting
from plugin_framework.registry import PluginSpec
from plugin_framework.sdk import ConfigurablePlugin, PluginInterface
from plugin_framework.secrets import SecretBox, SecretUnreadable
from plugin_framework.tenancy import current_tenant

log = logging.getLogger(__name__)
SEALED = "$sealed"
type Path = tuple[str, ...]
type Config = dict[str, Any]


class Unreadable(ValueError):
    """A stored secret cannot be opened any more. Enter it again on the plugin's settings page."""


def box() -> SecretBox:
    """The installation's keys; newest first."""
    return SecretBox(tuple(settings.SECRETS_KEYS))


def stored(plugin: str) -> Config:
    """The tenant's own settings of `plugin`, secrets still sealed."""
    return stored_for([plugin]).get(plugin, {})


def stored_for(plugins: Iterable[str]) -> dict[str, Config]:
    """The tenant's own settings of several plugins, in one query; secrets still sealed."""
    found: dict[str, Config] = {}
    for name, key, value in PluginSetting.objects.filter(plugin_name__in=plugins).values_list(
        "plugin_name", "key", "value"
    ):
        found.setdefault(name, {})[key] = value
    return found


def write(plugin: str, config: Mapping[str, Any]) -> None:
    """Replace the tenant's settings of `plugin`; secrets in `config` must be sealed already."""
    PluginSetting.objects.filter(plugin_name=plugin).exclude(key__in=config).delete()
    for key, value in config.items():
        PluginSetting.objects.update_or_create(plugin_name=plugin, key=key, defaults={"value": value})


def effective(spec: PluginSpec, own: Mapping[str, Any]) -> Checked:
    """What the plugin is given: the tenant's settings over the platform's, secrets opened, defaults applied, all checked.

    Raises:
        Unreadable: a stored secret cannot be opened.
    """
    opened = open_secrets(spec.schema, spec.name, own)
    return spec.schema.validate(over_defaults(spec, opened))


def over_defaults(spec: PluginSpec, own: Mapping[str, Any]) -> Config:
    """`own` over the platform's defaults; a platform's secret is left out where the tenant changed where it would go."""
    merged = _merge(spec.defaults, own)
    for path in spec.schema.secret_paths:
        if get(own, path) is None and get(spec.defaults, path) is not None:
            bound = spec.schema.bound_fields(path)
            if any(get(merged, field) != get(spec.defaults, field) for field in bound):
                drop(merged, path)
    return merged


def problems(spec: PluginSpec, plugin: PluginInterface, checked: Checked) -> list[str]:
    """All that is wrong with a configuration, the schema's findings first, as "field: message"."""
    found = [f"{'.'.join(map(str, error.path))}: {error.message}".lstrip(": ") for error in checked.errors]
    if not found and isinstance(plugin, ConfigurablePlugin):
        try:
            found = [str(message) for message in plugin.validate_config(copy.deepcopy(checked.config))]
        except Exception as error:  # a plugin's own check may raise anything; settings it cannot judge do not fit
            log.exception("validate_config() of %s failed", spec.name)
            found = [f"The plugin could not check these settings ({type(error).__name__})."]
    return found


def open_secrets(schema: ConfigSchema, plugin: str, config: Mapping[str, Any]) -> Config:
    """`config` with its secrets in the clear; keep the result away from pages, logs and rows."""
    opened = copy.deepcopy(dict(config))
    for path in schema.secret_paths:
        token = get(opened, path)
        if isinstance(token, dict) and SEALED in token:
            try:
                plain = box().open(token[SEALED], tenant=current_tenant().schema, plugin=plugin, field=".".join(path))
            except SecretUnreadable as error:
                raise Unreadable(f"{'.'.join(path)}: {Unreadable.__doc__}") from error
            put(opened, path, plain)
    return opened


def seal_secrets(schema: ConfigSchema, plugin: str, config: Mapping[str, Any]) -> Config:
    """`config` with its secrets sealed for the current tenant; values sealed before stay as they are."""
    sealed = copy.deepcopy(dict(config))
    for path in schema.secret_paths:
        plain = get(sealed, path)
        if isinstance(plain, str):
            token = box().seal(plain, tenant=current_tenant().schema, plugin=plugin, field=".".join(path))
            put(sealed, path, {SEALED: token})
    return sealed


def get(config: Mapping[str, Any], path: Iterable[str]) -> Any:
    """The value at `path`, or None."""
    value: Any = config
    for key in path:
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def put(config: Config, path: Path, value: Any) -> None:
    """Set the value at `path`, making the objects on the way."""
    for key in path[:-1]:
        config = config.setdefault(key, {})
    config[path[-1]] = value


def drop(config: Config, path: Path) -> None:
    """Remove the value at `path`, if it is there."""
    parent = get(config, path[:-1])
    if isinstance(parent, dict):
        parent.pop(path[-1], None)


def _merge(under: Mapping[str, Any], over: Mapping[str, Any]) -> Config:
    merged = copy.deepcopy(dict(under))
    for key, value in over.items():
        inner = merged.get(key)
        both = isinstance(inner, dict) and isinstance(value, Mapping) and SEALED not in value
        merged[key] = _merge(inner, value) if both and isinstance(inner, dict) else copy.deepcopy(value)
    return merged
