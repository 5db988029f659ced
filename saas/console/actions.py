"""What the platform's staff decides about a plugin: audited, and felt on every tenant's next request."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict
from itertools import batched
from typing import Any

from django.db import transaction

from plugin_framework import platform_settings, tenancy_directory
from plugin_framework.audit import Actor, record
from plugin_framework.catalog import plans
from plugin_framework.catalog.models import Availability, CatalogEntry, CatalogGrant
from plugin_framework.catalog.offers import set_offer
from plugin_framework.catalog.plans import Limits
from plugin_framework.registry import PluginSpec
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from saas.console import fleet

AT_ONCE = 500  # tenants told in one transaction: each costs two round trips and a few locks
_SETTINGS = "catalog.settings_changed"
_ACTIONS = {
    Availability.EVERYONE: "catalog.offered",
    Availability.LISTED: "catalog.listed",
    Availability.HIDDEN: "catalog.hidden",
    Availability.WITHDRAWN: "catalog.withdrawn",
}


def offer(
    plugin: str, availability: Availability, actor: Actor, *, message: str = "", granted: Collection[str] = ()
) -> bool:
    """Decide to whom `plugin` is offered, and tell those it touches in their own audit logs.

    The decision commits together with the platform's entry and those of the first `AT_ONCE` tenants that have the
    plugin or gain or lose its offer; in a larger fleet the others' entries follow at once, in transactions of their own.

    Args:
        message: shown to tenants while it is withdrawn.
        granted: schemas of the tenants to which a listed plugin is offered; without effect while it is not listed.

    Returns:
        Whether anything changed.
    """
    touched = fleet.having(plugin)
    with transaction.atomic():
        before = _before(plugin)
        if before == (availability, message, set(granted)):
            return False
        affected = _unique([*touched, *fleet.everyone(sorted(before[2] ^ set(granted)))])
        set_offer(plugin, availability, message=message, granted=sorted(granted))
        _tell(_platform(), plugin, availability, message, actor, organisations=len(affected))
        _tell(affected[:AT_ONCE], plugin, availability, message, actor)
    for others in batched(affected[AT_ONCE:], AT_ONCE):
        with transaction.atomic():
            _tell(others, plugin, availability, message, actor)
    return True


def set_platform_settings(
    spec: PluginSpec,
    actor: Actor,
    values: Mapping[str, Any],
    *,
    secrets: Mapping[tuple[str, ...], str],
    removed: Collection[tuple[str, ...]],
    locked: Collection[str],
) -> list[str]:
    """Set the platform's own values of a plugin's settings, and tell the tenants that have it in their own audit logs.

    Returns:
        What changed; empty if nothing did.

    Raises:
        Invalid: with the errors by field; nothing was saved.
    """
    touched = fleet.having(spec.name)
    with transaction.atomic():
        changed = platform_settings.save(spec, values, secrets=secrets, removed=removed, locked=locked)
        if not changed:
            return []
        detail = {"changed": changed, "locked": sorted(locked)}
        _record(_platform(), _SETTINGS, spec.name, actor, organisations=len(touched), **detail)
        _record(touched[:AT_ONCE], _SETTINGS, spec.name, actor, **detail)
    for others in batched(touched[AT_ONCE:], AT_ONCE):
        with transaction.atomic():
            _record(others, _SETTINGS, spec.name, actor, **detail)
    return changed


def define_plan(slug: str, name: str, plugins: Collection[str], limits: Limits, actor: Actor) -> bool:
    """Make or change a plan; whether anything changed."""
    with transaction.atomic():
        changed = plans.define(slug, name, plugins, limits)
        if changed:
            set_ = {kind: limit for kind, limit in asdict(limits).items() if limit is not None}
            _record(_platform(), "plan.saved", slug, actor, plugins=sorted(plugins), limits=set_)
        return changed


def remove_plan(slug: str, actor: Actor) -> None:
    """Delete a plan that nobody has.

    Raises:
        PlanError: somebody has it, or there is none.
    """
    with transaction.atomic():
        plans.remove(slug)
        _record(_platform(), "plan.removed", slug, actor)


def _before(plugin: str) -> tuple[str, str, set[str]]:
    """What has been decided so far; locked, so that of two decisions at once the second is compared with the first."""
    with public_scope():
        entry = CatalogEntry.objects.select_for_update().filter(plugin=plugin).first() or CatalogEntry(plugin=plugin)
        granted = CatalogGrant.objects.filter(plugin=plugin).values_list("tenant_schema", flat=True)
        return entry.availability, entry.message, set(granted)


def _platform() -> list[TenantRef]:
    own = tenancy_directory.platform()
    return [own.ref] if own is not None else []


def _tell(
    refs: Iterable[TenantRef], plugin: str, availability: Availability, message: str, actor: Actor, **more: object
) -> None:
    detail = {key: value for key, value in {"message": message, **more}.items() if value != ""}
    _record(refs, _ACTIONS[availability], plugin, actor, **detail)


def _record(refs: Iterable[TenantRef], action: str, plugin: str, actor: Actor, **detail: object) -> None:
    for ref in refs:
        with tenant_scope(ref):
            record(actor, action, plugin, **detail)


def _unique(refs: Iterable[TenantRef]) -> list[TenantRef]:
    return list({ref.schema: ref for ref in refs}.values())
