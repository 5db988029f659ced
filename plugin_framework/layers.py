"""What a plugin is given: the tenant's settings over the platform's over the schema's defaults, and secrets only where they belong."""

from __future__ import annotations

import copy
import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from plugin_framework import masking, settings_store
from plugin_framework.catalog import revisions
from plugin_framework.catalog.offers import DEFAULT, Offer, offers
from plugin_framework.config import Checked, ConfigSchema, FieldError
from plugin_framework.config.schema import with_defaults
from plugin_framework.registry import PluginSpec
from plugin_framework.sdk import ConfigurablePlugin, PluginInterface
from plugin_framework.sdk._calling import plugins_code
from plugin_framework.sdk._words import Phrase, reread
from plugin_framework.settings_store import Config, Path, get, put

log = logging.getLogger(__name__)
PLATFORM = "public"  # for whom the platform's own secrets are sealed: no tenant's schema is called so
AGAIN = Phrase("Enter it again: where it is sent to has changed.")
_NOT_CHECKED = Phrase(
    "The plugin could not check these settings (%(kind)s). Change them, or ask who runs this platform."
)


@dataclass(frozen=True, slots=True)
class PlatformSettings:
    """The platform's own values for a plugin, and the paths of those that tenants may not change."""

    values: Mapping[str, Any] = field(repr=False)  # secrets in the clear
    locked: frozenset[Path] = frozenset()

    def locks(self, path: Iterable[str | int]) -> bool:
        """Whether `path`, or what it is part of, is locked."""
        steps = tuple(path)
        return any(steps[: length + 1] in self.locked for length in range(len(steps)))


def platform_of(spec: PluginSpec, offer: Offer | None = None) -> PlatformSettings:
    """The platform's values: those of its catalog over those of the PLUGINS setting.

    Args:
        offer: the plugin's, if the caller has it; else as the current scope sees the catalog.
    """
    offer = offer or offers(revisions.read().catalog).get(spec.name, DEFAULT)
    values = merge(spec.defaults, _opened(spec, offer.settings))
    masking.know((get(spec.defaults, path) for path in spec.schema.secret_paths), PLATFORM)
    return PlatformSettings(values, frozenset(tuple(name.split(".")) for name in offer.locked))


def layered(spec: PluginSpec, own: Mapping[str, Any], platform: PlatformSettings) -> Config:
    """`own` over the platform's values; what is locked is the platform's.

    A platform's secret is left out where it would go elsewhere than the platform meant; a tenant's that does not belong
    where the settings now lead gives way to one of the platform that does.
    """
    merged = merge(platform.values, own)
    for path in sorted(platform.locked):
        _impose(merged, path, get(platform.values, path))
    for path in spec.schema.secret_paths:
        theirs = get(platform.values, path)
        if theirs is None:
            continue
        here = destination(spec.schema, merged, path)
        applies = here == destination(spec.schema, platform.values, path)
        mine = get(merged, path)
        if mine == theirs and not applies:
            settings_store.drop(merged, path)
        elif applies and settings_store.meant_for(mine) not in (None, here):
            put(merged, path, theirs)
    return merged


def effective(spec: PluginSpec, own: Mapping[str, Any], platform: PlatformSettings) -> Checked:
    """What the plugin is given: all layers, secrets opened, defaults applied, everything checked.

    Raises:
        Unreadable: a stored secret cannot be opened.
    """
    merged = layered(spec, settings_store.open_secrets(spec.schema, spec.name, own), platform)
    checked = spec.schema.validate(merged)
    return Checked(checked.config, (*misplaced(spec.schema, merged), *checked.errors))


def without_own(spec: PluginSpec, platform: PlatformSettings) -> Checked:
    """What the plugin is given where a tenant has no settings of its own, checked."""
    merged = layered(spec, {}, platform)
    checked = spec.schema.validate(merged)
    return Checked(checked.config, (*misplaced(spec.schema, merged), *checked.errors))


def misplaced(schema: ConfigSchema, config: Mapping[str, Any]) -> tuple[FieldError, ...]:
    """The secrets that were meant for somewhere else than where `config` would send them."""
    return tuple(
        FieldError(path, AGAIN())
        for path in schema.secret_paths
        if settings_store.meant_for(get(config, path)) not in (None, destination(schema, config, path))
    )


def destination(schema: ConfigSchema, config: Mapping[str, Any], path: Path) -> str:
    """Where `config` sends the secret at `path`, as a short digest of the values it is bound to (x-bound-to); "" if to none.

    Of the values alone, in their order: a field that a newer version only renames is still the same place.
    """
    bound = schema.bound_fields(path)
    if not bound:
        return ""
    filled = with_defaults(schema.document, copy.deepcopy(dict(config)))
    values = json.dumps([get(filled, each) for each in bound], sort_keys=True)
    return hashlib.sha256(values.encode()).hexdigest()[:16]


def problems(spec: PluginSpec, make: Callable[[], PluginInterface], checked: Checked) -> list[FieldError]:
    """All that is wrong with a configuration, the schema's findings first.

    Args:
        make: gives the instance that judges it; called only where one does.
    """
    found = list(checked.errors)
    if not found and issubclass(spec.cls, ConfigurablePlugin):
        try:
            with plugins_code():
                plugin = cast(ConfigurablePlugin, make())
                said = plugin.validate_config(copy.deepcopy(checked.config))
                found = [FieldError((), reread(masking.masked(str(message)))) for message in said]
        except Exception as error:  # a plugin's own check may raise anything; settings it cannot judge do not fit
            log.exception("validate_config() of %s failed", spec.name)
            found = [FieldError((), _NOT_CHECKED(kind=type(error).__name__))]
    return found


def _opened(spec: PluginSpec, values: Mapping[str, Any]) -> Config:
    """The catalog's values with their secrets in the clear; one that cannot be opened counts as not set."""
    opened = copy.deepcopy(dict(values))
    for path in spec.schema.secret_paths:
        try:
            plain = settings_store.opened(get(opened, path), tenant=PLATFORM, plugin=spec.name, path=path)
        except settings_store.Unreadable:
            log.error(
                "The platform's %s of %s cannot be opened; set it again.", ".".join(path), spec.name
            )  # the trace says no more
            settings_store.drop(opened, path)
        else:
            if plain is not None:
                put(opened, path, str(plain))
    return opened


def _impose(config: Config, path: Path, value: Any) -> None:
    if value is None:
        settings_store.drop(config, path)
        return
    for length in range(1, len(path)):  # a tenant may have put something else where a group belongs
        if not isinstance(get(config, path[:length]), dict):
            put(config, path[:length], {})
    put(config, path, copy.deepcopy(value))


def merge(under: Mapping[str, Any], over: Mapping[str, Any]) -> Config:
    """`over` on `under`, through nested objects; neither is changed."""
    merged = copy.deepcopy(dict(under))
    for key, value in over.items():
        inner = merged.get(key)
        both = isinstance(inner, dict) and isinstance(value, Mapping) and settings_store.SEALED not in value
        merged[key] = merge(inner, value) if both and isinstance(inner, dict) else copy.deepcopy(value)
    return merged
