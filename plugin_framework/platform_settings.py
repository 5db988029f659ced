"""Saves the platform's own values for a plugin's settings: suggested to every tenant, or locked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from plugin_framework import layers, masking, settings_store
from plugin_framework.catalog.models import CatalogEntry
from plugin_framework.catalog.offers import set_platform_settings
from plugin_framework.config import ConfigSchema, FieldError
from plugin_framework.config.lint import properties
from plugin_framework.configuration import Invalid
from plugin_framework.layers import PLATFORM
from plugin_framework.registry import PluginSpec
from plugin_framework.sdk._words import Phrase
from plugin_framework.settings_store import Config, Path
from plugin_framework.tenancy import public_scope

_NO_FIELD = Phrase("%(name)s is no field that could be locked.")


def saved(plugin: str, *, to_change: bool = False) -> tuple[Config, list[str]]:
    """The catalog's values, secrets sealed, and the dotted paths of those that are locked; `to_change` keeps others from changing them."""
    with public_scope():
        entries = CatalogEntry.objects.select_for_update() if to_change else CatalogEntry.objects
        entry = entries.filter(plugin=plugin).first()
    return (dict(entry.settings), list(entry.locked)) if entry else ({}, [])


def lockable(schema: ConfigSchema) -> list[str]:
    """The dotted paths of all fields that can be locked."""
    return [".".join(path) for path, node in properties(schema.document, ()) if node.get("type") != "object"]


def save(
    spec: PluginSpec,
    values: Mapping[str, Any],
    *,
    secrets: Mapping[Path, str],
    removed: Collection[Path],
    locked: Collection[str],
) -> list[str]:
    """Set the platform's values of a plugin's settings. Call inside the actor's transaction, which audits it.

    Args:
        values: the whole, without secrets; what is not there is left to the tenants.
        secrets: newly typed ones by path; a saved one in neither `secrets` nor `removed` is kept.
        locked: dotted paths of what tenants may not change.

    Returns:
        The top-level keys that changed, and the word "locked" if that did; empty if nothing did.

    Raises:
        Invalid: with the errors by field; nothing was saved.
    """
    masking.know(secrets.values(), typed=True)
    before, locked_before = saved(spec.name, to_change=True)
    new = dict(values)
    for path in spec.schema.secret_paths:
        value = secrets.get(path, None if path in removed else settings_store.get(before, path))
        settings_store.drop(new, path) if value is None else settings_store.put(new, path, value)
    _check(spec, new, locked)
    sealed = _sealed(spec, new)
    changed = sorted(key for key in {*before, *sealed} if before.get(key) != sealed.get(key))
    changed += ["locked"] if sorted(locked) != sorted(locked_before) else []
    if changed:
        set_platform_settings(spec.name, sealed, sorted(locked))
    return changed


def _check(spec: PluginSpec, values: Mapping[str, Any], locked: Collection[str]) -> None:
    whole = layers.merge(spec.defaults, values)
    plain, _ = spec.schema.split(values)
    for path in spec.schema.secret_paths:
        if isinstance(settings_store.get(values, path), str):
            settings_store.put(plain, path, settings_store.get(values, path))
    errors = [*layers.misplaced(spec.schema, whole), *spec.schema.partial().validate(plain).errors]
    unknown = sorted(set(locked) - set(lockable(spec.schema)))
    errors += [FieldError((), _NO_FIELD(name=name)) for name in unknown]
    if errors:
        raise Invalid(tuple(errors))


def _sealed(spec: PluginSpec, values: Mapping[str, Any]) -> Config:
    sealed, whole = dict(values), layers.merge(spec.defaults, values)
    for path in spec.schema.secret_paths:
        if isinstance(value := settings_store.get(sealed, path), str):
            to = layers.destination(spec.schema, whole, path)
            again = settings_store.sealed(value, tenant=PLATFORM, plugin=spec.name, path=path, to=to)
            settings_store.put(sealed, path, again)
    return sealed
