"""Reads and changes the catalog. The read side is cached by revision, so it costs no query while nothing changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction

from plugin_framework.catalog.models import Availability, CatalogEntry, CatalogGrant
from plugin_framework.catalog.revisions import bump_catalog
from plugin_framework.tenancy import public_scope


@dataclass(frozen=True, slots=True)
class Offer:
    """One plugin's place in the catalog, as the gate needs it."""

    availability: str = Availability.EVERYONE
    message: str = ""
    granted: frozenset[str] = frozenset()  # tenant schemas, for a listed plugin; of a deprecated one, empty is everyone
    settings: Mapping[str, Any] = field(default_factory=dict)  # the platform's values; secrets are sealed
    locked: frozenset[str] = frozenset()  # dotted paths of those that tenants may not change
    instead: str = ""  # the plugin to use, while this one is deprecated
    on_by_default: bool = False
    required: bool = False

    def reaches(self, schema: str) -> bool:
        """Whether a tenant that has not got it may have it."""
        if self.availability == Availability.DEPRECATED:
            return not self.granted or schema in self.granted
        if self.availability == Availability.LISTED:
            return schema in self.granted
        return self.availability == Availability.EVERYONE


DEFAULT = Offer()
_latest: tuple[int, Mapping[str, Offer]] | None = None  # replaced as a whole, so readers need no lock


def offers(revision: int) -> Mapping[str, Offer]:
    """All offers that differ from the default, as of catalog `revision`."""
    global _latest
    latest = _latest
    if latest is not None and latest[0] == revision:
        return latest[1]
    fresh = _load()
    _latest = (revision, fresh)
    return fresh


def _load() -> Mapping[str, Offer]:
    with public_scope():
        granted: dict[str, set[str]] = {}
        for plugin, schema in CatalogGrant.objects.values_list("plugin", "tenant_schema"):
            granted.setdefault(plugin, set()).add(schema)
        return {
            entry.plugin: Offer(
                entry.availability,
                entry.message,
                frozenset(granted.get(entry.plugin, ())),
                entry.settings,
                frozenset(entry.locked),
                entry.instead,
                entry.on_by_default,
                entry.required,
            )
            for entry in CatalogEntry.objects.all()
        }


def current() -> Mapping[str, Offer]:
    """All offers that differ from the default as the database has them now, the current transaction's included; nothing is cached."""
    return _load()


def set_offer(
    plugin: str, availability: str, *, message: str = "", granted: Sequence[str] | None = None, instead: str = ""
) -> None:
    """Decide to whom `plugin` is offered; takes effect on every tenant's next request. Call inside the actor's audited function.

    Args:
        granted: tenant schemas to which a listed plugin is offered, or a deprecated one still; None leaves them as they are.
        instead: the plugin that tenants should use, where this one is deprecated.

    Raises:
        ValueError: `availability` is not one of `Availability`.
    """
    if availability not in Availability.values:
        raise ValueError(f"{availability!r} is not an availability; use one of {', '.join(Availability.values)}.")
    with public_scope(), transaction.atomic():
        CatalogEntry.objects.update_or_create(
            plugin=plugin, defaults={"availability": availability, "message": message[:500], "instead": instead}
        )
        if granted is not None:
            CatalogGrant.objects.filter(plugin=plugin).delete()
            CatalogGrant.objects.bulk_create(CatalogGrant(plugin=plugin, tenant_schema=schema) for schema in granted)
        bump_catalog()


def set_standing(plugin: str, *, on_by_default: bool, required: bool) -> None:
    """Decide whether new tenants begin with `plugin`, and whether a tenant may disable it. Call inside the actor's audited function."""
    with public_scope(), transaction.atomic():
        CatalogEntry.objects.update_or_create(
            plugin=plugin, defaults={"on_by_default": on_by_default, "required": required}
        )
        bump_catalog()


def set_platform_settings(plugin: str, values: Mapping[str, Any], locked: Sequence[str]) -> None:
    """Set the platform's own values of a plugin's settings, for every tenant's next request. Call inside the actor's audited function.

    Args:
        values: checked by the caller; secrets sealed.
        locked: dotted paths that tenants may not change.
    """
    with public_scope(), transaction.atomic():
        CatalogEntry.objects.update_or_create(
            plugin=plugin, defaults={"settings": dict(values), "locked": sorted(locked)}
        )
        bump_catalog()


def forget() -> None:
    """Drop what is cached; only a process that changes to another database, as tests do, needs it."""
    global _latest
    _latest = None
