"""The console's pages about plans: which plugins each includes, and who has it."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from plugin_framework.catalog import plans
from plugin_framework.catalog.plans import PlanError, PlanRow
from saas.console import actions
from saas.console.forms import NewPlanForm, PlanForm, TenantPlanForm
from saas.site.access import actor_of, admins_only
from saas.site.plugin_info import title_of
from tenants import operations


@require_safe
@admins_only
def index(request: HttpRequest) -> HttpResponse:
    """All plans."""
    found = [{"plan": plan, "titles": sorted(map(title_of, plan.plugins))} for plan in plans.plans()]
    return render(request, "platform/plans.html", {"plans": found})


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
def new(request: HttpRequest) -> HttpResponse:
    """Make a plan."""
    form = NewPlanForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        return _saved(request, form.cleaned_data["slug"], form.cleaned_data)
    return _form(request, form, None)


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
def detail(request: HttpRequest, slug: str) -> HttpResponse:
    """Change a plan for all who have it."""
    plan = _plan(slug)
    initial = {"name": plan.name, "plugins": list(plan.plugins)}
    form = PlanForm(request.POST if request.method == "POST" else None, initial=initial)
    if form.is_valid():
        return _saved(request, slug, form.cleaned_data)
    return _form(request, form, plan)


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
    return redirect("platform:tenant", slug)


def _plan(slug: str) -> PlanRow:
    found = next((plan for plan in plans.plans() if plan.slug == slug), None)
    if found is None:
        raise Http404(f"There is no plan {slug!r}.")
    return found


def _saved(request: HttpRequest, slug: str, data: dict[str, Any]) -> HttpResponse:
    if actions.define_plan(slug, data["name"], data["plugins"], actor_of(request)):
        messages.success(request, _("The plan %(name)s is saved.") % {"name": data["name"]})
    else:
        messages.info(request, _("Nothing was changed."))
    return redirect("platform:plans")


def _form(request: HttpRequest, form: PlanForm, plan: PlanRow | None) -> HttpResponse:
    status = 422 if form.errors else 200
    return render(request, "platform/plan.html", {"form": form, "plan": plan}, status=status)
