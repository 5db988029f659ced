"""Reads and writes a tenant's own settings of a plugin: one row per key, secrets sealed, each with where it may be sent."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.conf import settings

from plugin_framework import masking
from plugin_framework.config import ConfigSchema, FieldError
from plugin_framework.models import PluginSetting
from plugin_framework.sdk._words import Phrase
from plugin_framework.secrets import SecretBox, SecretUnreadable
from plugin_framework.tenancy import current_tenant

SEALED = "$sealed"
TO = "to"  # beside a sealed secret: a digest of the values it is bound to
type Path = tuple[str, ...]
type Config = dict[str, Any]


_LOST = Phrase("A stored secret cannot be opened any more. Enter it again on the plugin’s settings page.")


class Unreadable(ValueError):
    """A stored secret cannot be opened any more. Enter it again on the plugin's settings page. `found`: the same, and which."""

    def __init__(self, path: Path) -> None:
        self.found = FieldError(path, _LOST())
        self.words = self.found.sentence
        super().__init__(self.words)


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


class Opened(str):
    """A stored secret in the clear, which remembers how it was stored. Keep it away from pages, logs and rows."""

    stored: Mapping[str, Any]
    path: Path

    def __repr__(self) -> str:
        return "<secret>"


def opened(value: Any, *, tenant: str, plugin: str, path: Path) -> Any:
    """`value` as an `Opened` if it is a sealed secret, else as it is.

    Raises:
        Unreadable: it cannot be opened.
    """
    if not (isinstance(value, dict) and SEALED in value):
        return value
    try:
        plain = Opened(box().open(value[SEALED], tenant=tenant, plugin=plugin, field=".".join(path)))
    except SecretUnreadable as error:
        raise Unreadable(path) from error
    plain.stored, plain.path = value, path
    masking.know([plain], tenant)
    return plain


def sealed(value: str, *, tenant: str, plugin: str, path: Path, to: str) -> Config:
    """How the secret `value` is stored; `to` says where it may be sent ("" is anywhere)."""
    if isinstance(value, Opened) and value.path == path:
        return dict(value.stored)
    token = box().seal(str(value), tenant=tenant, plugin=plugin, field=".".join(path))
    return {SEALED: token, TO: to} if to else {SEALED: token}


def meant_for(value: Any) -> str | None:
    """Where a stored secret may be sent; None for one that was only just typed, and for what is no secret."""
    stored = value.stored if isinstance(value, Opened) else value
    return str(stored.get(TO, "")) if isinstance(stored, Mapping) and SEALED in stored else None


def open_secrets(schema: ConfigSchema, plugin: str, config: Mapping[str, Any]) -> Config:
    """`config` with the current tenant's secrets in the clear.

    Raises:
        Unreadable: one cannot be opened.
    """
    found, tenant = copy.deepcopy(dict(config)), current_tenant().schema
    for path in schema.secret_paths:
        if (value := get(found, path)) is not None:
            put(found, path, opened(value, tenant=tenant, plugin=plugin, path=path))
    return found


def seal_secrets(schema: ConfigSchema, plugin: str, config: Mapping[str, Any], to: Callable[[Path], str]) -> Config:
    """`config` with its secrets sealed for the current tenant; those that were stored before stay as they were.

    Args:
        to: where the new secret at a path may be sent.
    """
    found, tenant = copy.deepcopy(dict(config)), current_tenant().schema
    for path in schema.secret_paths:
        if isinstance(value := get(found, path), str):
            put(found, path, sealed(value, tenant=tenant, plugin=plugin, path=path, to=to(path)))
    return found


def mapped(value: Any, path: Path, change: Callable[[Path, Any], Any]) -> Any:
    """`value` with `change` applied to all in it that is no object and no list, and to each sealed secret.

    Args:
        path: of `value`; inside a list, "[]" stands for the entry.
    """
    if isinstance(value, Mapping) and SEALED not in value:
        return {key: mapped(inner, (*path, str(key)), change) for key, inner in value.items()}
    if isinstance(value, list):
        return [mapped(inner, (*path, "[]"), change) for inner in value]
    return change(path, value)


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
