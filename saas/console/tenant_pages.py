"""The console's pages about organisations: find them, see what they run, suspend and resume them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from plugin_framework.catalog import plans
from plugin_framework.catalog.plans import PlanRow
from plugin_framework.delivery.given_up import given_up
from plugin_framework.models import AuditEntry
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from saas.console import setup_pages
from saas.console.fleet_view import LATELY
from saas.console.forms import SuspendForm, TenantPlanForm
from saas.links import url_of
from saas.site import plugin_info, quota_info
from saas.site.access import actor_of, admins_only
from saas.site.filters import filters
from tenants import operations, wholeness
from tenants.models import PLATFORM_SCHEMA, State, Tenant
from tenants.wholeness import Condition

PER_PAGE = 50
RECENT = 10  # audit entries on an organisation's page


@require_safe
@admins_only
def index(request: HttpRequest) -> HttpResponse:
    """All organisations by short name, searched by `q` and filtered by `state` and `plan`."""
    query = request.GET.get("q", "").replace("\x00", "").strip()[:100]
    state = request.GET.get("state", "")
    state = state if state in State.values else ""
    known = {plan.slug: plan for plan in plans.plans()}
    plan = known.get(request.GET.get("plan", ""))
    with public_scope():
        found = _found(query)
        if plan is not None:
            found = found.filter(schema_name__in=plans.tenants_on(plan.slug))
        counts = dict(found.order_by().values_list("state").annotate(Count("pk")))
        page = Paginator(found.filter(state=state) if state else found, PER_PAGE).get_page(request.GET.get("page"))
        rows = list(page.object_list)
    names = plans.names_of([row.schema_name for row in rows]) if known else {}
    labels = [(value, str(label)) for value, label in State.choices]
    context = {
        "tenants": [(row, names.get(row.schema_name)) for row in rows],
        "has_plans": bool(known),
        "plan": plan,
        "page": page,
        "q": query,
        "state": state,
        "filters": filters(labels, counts, state, reverse("platform:tenants"), q=query, plan=plan.slug if plan else ""),
    }
    return render(request, "platform/tenants.html", context)


@require_safe
@admins_only
def detail(request: HttpRequest, slug: str) -> HttpResponse:
    """One organisation with its plugins; or how far it is, if it is still being set up."""
    tenant = tenant_called(slug)
    if tenant.state == State.PROVISIONING:
        return setup_pages.detail(request, tenant)
    return show(request, tenant, SuspendForm())


@require_POST
@admins_only
def suspend(request: HttpRequest, slug: str) -> HttpResponse:
    """Stop serving an organisation, with a message for its people."""
    tenant = tenant_called(slug)
    form = SuspendForm(request.POST)
    if not form.is_valid() and tenant.state != State.PROVISIONING:
        return show(request, tenant, form)
    try:
        operations.suspend(slug, form.cleaned_data.get("message", ""), actor_of(request))
    except operations.NotPossible as error:
        messages.error(request, str(error))
    else:
        said = _("%(name)s is suspended. Its data stays, and its deliveries wait.")
        messages.success(request, said % {"name": tenant.name})
    return redirect("platform:tenant", slug)


@require_POST
@admins_only
def resume(request: HttpRequest, slug: str) -> HttpResponse:
    """Serve a suspended organisation again."""
    tenant = tenant_called(slug)
    try:
        operations.resume(slug, actor_of(request))
    except operations.NotPossible as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("%(name)s is served again.") % {"name": tenant.name})
    return redirect("platform:tenant", slug)


def _found(query: str) -> QuerySet[Tenant]:
    rows: QuerySet[Tenant] = Tenant.objects.exclude(schema_name=PLATFORM_SCHEMA).order_by("slug")
    for word in query.split():
        rows = rows.filter(Q(slug__icontains=word) | Q(name__icontains=word))
    return rows


def tenant_called(slug: str) -> Tenant:
    """The organisation `slug`, but never the platform's own; 404 if there is none."""
    with public_scope():
        found: Tenant | None = Tenant.objects.filter(slug=slug).exclude(schema_name=PLATFORM_SCHEMA).first()
    if found is None:
        raise Http404(f"There is no organisation {slug!r}.")
    return found


@dataclass(frozen=True, slots=True)
class PlanChange:
    """A change of an organisation's plan that waits to be confirmed.

    Attributes:
        slug: of the plan that was chosen. `plan`: its name. `stopping`: titles of what runs there and is not in it.
    """

    slug: str
    plan: str
    stopping: tuple[str, ...]


def show(
    request: HttpRequest, tenant: Tenant, form: SuspendForm, error: str = "", change: PlanChange | None = None
) -> HttpResponse:
    """The page of one organisation; `error`: why it was not deleted."""
    with public_scope():
        domains = list(tenant.domains.all())
        ref = tenant.ref(next((domain.domain for domain in domains if domain.is_primary), ""))
        known, plan = plans.choices_of(ref.schema)
    found = wholeness.condition(ref)
    whole = found is Condition.WHOLE
    context = {
        "organisation": tenant,  # `tenant` is the platform's own, as on every page
        "host": ref.host,
        "hosts": [(domain.domain, url_of(domain.domain)) for domain in domains],
        "plan": plan,
        "whole": whole,
        "lost": found is Condition.LOST,
        **(_inside(ref, plan) if whole else {}),
        "days": LATELY.days,
        "form": form,
        "delete_error": error,
        "delete_days": settings.TENANT_DELETE_DAYS,
        "rest_days": settings.TENANT_HOST_REST_DAYS,
        "plan_form": TenantPlanForm(
            known=known, initial={"plan": change.slug if change else plan.slug if plan else ""}
        ),
        "change": change,
    }
    status = 422 if form.errors else 409 if error or change else 200
    return render(request, "platform/tenant_detail.html", context, status=status)


def _inside(ref: TenantRef, plan: PlanRow | None) -> dict[str, Any]:
    """What only its own schema says."""
    dead = given_up([ref.schema], timezone.now() - LATELY)
    with tenant_scope(ref):
        found = [(info, dead.get((ref.schema, info.name), 0)) for info in plugin_info.plugins(for_staff=True)]
        return {
            "plugins": [(info, given) for info, given in found if info.version_here or given],
            "others": [(info, given) for info, given in found if not info.version_here and not given],
            "usages": quota_info.under(plan),
            "recent": list(AuditEntry.objects.all()[:RECENT]),
        }
