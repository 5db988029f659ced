"""Starts one plugin for a tenant: makes it, gives it its settings, and says what stands in the way. The others run on all the same."""

from __future__ import annotations

from collections.abc import Set
from types import MappingProxyType

from django.conf import settings
from django.utils import translation

from plugin_framework import gate, layers, settings_store, shapes
from plugin_framework.instances import Instance
from plugin_framework.layers import PlatformSettings
from plugin_framework.registry import PluginSpec
from plugin_framework.sdk._calling import plugins_code
from plugin_framework.sdk._words import Phrase
from plugin_framework.tenancy import TenantRef
from plugin_framework.tenant_record import Enabled

_OLD_TABLES = Phrase("It is being updated: its tables here are still those of an older version.")
_NEW_SETTINGS = Phrase("It is being updated: its settings were saved by a newer version than the one that runs here.")
_ATTENTION = Phrase("Its settings need attention: %(what)s")
_FAILED = Phrase("It failed to start: %(kind)s.")


def updating(spec: PluginSpec, row: Enabled, old_tables: Set[str]) -> gate.Decision | None:
    """Why this process's version of a plugin leaves it to another's: what is stored here is of an older version, or of a newer one.

    A newer version's settings are not tried on an older schema: what happened to fit would run with half of what somebody meant.
    """
    if spec.app_label in old_tables:
        return gate.Decision(gate.Reason.UPDATING, _OLD_TABLES())
    if row.config_version > spec.config_version:
        return gate.Decision(gate.Reason.UPDATING, _NEW_SETTINGS())
    return None


def start(
    spec: PluginSpec,
    tenant: TenantRef,
    row: Enabled,
    stored: settings_store.Config,
    platform: PlatformSettings,
    problems: dict[str, gate.Decision],
) -> Instance | None:
    """Make, configure and initialize one plugin; what stands in the way goes into `problems`."""
    try:
        with plugins_code():
            plugin = spec.new()
            plugin.tenant = tenant
    except Exception as error:  # a plugin's constructor may raise anything, also in one tenant only
        spec.log.exception("The constructor of %s failed", spec.name)
        problems[spec.name] = _failed_to_start(error)
        return None
    try:
        own = shapes.in_shape(spec, stored, row.config_version, platform)
        checked = layers.effective(spec, own, platform)
    except shapes.Unfit as error:
        problems[spec.name] = gate.Decision(gate.Reason.NEEDS_SETUP, error.words)
        return None
    except settings_store.Unreadable as error:
        problems[spec.name] = gate.Decision(gate.Reason.NEEDS_SETUP, spec.schema.sentence(error.found))
        return None
    with translation.override(settings.LANGUAGE_CODE):  # it is kept for readers of other languages too
        errors = layers.problems(spec, lambda: plugin, checked)
    if errors:
        problems[spec.name] = gate.Decision(gate.Reason.NEEDS_SETUP, _ATTENTION(what=spec.schema.sentence(errors[0])))
        return None
    try:
        with plugins_code():
            plugin.settings = MappingProxyType(checked.config)
            plugin.initialize(dict(checked.config))
    except Exception as error:  # a plugin's initialize may raise anything
        spec.log.exception("initialize() of %s failed", spec.name)
        problems[spec.name] = _failed_to_start(error)
        return None
    return Instance(plugin, row.settings_revision, platform)


def _failed_to_start(error: Exception) -> gate.Decision:
    return gate.Decision(gate.Reason.FAILED_TO_START, _FAILED(kind=type(error).__name__))
