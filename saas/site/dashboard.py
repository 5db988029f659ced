"""The first page of an organisation: what its plugins show; for its admins, what is going on and what needs them.

Template: `tenant/dashboard.html` (`panels`; for admins `checklist`, `steps_done`, `steps_hidden`, `quotas`, `attention`, `day`, `latest`
with `titles`, `changes`).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST, require_safe

from plugin_framework import activation
from plugin_framework.quotas import Kind
from plugin_framework.registry import registry
from plugin_framework.sdk import PluginAwareView, PluginInterface
from plugin_framework.sdk._calling import plugins_code
from saas.site import going_on, plugin_info, quota_info
from saas.site.access import admins_only, signed_in
from saas.site.first_steps import first_steps
from saas.site.spoken import spoken
from tenants.accounts import preferences

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DrawnPanel:
    """A plugin's panel, drawn by the plugin's own template."""

    plugin: str
    title: str
    icon: str
    html: SafeString


@method_decorator([require_safe, signed_in], name="dispatch")
class DashboardView(PluginAwareView):
    """What plugins are told of like their own pages."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """The panels of the running plugins; for admins also what is going on, and what a new organisation has left to do."""
        context: dict[str, Any] = {"panels": panels(request)}
        if request.user.is_authenticated and request.user.is_admin:
            context |= _for_admins(hidden=request.user.steps_hidden)
        return render(request, "tenant/dashboard.html", context)


@require_POST
@admins_only
def first_steps_page(request: HttpRequest) -> HttpResponse:
    """Hide the first steps from the admin who asks, or show them again."""
    preferences.hide_steps(request.user, hidden=request.POST.get("show") != "1")  # type: ignore[arg-type]  # admins_only has looked
    return redirect("tenant:dashboard")


def _for_admins(*, hidden: bool) -> dict[str, Any]:
    plugins = plugin_info.plugins()
    steps = first_steps(plugins)
    latest = going_on.latest_deliveries()
    return {
        "checklist": [] if hidden else steps,
        "steps_hidden": hidden and bool(steps),
        "steps_done": sum(step.done for step in steps),
        "quotas": quota_info.pressing(*Kind),
        "attention": going_on.attention(plugins),
        "day": going_on.day(plugins),
        "latest": latest,
        "titles": {row.plugin: plugin_info.title_of(row.plugin) for row in latest},
        "changes": going_on.latest_changes(),
    }


def panels(request: HttpRequest) -> list[DrawnPanel]:
    """What the running plugins show; one that fails is logged and left out, the others stay."""
    found: list[DrawnPanel] = []
    for name, plugin in activation.current().plugins.items():
        try:
            with plugins_code(), transaction.atomic():  # what a failing panel has written is undone
                found += _draw(request, name, plugin)
        except Exception:  # a plugin's panel may raise anything; it must not break the page
            log.exception("The dashboard panels of %s could not be drawn", name)
    return found


def _draw(request: HttpRequest, name: str, plugin: PluginInterface) -> list[DrawnPanel]:
    icon = registry.specs[name].cls.icon
    return [
        DrawnPanel(name, spoken(panel.title), icon, render_to_string(panel.template, panel.context, request))
        for panel in plugin.dashboard_panels()
    ]
