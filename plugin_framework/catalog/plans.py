"""Plans: which plugins a tenant may run. Changing one freezes plugins or thaws them, and deletes nothing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count

from plugin_framework.catalog.models import Plan, TenantPlan
from plugin_framework.catalog.revisions import bump_catalog, bump_tenant
from plugin_framework.tenancy import current_tenant, public_scope


class PlanError(ValueError):
    """This cannot be done to this plan; the text says why."""


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """A tenant's plan, as the gate needs it."""

    name: str
    plugins: frozenset[str]


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A plan, and how many tenants have it."""

    slug: str
    name: str
    plugins: tuple[str, ...]
    tenants: int


def plan_of(schema: str) -> PlanFacts | None:
    """The plan of the tenant in `schema`; None: it may run all that is offered to it."""
    with public_scope():
        found = TenantPlan.objects.select_related("plan").filter(tenant_schema=schema).first()
    return PlanFacts(found.plan.name, frozenset(found.plan.plugins)) if found else None


def plans() -> list[PlanRow]:
    """All plans, by name."""
    with public_scope():
        rows = Plan.objects.annotate(tenants=Count("tenantplan"))
        return [PlanRow(row.slug, row.name, tuple(row.plugins), row.tenants) for row in rows]


def slug_of(schema: str) -> str:
    """The plan of the tenant in `schema`, as `assign` takes it; "" for none."""
    with public_scope():
        return TenantPlan.objects.filter(tenant_schema=schema).values_list("plan__slug", flat=True).first() or ""


def define(slug: str, name: str, plugins: Collection[str]) -> bool:
    """Make a plan, or change it for all who have it, from their next request on. Call inside the actor's audited function.

    Returns:
        Whether anything changed.
    """
    wanted = {"name": name, "plugins": sorted(set(plugins))}
    with public_scope(), transaction.atomic():
        before = Plan.objects.select_for_update().filter(slug=slug).values("name", "plugins").first()
        if before == wanted:
            return False
        Plan.objects.update_or_create(slug=slug, defaults=wanted)
        bump_catalog()
        return True


def remove(slug: str) -> None:
    """Delete a plan that nobody has. Call inside the actor's audited function.

    Raises:
        PlanError: some tenants have it, or there is none.
    """
    with public_scope(), transaction.atomic():
        plan = Plan.objects.select_for_update().filter(slug=slug).first()
        if plan is None:
            raise PlanError(f"There is no plan {slug!r}.")
        if (having := plan.tenantplan_set.count()) > 0:
            whose = "an organisation" if having == 1 else f"{having} organisations"
            raise PlanError(f"{plan.name} is the plan of {whose}. Choose another one there first.")
        plan.delete()


def assign(slug: str) -> bool:
    """Give the current tenant a plan, from its next request on; "" takes it away. Call inside the actor's audited function.

    Returns:
        Whether anything changed.

    Raises:
        PlanError: there is no such plan.
    """
    schema = current_tenant().schema
    with transaction.atomic():
        if slug_of(schema) == slug:
            return False
        with public_scope():
            plan = Plan.objects.filter(slug=slug).first()
            if slug and plan is None:
                raise PlanError(f"There is no plan {slug!r}.")
            if plan is None:
                TenantPlan.objects.filter(tenant_schema=schema).delete()
            else:
                TenantPlan.objects.update_or_create(tenant_schema=schema, defaults={"plan": plan})
        bump_tenant()
        return True
