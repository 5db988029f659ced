"""Seals every stored secret anew with the newest key, tenant by tenant; what is interrupted goes on where it was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from plugin_framework import sealed_columns
from plugin_framework.audit import Actor, record
from plugin_framework.catalog.models import CatalogEntry
from plugin_framework.catalog.revisions import bump_catalog
from plugin_framework.changing import lock_plugins
from plugin_framework.layers import PLATFORM
from plugin_framework.models import PluginSetting
from plugin_framework.secrets import SecretBox, SecretUnreadable
from plugin_framework.settings_store import SEALED, Path, box, mapped
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from plugin_framework.tenancy_directory import everyone

type Change = Callable[[Path, Any], Any]


@dataclass(slots=True)
class Resealed:
    """What rotating came to in one place: a tenant, or the platform's own values."""

    where: str
    secrets: int = 0
    unreadable: tuple[str, ...] = ()  # "plugin: field", of secrets that no key opens; they stay as they are


def rotate(actor: Actor, only: TenantRef | None = None) -> Iterator[Resealed]:
    """Seal what older keys have sealed with the first of SECRETS_KEYS; one transaction a tenant, suspended ones included.

    A tenant's settings cannot be saved while its secrets are sealed anew, so neither overwrites the other. No active set
    has to be built again: the values stay the same.

    Args:
        only: this tenant and nothing else.
    """
    if only is None:
        yield _platform()
    for ref in [only] if only else (entry.ref for entry in everyone()):
        with tenant_scope(ref), transaction.atomic():
            lock_plugins()
            found = _settings(ref)
            _columns(found, ref.schema)
            if found.secrets:
                record(actor, "secrets.resealed", number=found.secrets)
        yield found


def status() -> Counter[str]:
    """How many secrets are sealed with which key: "number 1" is the first of SECRETS_KEYS; "none of these" cannot be opened."""
    count: Counter[str] = Counter()
    keys = box()

    def count_one(token: Any) -> None:
        position = keys.position_of(token)
        count[f"number {position}" if position else "none of these"] += 1

    def note(path: Path, value: Any) -> Any:
        if _is_sealed(value):
            count_one(value[SEALED])
        return value

    with public_scope():
        stored = list(CatalogEntry.objects.values_list("settings", flat=True))
    for entry in everyone():
        with tenant_scope(entry.ref):
            stored += PluginSetting.objects.values_list("value", flat=True)
            for column in sealed_columns.here():
                for _, token in column.values():
                    count_one(token)
    for value in stored:
        mapped(value, (), note)
    return count


def _settings(ref: TenantRef) -> Resealed:
    found = Resealed(ref.slug)
    for row in PluginSetting.objects.order_by("pk"):
        new = mapped(row.value, (row.key,), _reseal(found, ref.schema, row.plugin_name))
        if new != row.value:
            PluginSetting.objects.filter(pk=row.pk).update(value=new)
    return found


def _columns(found: Resealed, tenant: str) -> None:
    """What the plugins keep in tables of their own."""
    keys = box()
    for column in sealed_columns.here():
        for pk, token in column.values():
            try:
                new = keys.rotate(
                    token, tenant=tenant, plugin=column.plugin, field=sealed_columns.field_of(column.purpose)
                )
            except SecretUnreadable:
                found.unreadable += (f"{column.plugin}: {column.purpose} of {column.model._meta.model_name} {pk}",)
                continue
            if keys.needs_rotation(token) and column.replace(pk, token, new):
                found.secrets += 1


def _platform() -> Resealed:
    found = Resealed("the platform")
    with public_scope(), transaction.atomic():
        for entry in CatalogEntry.objects.select_for_update().order_by("pk"):
            new = mapped(entry.settings, (), _reseal(found, PLATFORM, entry.plugin))
            if new != entry.settings:
                CatalogEntry.objects.filter(pk=entry.pk).update(settings=new)
        if found.secrets:
            bump_catalog()  # each process keeps the catalog's rows until it has another number
    return found


def _reseal(found: Resealed, tenant: str, plugin: str) -> Change:
    keys: SecretBox = box()

    def one(path: Path, value: Any) -> Any:
        if not _is_sealed(value):
            return value
        field = ".".join(path)
        try:
            token = keys.rotate(value[SEALED], tenant=tenant, plugin=plugin, field=field)
        except SecretUnreadable:
            found.unreadable += (f"{plugin}: {field}",)
            return value
        if not keys.needs_rotation(value[SEALED]):
            return value
        found.secrets += 1
        return {**value, SEALED: token}

    return one


def _is_sealed(value: Any) -> bool:
    return isinstance(value, dict) and SEALED in value
