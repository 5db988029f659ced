"""What became of a plugin's events: the deliveries, their attempts, and "deliver again"."""

from __future__ import annotations

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from plugin_framework.delivery import breaker
from plugin_framework.delivery.redeliver import redeliver
from plugin_framework.models import Delivery
from plugin_framework.models.delivery import DeliveryState
from plugin_framework.sdk import NotAllowed
from saas.site import plugin_info
from saas.site.access import actor_of, admins_only
from saas.site.filters import Filter, filters

PER_PAGE = 50


@require_safe
@admins_only
def index(request: HttpRequest, name: str) -> HttpResponse:
    """A plugin's deliveries, newest first, filtered by `state`."""
    info = plugin_info.plugin(name)
    state = request.GET.get("state", "")
    state = state if state in DeliveryState.values else ""
    rows = Delivery.objects.filter(plugin=name).defer("payload").order_by("-id")
    page = Paginator(rows.filter(state=state) if state else rows, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "plugin": info,
        "deliveries": list(page.object_list),
        "page": page,
        "state": state,
        "filters": _filters(name, state),
    }
    return render(request, "settings/plugins/deliveries.html", context)


@require_safe
@admins_only
def detail(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """One delivery with its attempts."""
    info = plugin_info.plugin(name)
    delivery = get_object_or_404(Delivery.objects.defer("payload"), plugin=name, pk=number)
    context = {
        "plugin": info,
        "delivery": delivery,
        "attempts": list(delivery.attempt_rows.order_by("-number")),
        "running": delivery.state == DeliveryState.DUE
        and delivery.started_at is not None
        and delivery.finished_at is None,
    }
    return render(request, "settings/plugins/delivery.html", context)


@require_POST
@admins_only
def again(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """Have one delivery tried again, now."""
    get_object_or_404(Delivery.objects.only("pk"), plugin=name, pk=number)
    try:
        redeliver(number, actor_of(request))
    except NotAllowed as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "It is being delivered again.")
    return redirect("settings:delivery", name, number)


@require_POST
@admins_only
def pause(request: HttpRequest, name: str) -> HttpResponse:
    """Let a plugin's deliveries wait until somebody resumes them."""
    info = plugin_info.plugin(name)
    if not info.enabled:
        messages.error(request, f"{info.title} is not enabled, so there is nothing to pause.")
    else:
        breaker.pause(name, actor_of(request))
        messages.success(request, f"Deliveries of {info.title} are paused. What happens meanwhile is kept.")
    return redirect("settings:deliveries", name)


@require_POST
@admins_only
def resume(request: HttpRequest, name: str) -> HttpResponse:
    """Let them go out again, now."""
    info = plugin_info.plugin(name)
    breaker.resume(name, actor_of(request))
    messages.success(request, f"Deliveries of {info.title} are resumed: what was waiting is being tried now.")
    return redirect("settings:deliveries", name)


def _filters(name: str, chosen: str) -> list[Filter]:
    counts = dict(Delivery.objects.filter(plugin=name).order_by().values_list("state").annotate(Count("pk")))
    labels = [(value, str(label)) for value, label in DeliveryState.choices]
    return filters(labels, counts, chosen, reverse("settings:deliveries", args=[name]))
