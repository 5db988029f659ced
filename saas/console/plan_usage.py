"""Whom a plan's new limits would hit: the organisations that use more than that already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

from plugin_framework import quotas
from plugin_framework.catalog import plans
from plugin_framework.catalog.plans import UNLIMITED, Limits
from plugin_framework.quotas import Kind
from plugin_framework.tenancy import TenantRef, tenant_scope
from saas.console import fleet
from saas.site import quota_info
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
