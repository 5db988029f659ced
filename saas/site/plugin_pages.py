"""The pages on which an admin finds, enables and disables plugins; the settings form is in `plugin_settings`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import chain

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from plugin_framework import lifecycle, purge
from plugin_framework.gate import Reason
from plugin_framework.models import Delivery, PluginState
from plugin_framework.models.delivery import DeliveryState
from plugin_framework.registry import registry
from plugin_framework.sdk import NotAllowed
from saas.site import plugin_info
from saas.site.access import actor_of, admins_only
from saas.site.filters import Filter, filters
from saas.site.plugin_info import STATES, PluginInfo
from saas.site.plugin_settings import render_detail


@require_safe
@admins_only
def index(request: HttpRequest) -> HttpResponse:
    """All plugins, searched by `q` and filtered by `state`."""
    query, state = request.GET.get("q", "").strip()[:200], request.GET.get("state", "")
    state = state if state in STATES else ""
    found = plugin_info.matching(plugin_info.plugins(), query, "")
    context = {
        "plugins": plugin_info.matching(found, "", state),
        "q": query,
        "state": state,
        "filters": _filters(found, query, state),
        "total": len(found),
    }
    return render(request, "settings/plugins/list.html", context)


@require_safe
@admins_only
def detail(request: HttpRequest, name: str) -> HttpResponse:
    """What a plugin does, how it stands here, and its settings."""
    return render_detail(request, plugin_info.plugin(name))


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
def enable(request: HttpRequest, name: str) -> HttpResponse:
    """Say what enabling brings with it; on POST, do it and lead on to the settings if it needs some."""
    info = plugin_info.plugin(name)
    if request.method != "POST":
        return redirect("settings:plugin", name) if info.enabled else _confirm_enable(request, info)
    try:
        done = lifecycle.enable(name, actor_of(request))
    except NotAllowed as error:
        return _confirm_enable(request, info, str(error))
    messages.success(request, _enabled(done) if done else f"{info.title} was enabled already.")
    return _after_enabling(request, info)


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
def disable(request: HttpRequest, name: str) -> HttpResponse:
    """Say what disabling stops and what it keeps; on POST, do it, with its dependants if `cascade` is ticked."""
    info = plugin_info.plugin(name)
    if request.method != "POST":
        return _confirm_disable(request, info) if info.enabled else redirect("settings:plugin", name)
    try:
        done = lifecycle.disable(name, actor_of(request), cascade=bool(request.POST.get("cascade")))
    except NotAllowed as error:
        return _confirm_disable(request, info, str(error))
    titles = ", ".join(plugin_info.title_of(each) for each in done)
    kept = "Settings and data are kept."
    messages.success(request, f"Disabled: {titles}. {kept}" if done else f"{info.title} was disabled already. {kept}")
    return redirect("settings:plugin", name)


@require_POST
@admins_only
def resume(request: HttpRequest, name: str) -> HttpResponse:
    """Let a paused plugin run again at once."""
    info = plugin_info.plugin(name)
    lifecycle.resume(name, actor_of(request))
    messages.success(request, f"{info.title} is not paused any more.")
    return redirect("settings:plugin", name)


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
def purge_plugin(request: HttpRequest, name: str) -> HttpResponse:
    """Say what purging deletes; on POST with the plugin's name typed, do it."""
    info = plugin_info.plugin(name)
    try:
        found = purge.preview(name)
        if request.method == "POST":
            purge.purge(name, actor_of(request), confirmation=request.POST.get("confirmation", ""))
    except NotAllowed as error:
        if request.method != "POST":
            messages.info(request, str(error))
            return redirect("settings:plugin", name)
        context = {"plugin": info, "found": found, "error": str(error)}
        return render(request, "settings/plugins/confirm_purge.html", context, status=409)
    if request.method != "POST":
        return render(request, "settings/plugins/confirm_purge.html", {"plugin": info, "found": found})
    messages.success(request, f"All that {info.title} had stored is deleted.")
    return redirect("settings:plugins")


def _filters(found: list[PluginInfo], query: str, chosen: str) -> list[Filter]:
    counts = Counter[str](info.state for info in found)
    return filters(STATES.items(), counts, chosen, reverse("settings:plugins"), q=query)


def _confirm_enable(request: HttpRequest, info: PluginInfo, error: str = "") -> HttpResponse:
    enabled = set(PluginState.objects.filter(enabled=True).values_list("plugin", flat=True))
    wanted = registry.requirements(info.name) if info.name in registry.specs else ()
    also = [plugin_info.describe(lifecycle.status(each), enabled) for each in wanted if each not in enabled]
    blocked = next((each for each in (*also, info) if not each.may_enable), None)
    context = {
        "plugin": info,
        "also": also,  # enabled first, in this order
        "hooks": _all(each.hooks for each in (*also, info)),
        "reads": _all(each.reads for each in (*also, info)),
        "sends_to": _all(each.sends_to for each in (*also, info)),
        "blocked": blocked,
        "error": error or (f"{blocked.title}: {blocked.reason_text}" if blocked else ""),
    }
    return render(request, "settings/plugins/confirm_enable.html", context, status=409 if error else 200)


def _confirm_disable(request: HttpRequest, info: PluginInfo, error: str = "") -> HttpResponse:
    context = {
        "plugin": info,
        "dependants": [each for each in info.needed_by if each.enabled],
        "waiting": Delivery.objects.filter(plugin=info.name, state=DeliveryState.DUE).count(),
        "error": error,
    }
    return render(request, "settings/plugins/confirm_disable.html", context, status=409 if error else 200)


def _all[T](groups: Iterable[Iterable[T]]) -> list[T]:
    """What stands in any of `groups`, each once, in order."""
    return list(dict.fromkeys(chain.from_iterable(groups)))


def _enabled(names: list[str]) -> str:
    return f"Enabled: {', '.join(plugin_info.title_of(name) for name in names)}."


def _after_enabling(request: HttpRequest, info: PluginInfo) -> HttpResponse:
    url = reverse("settings:plugin", args=[info.name])
    decision = lifecycle.status(info.name).decision
    if decision.reason is Reason.NEEDS_SETUP:
        messages.info(request, f"{info.title} runs as soon as its settings are complete.")
        return redirect(f"{url}#settings")
    return redirect(url)
