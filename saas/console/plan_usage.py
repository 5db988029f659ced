"""Whom a changed plan would hit: the organisations that use more than that already, and those that run what it takes away."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields

from plugin_framework import quotas
from plugin_framework.catalog import plans
from plugin_framework.catalog.plans import UNLIMITED, Limits
from plugin_framework.quotas import Kind
from plugin_framework.registry import registry
from plugin_framework.tenancy import TenantRef, tenant_scope
from saas.console import adoption, fleet
from saas.site import quota_info
from saas.site.plugin_info import title_of
from saas.site.quota_info import UsageInfo
from tenants import wholeness

LOOKED_AT = 500  # organisations: each is a few queries, and somebody waits
LISTED = 20


@dataclass(frozen=True, slots=True)
class Beyond:
    """One organisation that uses more than that, and of what."""

    tenant: TenantRef
    usages: Sequence[UsageInfo]


@dataclass(frozen=True, slots=True)
class Hit:
    """Whom it hits.

    Attributes:
        organisations: the first LISTED of them. `total`: all that were found.
        looked_at, having: organisations that were looked into, and that have the plan; fewer in a large fleet.
    """

    organisations: Sequence[Beyond]
    total: int
    looked_at: int
    having: int


def hit_by(slug: str, name: str, limits: Limits, before: Limits, *, everything: bool = False) -> Hit:
    """The organisations on the plan `slug` that use more than `limits` allow.

    Args:
        name: the plan's. `before`: its limits so far; what is not lowered hits nobody anew.
        everything: also those that are over a limit which stays as it is.
    """
    wanted = limits if everything else _lowered(limits, before)
    if wanted == UNLIMITED:
        return Hit([], 0, 0, 0)
    schemas = plans.tenants_on(slug)
    looked_at = fleet.everyone(list(wholeness.whole(schemas[:LOOKED_AT])))
    found = [Beyond(ref, _beyond(ref, name, wanted)) for ref in looked_at]
    hit = [each for each in found if each.usages]
    return Hit(hit[:LISTED], len(hit), len(looked_at), len(schemas))


def stopped_by(slug: str, removed: Collection[str]) -> list[tuple[str, int]]:
    """Titles of the plugins that stop if the plan `slug` is without `removed`, and in how many organisations each is enabled."""
    if not removed:
        return []
    found = Counter(name for _schema, name in adoption.enabled(plans.tenants_on(slug)))
    lost = {name: number for name, number in found.items() if {name, *_requirements(name)} & set(removed)}
    return sorted(((title_of(name), number) for name, number in lost.items()), key=lambda each: each[0].casefold())


def _requirements(name: str) -> Iterable[str]:
    return registry.requirements(name) if name in registry.specs else ()


def words(limits: Limits) -> list[str]:
    """The limits as a list shows them; what is not limited is not named."""
    found = {kind: getattr(limits, kind.value) for kind in Kind}
    return [quota_info.limit(kind, limit) for kind, limit in found.items() if limit is not None]


def _lowered(limits: Limits, before: Limits) -> Limits:
    """Those of `limits` that are lower than they were."""
    pairs = {field.name: (getattr(limits, field.name), getattr(before, field.name)) for field in fields(Limits)}
    lowered = {name: new for name, (new, old) in pairs.items() if new is not None and (old is None or new < old)}
    return Limits(**lowered)


def _beyond(ref: TenantRef, name: str, limits: Limits) -> list[UsageInfo]:
    with tenant_scope(ref):
        return quota_info.beyond(quotas.usages_under(name, limits))
