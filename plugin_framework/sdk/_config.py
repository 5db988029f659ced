"""Plugins with settings: a JSON Schema that becomes a form, and a few keys kept in the database."""

from __future__ import annotations

from typing import Any

from plugin_framework.sdk import _runtime
from plugin_framework.sdk._plugin import PluginInterface


class ConfigurablePlugin(PluginInterface):
    """A plugin whose settings are described by a JSON Schema."""

    def get_config_schema(self) -> dict[str, Any]:
        """The settings as JSON Schema 2020-12; ``writeOnly: true`` marks a secret. Must not depend on the instance.

        ``"x-show-if": {"mode": "weekly"}`` hides a field while the field ``mode`` beside it (a boolean, or one with an enum) has
        another value. It is stored and validated all the same. ``docs/howto/settings-form.md`` has all that a schema may say.
        """
        return {"type": "object", "properties": {}}

    def validate_config(self, config: dict[str, Any]) -> list[str]:
        """What no schema can say: errors about the whole, shown above the form."""
        return []

    def migrate_config(self, old: dict[str, Any], from_version: int) -> dict[str, Any]:
        """Bring settings that were saved as of `config_version` `from_version` to the shape of today's.

        Called without `initialize`, on a copy, as often as they are read until they are saved again: it must depend on nothing but
        its arguments. A secret may be moved to another field, and still goes only where it was meant for. Whatever it raises,
        the tenant's settings stay as they are and the plugin needs setup there.

        Args:
            old: the tenant's own settings, without the platform's and the schema's defaults.
        """
        return old


class DatabasePlugin(PluginInterface):
    """A plugin that reads and writes its own settings while it runs."""

    def get_setting(self, key: str, default: Any = None) -> Any:
        """The tenant's value of `key`, or `default`."""
        return _runtime.runtime().get_setting(self.name, key, default)

    def set_setting(self, key: str, value: Any) -> None:
        """Store `value` (JSON) under `key` for the current tenant, in the current transaction.

        Raises:
            NotAllowed: the key belongs to the plugin's settings form, or the value is not JSON.
        """
        _runtime.runtime().set_setting(self.name, key, value)
