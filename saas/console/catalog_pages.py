"""The console's overview and catalog."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from plugin_framework.catalog.models import Availability
from plugin_framework.delivery import census
from plugin_framework.models import AuditEntry
from plugin_framework.registry import registry
from plugin_framework.tenancy import TenantRef, public_scope
from saas.console import actions, catalog_info, fleet
from saas.console.adoption import Adoption, count_adoption
from saas.console.catalog_info import REJECTED, CatalogInfo
from saas.console.forms import SAYING_WHY, OfferForm, StandingForm
from saas.console.telling import Decided
from saas.site.access import actor_of, admins_only
from saas.site.filters import filters
from saas.site.plugin_info import title_of
from tenants.models import PLATFORM_SCHEMA, State, Tenant

RECENT = 10  # audit entries on the overview
_STATES = {
    Availability.EVERYONE: Availability.EVERYONE.label,
    Availability.LISTED: Availability.LISTED.label,
    Availability.HIDDEN: gettext_lazy("Hidden"),
    Availability.DEPRECATED: gettext_lazy("Deprecated"),
    Availability.WITHDRAWN: gettext_lazy("Withdrawn"),
    REJECTED: gettext_lazy("Rejected"),
}
SHOWN = 20  # organisations named before a plugin is withdrawn; all of them are counted


@require_safe
@admins_only
def overview(request: HttpRequest) -> HttpResponse:
    """How many organisations and plugins there are, and what needs somebody's attention."""
    with public_scope():
        rows = Tenant.objects.exclude(schema_name=PLATFORM_SCHEMA).order_by().values_list("state").annotate(Count("pk"))
        states = dict(rows)
        stuck = list(Tenant.objects.filter(sign_up__given_up_at__isnull=False))
    adoption = count_adoption()
    catalog = catalog_info.catalog(adoption)
    context = {
        "tenants_total": sum(states.values()),
        "tenants_active": states.get(State.ACTIVE, 0),
        "tenants_suspended": states.get(State.SUSPENDED, 0),
        "stuck": stuck,
        "lost": fleet.lost(SHOWN),
        "plugins_total": len(registry.specs),
        "adoption": adoption,
        "withdrawn": [info for info in catalog if info.availability == Availability.WITHDRAWN],
        "quarantined": [info for info in catalog if info.quarantined],
        "most_used": sorted((info for info in catalog if info.adoption), key=lambda info: -info.adoption)[:5],
        "recent": list(AuditEntry.objects.all()[:RECENT]),
        "workers_alive": sum(worker.alive for worker in census.workers()),
        "lanes_open": sum(lane.open for lane in census.lanes()),
    }
    return render(request, "platform/overview.html", context)


@require_safe
@admins_only
def index(request: HttpRequest) -> HttpResponse:
    """All plugins, searched by `q` and filtered by `state` (an availability, or REJECTED)."""
    query, state = request.GET.get("q", "").strip()[:200], request.GET.get("state", "")
    state = state if state in _STATES else ""
    adoption = count_adoption()
    found = [info for info in catalog_info.catalog(adoption) if _matches(info, query)]
    labels = [(value, str(label)) for value, label in _STATES.items()]
    counts = Counter[str](each for info in found for each in info.states) | Counter({"": len(found)})
    context = {
        "plugins": [info for info in found if not state or state in info.states],
        "q": query,
        "state": state,
        "filters": filters(labels, counts, state, reverse("platform:catalog"), q=query),
        "adoption": adoption,
    }
    return render(request, "platform/catalog_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
def detail(request: HttpRequest, name: str) -> HttpResponse:
    """One plugin, and the decision to whom it is offered; on POST, decide. Whom a withdrawal hits is shown first."""
    adoption = count_adoption()
    info = catalog_info.one(name, adoption)
    form = OfferForm(name, request.POST if request.method == "POST" else None, initial=_offered(info))
    if not form.is_valid():
        return _show(request, info, adoption, form, status=422 if form.errors else 200)
    if form.cleaned_data["availability"] == Availability.WITHDRAWN and "confirm" not in request.POST:
        hit = fleet.having(name)
        if hit and info.availability != Availability.WITHDRAWN:
            return _show(request, info, adoption, form, hit=hit, status=409)
    return _decide(request, name, form)


@require_POST
@admins_only
def standing(request: HttpRequest, name: str) -> HttpResponse:
    """Decide whether new organisations begin with a plugin, and whether those that have it may disable it."""
    adoption = count_adoption()
    info = catalog_info.one(name, adoption)
    form = StandingForm(request.POST)
    form.full_clean()
    try:
        decided = actions.set_standing(name, actor_of(request), **form.cleaned_data)
    except actions.Refused as error:
        form.add_error("on_by_default", str(error))
        return _show(request, info, adoption, OfferForm(name, initial=_offered(info)), form, status=409)
    say(request, decided, _("%(title)s: saved.") % {"title": info.title})
    return redirect("platform:catalog_entry", name)


def _offered(info: CatalogInfo) -> dict[str, str]:
    listed = "\n".join(info.granted)
    return {
        "availability": info.availability,
        "message": info.message,
        "instead": info.instead,
        "tenants": listed,
    }


def _show(
    request: HttpRequest,
    info: CatalogInfo,
    adoption: Adoption,
    form: OfferForm,
    standing: StandingForm | None = None,
    *,
    hit: Sequence[TenantRef] = (),
    status: int,
) -> HttpResponse:
    context = {
        "plugin": info,
        "form": form,
        "standing": standing or StandingForm(initial={"on_by_default": info.on_by_default, "required": info.required}),
        "adoption": adoption,
        "hit": hit[:SHOWN],
        "hit_total": len(hit),
        "hit_more": max(len(hit) - SHOWN, 0),
    }
    return render(request, "platform/catalog_detail.html", context, status=status)


def _decide(request: HttpRequest, name: str, form: OfferForm) -> HttpResponse:
    data = form.cleaned_data
    chosen = Availability(data["availability"])
    said = {"message": data["message"]} if chosen in SAYING_WHY else {}  # nobody would read it anywhere else
    if chosen is Availability.DEPRECATED:
        said["instead"] = data["instead"]
    decided = actions.offer(name, chosen, actor_of(request), granted=data["granted"], **said)
    done = _("%(title)s: %(decision)s. Every organisation’s next request follows it.")
    say(request, decided, done % {"title": title_of(name), "decision": _STATES[chosen]})
    return redirect("platform:catalog_entry", name)


def say(request: HttpRequest, decided: Decided, done: str) -> None:
    """Say what came of a decision: `done`, and in whose logs it lacks; or that nothing was changed."""
    if decided.changed:
        messages.success(request, done)
    else:
        messages.info(request, _("Nothing was changed."))
    if decided.warning:
        messages.warning(request, decided.warning)


def _matches(info: CatalogInfo, query: str) -> bool:
    text = " ".join((info.name, info.title, info.description, info.category)).casefold()
    return all(word in text for word in query.casefold().split())
