"""The console's overview and catalog."""

from __future__ import annotations

from collections import Counter

from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from plugin_framework.catalog.models import Availability
from plugin_framework.models import AuditEntry
from plugin_framework.registry import registry
from plugin_framework.tenancy import public_scope
from saas.console import actions, catalog_info, fleet
from saas.console.catalog_info import CatalogInfo
from saas.console.forms import OfferForm
from saas.site.access import actor_of, admins_only
from saas.site.filters import filters
from saas.site.plugin_info import title_of
from tenants.models import PLATFORM_SCHEMA, State, Tenant

RECENT = 10  # audit entries on the overview


@require_safe
@admins_only
def overview(request: HttpRequest) -> HttpResponse:
    """How many organisations and plugins there are, and what needs somebody's attention."""
    with public_scope():
        rows = Tenant.objects.exclude(schema_name=PLATFORM_SCHEMA).order_by().values_list("state").annotate(Count("pk"))
        states = dict(rows)
        stuck = list(Tenant.objects.filter(sign_up__given_up_at__isnull=False))
    catalog = catalog_info.catalog(fleet.adoption())
    context = {
        "tenants_total": sum(states.values()),
        "tenants_active": states.get(State.ACTIVE, 0),
        "tenants_suspended": states.get(State.SUSPENDED, 0),
        "stuck": stuck,
        "plugins_total": len(registry.specs),
        "withdrawn": [info for info in catalog if info.availability == Availability.WITHDRAWN],
        "quarantined": [info for info in catalog if info.quarantined],
        "most_used": sorted((info for info in catalog if info.adoption), key=lambda info: -info.adoption)[:5],
        "recent": list(AuditEntry.objects.all()[:RECENT]),
    }
    return render(request, "platform/overview.html", context)


@require_safe
@admins_only
def index(request: HttpRequest) -> HttpResponse:
    """All plugins, searched by `q` and filtered by `state` (an availability)."""
    query, state = request.GET.get("q", "").strip()[:200], request.GET.get("state", "")
    state = state if state in Availability.values else ""
    adoption = fleet.adoption()
    found = [info for info in catalog_info.catalog(adoption) if _matches(info, query)]
    labels = [(value, str(label).partition(":")[0]) for value, label in Availability.choices]
    context = {
        "plugins": [info for info in found if not state or info.availability == state],
        "q": query,
        "state": state,
        "filters": filters(
            labels, Counter[str](info.availability for info in found), state, reverse("platform:catalog"), q=query
        ),
        "adoption": adoption,
    }
    return render(request, "platform/catalog_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
def detail(request: HttpRequest, name: str) -> HttpResponse:
    """One plugin, and the decision to whom it is offered; on POST, decide."""
    adoption = fleet.adoption()
    info = catalog_info.one(name, adoption)
    if request.method != "POST":
        initial = {"availability": info.availability, "message": info.message, "tenants": "\n".join(info.granted)}
        form = OfferForm(initial=initial)
    else:
        form = OfferForm(request.POST)
        if form.is_valid():
            return _decide(request, name, form)
    context = {"plugin": info, "form": form, "adoption": adoption}
    return render(request, "platform/catalog_detail.html", context, status=422 if form.errors else 200)


def _decide(request: HttpRequest, name: str, form: OfferForm) -> HttpResponse:
    data = form.cleaned_data
    chosen = Availability(data["availability"])
    message = data["message"] if chosen is Availability.WITHDRAWN else ""  # nobody would read it anywhere else
    if actions.offer(name, chosen, actor_of(request), message=message, granted=data["granted"]):
        messages.success(request, f"{title_of(name)}: {chosen.label}. Every organisation's next request follows it.")
    else:
        messages.info(request, "Nothing was changed.")
    return redirect("platform:catalog_entry", name)


def _matches(info: CatalogInfo, query: str) -> bool:
    text = " ".join((info.name, info.title, info.description, info.category)).casefold()
    return all(word in text for word in query.casefold().split())
