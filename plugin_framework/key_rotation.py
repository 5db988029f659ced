"""Seals every stored secret anew with the newest key, tenant by tenant; what is interrupted goes on where it was."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import ProgrammingError, transaction
from psycopg.errors import UndefinedTable

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
from plugin_framework.tenancy_directory import everyone, find

log = logging.getLogger(__name__)

type Change = Callable[[Path, Any], Any]


@dataclass(slots=True)
class Resealed:
    """What rotating came to in one place: a tenant, or the platform's own values."""

    where: str
    secrets: int = 0
    unreadable: tuple[str, ...] = ()  # "plugin: field", of secrets that no key opens; they stay as they are
    lost: bool = False  # its tables are not there; they may come back from a backup, sealed as they were


@dataclass(frozen=True, slots=True)
class Stored:
    """How many secrets are sealed with which key: "number 1" is the first of SECRETS_KEYS; "none of these" cannot be opened.

    Attributes:
        lost: the tenants whose tables are not there.
    """

    keys: Counter[str]
    lost: tuple[str, ...]


def rotate(actor: Actor, only: TenantRef | None = None) -> Iterator[Resealed]:
    """Seal what older keys have sealed with the first of SECRETS_KEYS; one transaction a tenant, suspended ones included.

    A tenant's settings cannot be saved while its secrets are sealed anew, so neither overwrites the other. No active set
    has to be built again: the values stay the same. One whose tables are lost is told of, and the others go on; one that was deleted
    meanwhile has nothing left.

    Args:
        only: this tenant and nothing else.
    """
    if only is None:
        yield _platform()
    for ref in [only] if only else (entry.ref for entry in everyone()):
        with _unless_lost(ref) as lost, tenant_scope(ref), transaction.atomic():
            lock_plugins()
            found = _settings(ref)
            _columns(found, ref.schema)
            if found.secrets:
                record(actor, "secrets.resealed", number=found.secrets)
        if not lost:
            yield found
        elif find(ref.schema) is not None:
            yield Resealed(ref.slug, lost=True)


def status() -> Stored:
    """What there is to rotate, of all tenants and of the platform."""
    count, lost = Counter[str](), list[str]()
    with public_scope():
        for value in CatalogEntry.objects.values_list("settings", flat=True):
            count.update(_places(value))
    for entry in everyone():
        with _unless_lost(entry.ref) as gone, tenant_scope(entry.ref), transaction.atomic():
            found = _stored_here()
        if not gone:
            count.update(found)
        elif find(entry.ref.schema) is not None:
            lost.append(entry.ref.slug)
    return Stored(count, tuple(lost))


@contextmanager
def _unless_lost(ref: TenantRef) -> Iterator[list[str]]:
    """Yields a list that is empty unless a table was missing in the block."""
    missing: list[str] = []
    try:
        yield missing
    except ProgrammingError as error:
        if not isinstance(error.__cause__, UndefinedTable):
            raise
        log.error("The secrets of %s cannot be read, for its tables are not there: %s", ref.slug, str(error).strip())
        missing.append(str(error))


def _stored_here() -> list[str]:
    """Of each secret of the current tenant, which key it is sealed with."""
    found = [key for value in PluginSetting.objects.values_list("value", flat=True) for key in _places(value)]
    tokens = (token for column in sealed_columns.here() for _, token in column.values())
    return found + [_place(token) for token in tokens]


def _places(value: Any) -> list[str]:
    found: list[str] = []

    def note(path: Path, part: Any) -> Any:
        if _is_sealed(part):
            found.append(_place(part[SEALED]))
        return part

    mapped(value, (), note)
    return found


def _place(token: Any) -> str:
    position = box().position_of(token)
    return f"number {position}" if position else "none of these"


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
