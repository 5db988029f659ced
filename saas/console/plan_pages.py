"""The console's pages about plans: which plugins each includes, what it limits, and who has it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from plugin_framework import quotas
from plugin_framework.catalog import plans
from plugin_framework.catalog.plans import PlanError, PlanRow
from plugin_framework.registry import registry
from plugin_framework.tenancy import tenant_scope
from saas.console import actions, fleet_view, plan_usage, tenant_pages
from saas.console.forms import MEGABYTE, NewPlanForm, PlanForm, SuspendForm, TenantPlanForm
from saas.console.tenant_pages import PlanChange
from saas.site import quota_info
from saas.site.access import actor_of, admins_only
from saas.site.plugin_info import title_of
from tenants import directory, operations

NAMED = 12  # plugins of a plan in the list; its page has all of them


@require_safe
@admins_only
def index(request: HttpRequest) -> HttpResponse:
    """All plans."""
    return render(request, "platform/plans.html", {"plans": [_in_list(plan) for plan in plans.plans()]})


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
    """Change a plan for all who have it; whom a lower limit or a lost plugin hits is shown first, and has to be confirmed."""
    plan = _plan(slug)
    form = PlanForm(request.POST if request.method == "POST" else None, initial=_initial(plan))
    if not form.is_valid():
        return _form(request, form, plan)
    preview, confirmed = "preview" in request.POST, "confirm" in request.POST
    if preview or not confirmed:
        hit = plan_usage.hit_by(slug, form.cleaned_data["name"], form.limits(), plan.limits, everything=preview)
        stops = plan_usage.stopped_by(slug, set(plan.plugins) - set(form.cleaned_data["plugins"]))
        if preview or hit.organisations or stops:
            return _form(request, form, plan, hit, stops)
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
    """Give an organisation another plan; what would stop there is shown first, and has to be confirmed."""
    form = TenantPlanForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("There is no such plan."))
        return redirect("platform:tenant", slug)
    wanted = form.cleaned_data["plan"]
    if "confirm" not in request.POST and (change := _stopping(slug, wanted)) is not None:
        return tenant_pages.show(request, tenant_pages.tenant_called(slug), SuspendForm(), change=change)
    try:
        changed = operations.change_plan(slug, wanted, actor_of(request))
    except operations.NoSuchTenant as error:
        raise Http404(str(error)) from error
    except (operations.NotPossible, PlanError) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("The plan is changed.") if changed else _("Nothing was changed."))
        _warn_of_what_is_beyond(request, slug)
    return redirect(f"{reverse('platform:tenant', args=[slug])}#main")  # the form's own place is further down


def _stopping(slug: str, wanted: str) -> PlanChange | None:
    """What runs in an organisation and would stop with the plan `wanted`; None if nothing does."""
    entry, plan = directory.by_slug(slug), next((each for each in plans.plans() if each.slug == wanted), None)
    if entry is None or plan is None or plans.slug_of(entry.ref.schema) == wanted:
        return None
    active = fleet_view.looked_into([entry.ref])[0].get(entry.ref.schema)
    running = [name for name in active[1].enabled if active[0].decision(name).runs] if active else []
    lost = [name for name in running if not {name, *registry.requirements(name)} <= set(plan.plugins)]
    titles = sorted(map(title_of, lost), key=str.casefold)
    return PlanChange(plan.slug, plan.name, tuple(titles)) if titles else None


def _in_list(plan: PlanRow) -> dict[str, Any]:
    titles = sorted(map(title_of, plan.plugins), key=str.casefold)
    few = titles if len(titles) <= NAMED else titles[: NAMED - 2]  # never "and 1 other" where its name has room
    limits = plan_usage.words(plan.limits)
    return {"plan": plan, "titles": few, "more": len(titles) - len(few), "limits": limits}


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
    request: HttpRequest,
    form: PlanForm,
    plan: PlanRow | None,
    hit: plan_usage.Hit | None = None,
    stops: Sequence[tuple[str, int]] = (),
) -> HttpResponse:
    refused = hit is not None and "preview" not in request.POST
    status = 422 if form.errors else 409 if refused else 200
    context = {"form": form, "plan": plan, "hit": hit, "stops": stops, "refused": refused}
    return render(request, "platform/plan.html", context, status=status)
