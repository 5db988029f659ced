"""Plans: which plugins a tenant may run, and how much of the platform it may use. Changing one deletes nothing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass

from django.db import transaction
from django.db.models import Count, Q
from django.utils.translation import gettext, ngettext

from plugin_framework.catalog.models import Plan, TenantPlan
from plugin_framework.catalog.revisions import bump_catalog, bump_tenant
from plugin_framework.delivery import lanes
from plugin_framework.sdk._counts import Counted
from plugin_framework.tenancy import current_tenant, public_scope

MOST = 2**63 - 1  # what the columns hold


class PlanError(ValueError):
    """This cannot be done to this plan; the text says why."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a tenant may use; None is no limit.

    Attributes:
        people: accounts that may sign in, and open invitations. `deliveries`: begun in a day, UTC. `storage`: bytes.

    Raises:
        PlanError: one is less than 1, with which nothing could be done any more. Leave it away for no limit.
    """

    people: int | None = None
    deliveries: int | None = None
    storage: int | None = None

    def __post_init__(self) -> None:
        for name in ("people", "deliveries", "storage"):
            value = getattr(self, name)
            if value is not None and not 1 <= value <= MOST:
                raise PlanError(
                    gettext("The limit of %(name)s is %(value)s; give a number from 1, or none for no limit.")
                    % {"name": name, "value": value}
                )


UNLIMITED = Limits()


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """A tenant's plan, as the gate and the worker need it."""

    name: str
    plugins: frozenset[str]
    limits: Limits = UNLIMITED


@dataclass(frozen=True, slots=True)
class PlanName:
    """A plan as a list names it."""

    slug: str
    name: str


@dataclass(frozen=True, slots=True)
class PlanRow:
    """A plan, and how many tenants have it."""

    slug: str
    name: str
    plugins: tuple[str, ...]
    tenants: int
    limits: Limits = UNLIMITED


def plan_of(schema: str) -> PlanFacts | None:
    """The plan of the tenant in `schema`; None: it may run all that is offered to it."""
    with public_scope():
        found = TenantPlan.objects.select_related("plan").filter(tenant_schema=schema).first()
    return facts(found.plan) if found else None


def facts(plan: Plan) -> PlanFacts:
    """What the gate and the worker need of `plan`."""
    return PlanFacts(plan.name, frozenset(plan.plugins), _limits(plan))


def plans() -> list[PlanRow]:
    """All plans, by name."""
    with public_scope():
        return [
            _row(row, row.tenants) for row in Plan.objects.annotate(tenants=Count("tenantplan")).order_by("name", "pk")
        ]


def names_of(schemas: Collection[str]) -> dict[str, PlanName]:
    """The plans of these tenants, by schema; those without one are left out."""
    with public_scope():
        rows = TenantPlan.objects.filter(tenant_schema__in=schemas).values_list(
            "tenant_schema", "plan__slug", "plan__name"
        )
        return {schema: PlanName(slug, name) for schema, slug, name in rows}


def tenants_on(slug: str) -> list[str]:
    """The schemas of the tenants that have a plan."""
    with public_scope():
        return list(TenantPlan.objects.filter(plan__slug=slug).order_by("pk").values_list("tenant_schema", flat=True))


def choices_of(schema: str) -> tuple[list[PlanRow], PlanRow | None]:
    """All plans, by name, and which of them the tenant in `schema` has; None: it may run all that is offered to it."""
    own = Count("tenantplan", filter=Q(tenantplan__tenant_schema=schema))
    with public_scope():
        rows = Plan.objects.annotate(tenants=Count("tenantplan"), own=own).order_by("name", "pk")
        found = [(_row(row, row.tenants), row.own) for row in rows]
    return [row for row, _own in found], next((row for row, has in found if has), None)


def slug_of(schema: str) -> str:
    """The plan of the tenant in `schema`, as `assign` takes it; "" for none."""
    with public_scope():
        return TenantPlan.objects.filter(tenant_schema=schema).values_list("plan__slug", flat=True).first() or ""


def define(slug: str, name: str, plugins: Collection[str], limits: Limits = UNLIMITED) -> bool:
    """Make a plan, or change it for all who have it, from their next request on. Call inside the actor's audited function.

    Deliveries that wait because of the day's limit are looked at again.

    Returns:
        Whether anything changed.
    """
    wanted = {"name": name, "plugins": sorted(set(plugins)), **asdict(limits)}
    with public_scope(), transaction.atomic():
        before = Plan.objects.select_for_update().filter(slug=slug).values(*wanted).first()
        if before == wanted:
            return False
        Plan.objects.update_or_create(slug=slug, defaults=wanted)
        bump_catalog()
        if before and before["deliveries"] != limits.deliveries:
            lanes.hurry_over_quota(tenants_on(slug))
        return True


def remove(slug: str) -> None:
    """Delete a plan that nobody has. Call inside the actor's audited function.

    Raises:
        PlanError: some tenants have it, or there is none.
    """
    with public_scope(), transaction.atomic():
        plan = Plan.objects.select_for_update().filter(slug=slug).first()
        if plan is None:
            raise PlanError(
                gettext("There is no plan “%(slug)s”. Make it first, or choose another one.") % {"slug": slug}
            )
        if (having := plan.tenantplan_set.count()) > 0:
            raise PlanError(
                ngettext(
                    "%(name)s is the plan of an organisation. Choose another one there first.",
                    "%(name)s is the plan of %(number)s organisations. Choose another one there first.",
                    having,
                )
                % {"name": plan.name, "number": Counted(having)}
            )
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
                raise PlanError(
                    gettext("There is no plan “%(slug)s”. Make it first, or choose another one.") % {"slug": slug}
                )
            if plan is None:
                TenantPlan.objects.filter(tenant_schema=schema).delete()
            else:
                TenantPlan.objects.update_or_create(tenant_schema=schema, defaults={"plan": plan})
        bump_tenant()
        lanes.hurry_over_quota([schema])
        return True


def _row(plan: Plan, tenants: int) -> PlanRow:
    return PlanRow(plan.slug, plan.name, tuple(plan.plugins), tenants, _limits(plan))


def _limits(plan: Plan) -> Limits:
    return Limits(plan.people, plan.deliveries, plan.storage)
