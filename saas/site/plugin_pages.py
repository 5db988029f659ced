"""The pages on which an admin finds plugins, agrees, disables and purges; see also `plugin_enable` and `plugin_settings`."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from plugin_framework import lifecycle, permissions, purge
from plugin_framework.models import Delivery
from plugin_framework.models.delivery import DeliveryState
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
    shown = plugin_info.matching(found, "", state)
    context = {
        "plugins": shown,
        "elsewhere": len(found) - len(shown),
        "q": query,
        "state": state,
        "filters": _filters(found, query, state),
    }
    return render(request, "settings/plugins/list.html", context)


@require_safe
@admins_only
def detail(request: HttpRequest, name: str) -> HttpResponse:
    """What a plugin does, how it stands here, and its settings."""
    return render_detail(request, plugin_info.plugin(name))


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
    said = (
        _("Disabled: %(titles)s. Settings and data are kept.")
        if done
        else _("%(title)s was disabled already. Settings and data are kept.")
    )
    messages.success(request, said % {"titles": titles, "title": info.title})
    return redirect("settings:plugin", name)


@require_POST
@admins_only
def agree(request: HttpRequest, name: str) -> HttpResponse:
    """Agree to what a newer version of an enabled plugin asks for, as it was shown on its page."""
    info = plugin_info.plugin(name)
    try:
        permissions.agree(name, actor_of(request), shown=request.POST.get("agreed", ""))
    except NotAllowed as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("You have agreed to what %(title)s may do.") % {"title": info.title})
    return redirect("settings:plugin", name)


@require_POST
@admins_only
def resume(request: HttpRequest, name: str) -> HttpResponse:
    """Let a paused plugin run again at once."""
    info = plugin_info.plugin(name)
    lifecycle.resume(name, actor_of(request))
    messages.success(request, _("%(title)s is not paused any more.") % {"title": info.title})
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
        context = {"plugin": info, "found": found, "error": str(error), "typed": request.POST.get("confirmation", "")}
        return render(request, "settings/plugins/confirm_purge.html", context, status=409)
    if request.method != "POST":
        return render(request, "settings/plugins/confirm_purge.html", {"plugin": info, "found": found})
    messages.success(request, _("All that %(title)s had stored is deleted.") % {"title": info.title})
    return redirect("settings:plugins")


def _filters(found: list[PluginInfo], query: str, chosen: str) -> list[Filter]:
    counts = {state: sum(plugin_info.found_under(info, state) for info in found) for state in STATES}
    counts[""] = len(found)
    labels = [(state, str(label)) for state, label in STATES.items()]
    return filters(labels, counts, chosen, reverse("settings:plugins"), q=query)


def _confirm_disable(request: HttpRequest, info: PluginInfo, error: str = "") -> HttpResponse:
    context = {
        "plugin": info,
        "dependants": [each for each in info.needed_by if each.enabled],
        "waiting": Delivery.objects.filter(plugin=info.name, state=DeliveryState.DUE).count(),
        "error": error,
    }
    return render(request, "settings/plugins/confirm_disable.html", context, status=409 if error else 200)
