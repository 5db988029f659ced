"""The console's pages about plans: which plugins each includes, what it limits, and who has it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from plugin_framework import quotas
from plugin_framework.catalog import plans
from plugin_framework.catalog.plans import PlanError, PlanRow
from plugin_framework.tenancy import tenant_scope
from saas.console import actions, plan_usage
from saas.console.forms import MEGABYTE, NewPlanForm, PlanForm, TenantPlanForm
from saas.site import quota_info
from saas.site.access import actor_of, admins_only
from saas.site.plugin_info import title_of
from tenants import directory, operations


@require_safe
@admins_only
def index(request: HttpRequest) -> HttpResponse:
    """All plans."""
    found = [
        {"plan": plan, "titles": sorted(map(title_of, plan.plugins)), "limits": plan_usage.words(plan.limits)}
        for plan in plans.plans()
    ]
    return render(request, "platform/plans.html", {"plans": found})


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
def new(request: HttpRequest) -> HttpResponse:
    """Make a plan."""
    form = NewPlanForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        return _saved(request, form.cleaned_data["slug"], form)
    return _form(request, form, None)


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
def detail(request: HttpRequest, slug: str) -> HttpResponse:
    """Change a plan for all who have it; whom a lower limit hits is shown first, and has to be confirmed."""
    plan = _plan(slug)
    form = PlanForm(request.POST if request.method == "POST" else None, initial=_initial(plan))
    if not form.is_valid():
        return _form(request, form, plan)
    preview, confirmed = "preview" in request.POST, "confirm" in request.POST
    if preview or not confirmed:
        hit = plan_usage.hit_by(slug, form.cleaned_data["name"], form.limits(), plan.limits, everything=preview)
        if preview or hit.organisations:
            return _form(request, form, plan, hit)
    return _saved(request, slug, form)


@require_POST
@admins_only
def remove(request: HttpRequest, slug: str) -> HttpResponse:
    """Delete a plan that nobody has."""
    try:
        actions.remove_plan(slug, actor_of(request))
    except PlanError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The plan is deleted."))
    return redirect("platform:plans")


@require_POST
@admins_only
def assign(request: HttpRequest, slug: str) -> HttpResponse:
    """Give an organisation another plan."""
    form = TenantPlanForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("There is no such plan."))
        return redirect("platform:tenant", slug)
    try:
        changed = operations.change_plan(slug, form.cleaned_data["plan"], actor_of(request))
    except operations.NoSuchTenant as error:
        raise Http404(str(error)) from error
    except (operations.NotPossible, PlanError) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The plan is changed.") if changed else _("Nothing was changed."))
        _warn_of_what_is_beyond(request, slug)
    return redirect("platform:tenant", slug)


def _plan(slug: str) -> PlanRow:
    found = next((plan for plan in plans.plans() if plan.slug == slug), None)
    if found is None:
        raise Http404(f"There is no plan {slug!r}.")
    return found


def _initial(plan: PlanRow) -> dict[str, Any]:
    limits = plan.limits
    storage = None if limits.storage is None else max(limits.storage // MEGABYTE, 1)
    values = {"people": limits.people, "deliveries": limits.deliveries, "storage": storage}
    return {"name": plan.name, "plugins": list(plan.plugins), **values}


def _warn_of_what_is_beyond(request: HttpRequest, slug: str) -> None:
    entry = directory.by_slug(slug)
    if entry is None:
        return
    with tenant_scope(entry.ref):
        for each in quota_info.beyond(quotas.usages()):
            said = _("It uses more than that already. %(title)s: %(amount)s. Nothing is taken away. %(then)s")
            messages.warning(request, said % {"title": each.title, "amount": each.amount, "then": each.then})


def _saved(request: HttpRequest, slug: str, form: PlanForm) -> HttpResponse:
    data = form.cleaned_data
    if actions.define_plan(slug, data["name"], data["plugins"], form.limits(), actor_of(request)):
        messages.success(request, _("The plan %(name)s is saved.") % {"name": data["name"]})
    else:
        messages.info(request, _("Nothing was changed."))
    return redirect("platform:plans")


def _form(
    request: HttpRequest, form: PlanForm, plan: PlanRow | None, hit: plan_usage.Hit | None = None
) -> HttpResponse:
    refused = hit is not None and "preview" not in request.POST
    status = 422 if form.errors else 409 if refused else 200
    context = {"form": form, "plan": plan, "hit": hit, "refused": refused}
    return render(request, "platform/plan.html", context, status=status)
