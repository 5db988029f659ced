"""Secrets in the tables of plugins: seals and opens them for the SDK, and finds the columns they are in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import connection, models

from plugin_framework import masking
from plugin_framework.models import PluginState
from plugin_framework.registry import registry
from plugin_framework.sdk import NotAllowed, SecretLost
from plugin_framework.sdk._models import SealedField
from plugin_framework.sdk._words import Phrase
from plugin_framework.secrets import SecretUnreadable
from plugin_framework.settings_store import box
from plugin_framework.tenancy import current_tenant

_LOST = Phrase(
    "A sealed secret cannot be opened any more. Put the key it was sealed with back into SECRETS_KEYS, or make a new secret."
)


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a plugin's table in the current tenant's schema that holds sealed texts."""

    plugin: str
    model: type[models.Model]
    name: str
    purpose: str

    def values(self) -> list[tuple[Any, str]]:
        """The sealed texts, each with its row's primary key. Through the base manager: a default manager may hide rows."""
        found = self.model._base_manager.exclude(**{self.name: ""}).exclude(**{self.name: None})
        return list(found.order_by("pk").values_list("pk", self.name))

    def replace(self, pk: Any, old: str, new: str) -> bool:
        """Put `new` where `old` is; False if somebody has put something else there meanwhile."""
        return bool(self.model._base_manager.filter(pk=pk, **{self.name: old}).update(**{self.name: new}))


def seal(plugin: str, purpose: str, text: str) -> str:
    """See `plugin_framework.sdk.seal`."""
    tenant = current_tenant().schema
    _known(plugin)
    masking.know([text], tenant)
    return box().seal(text, tenant=tenant, plugin=plugin, field=field_of(purpose))


def unseal(plugin: str, purpose: str, sealed: str) -> str:
    """See `plugin_framework.sdk.unseal`."""
    tenant = current_tenant().schema
    _known(plugin)
    try:
        text = box().open(sealed, tenant=tenant, plugin=plugin, field=field_of(purpose))
    except SecretUnreadable:
        raise SecretLost(_LOST.text) from None
    masking.know([text], tenant)
    return text


def field_of(purpose: str) -> str:
    """What stands for a settings field's path when a key is derived; the separator keeps it from being one."""
    return f"column\x1e{purpose}"


def here() -> Iterator[Column]:
    """The columns with sealed texts in the current tenant's schema; of plugins whose code is missing none can be found."""
    made = {table for tables in PluginState.objects.values_list("tables", flat=True) for table in tables}
    present = made.intersection(connection.introspection.table_names()) if made else made
    for spec in registry.specs.values():
        for model in apps.get_app_config(spec.app_label).get_models() if spec.app_label else ():
            if model._meta.db_table in present:
                yield from _of(spec.name, model)


def _of(plugin: str, model: type[models.Model]) -> Iterator[Column]:
    for field in model._meta.local_fields:
        if isinstance(field, SealedField):
            yield Column(plugin, model, field.name, field.purpose)


def _known(plugin: str) -> None:
    if plugin not in registry.specs:
        raise NotAllowed(f"No plugin is called {plugin!r}. Pass the plugin's own name.")
