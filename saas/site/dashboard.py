"""The first page of an organisation: what its plugins show, and what a new one has left to do."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from plugin_framework import activation
from plugin_framework.models import PluginState
from plugin_framework.quotas import Kind
from plugin_framework.registry import registry
from plugin_framework.sdk import PluginAwareView, PluginInterface
from saas.site import plugin_info, quota_info
from saas.site.access import signed_in

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DrawnPanel:
    """A plugin's panel, drawn by the plugin's own template."""

    plugin: str
    title: str
    icon: str
    html: SafeString


@dataclass(frozen=True, slots=True)
class Step:
    """One thing a new organisation's admin is led to."""

    title: str
    text: str
    url: str
    done: bool


@method_decorator([require_safe, signed_in], name="dispatch")
class DashboardView(PluginAwareView):
    """What plugins are told of like their own pages."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """The panels of the running plugins; for admins, the steps that are left as well."""
        admin = request.user.is_authenticated and request.user.is_admin
        steps = _steps() if admin else []
        context = {
            "panels": panels(request),
            "checklist": [] if all(step.done for step in steps) else steps,
            "steps_done": sum(step.done for step in steps),
            "quotas": quota_info.pressing(*Kind) if admin else [],
        }
        return render(request, "tenant/dashboard.html", context)


def panels(request: HttpRequest) -> list[DrawnPanel]:
    """What the running plugins show; one that fails is logged and left out, the others stay."""
    found: list[DrawnPanel] = []
    for name, plugin in activation.current().plugins.items():
        try:
            with transaction.atomic():  # what a failing panel has written is undone
                found += _draw(request, name, plugin)
        except Exception:  # a plugin's panel may raise anything; it must not break the page
            log.exception("The dashboard panels of %s could not be drawn", name)
    return found


def _draw(request: HttpRequest, name: str, plugin: PluginInterface) -> list[DrawnPanel]:
    icon = registry.specs[name].cls.icon
    return [
        DrawnPanel(name, panel.title, icon, render_to_string(panel.template, panel.context, request))
        for panel in plugin.dashboard_panels()
    ]


def _steps() -> list[Step]:
    enabled = PluginState.objects.filter(enabled=True).count()
    waiting = next((info for info in plugin_info.plugins() if info.state == "attention"), None)
    people = get_user_model().objects.filter(is_active=True)[:2]
    steps = [
        Step(
            "Enable your first plugin",
            "Orders, mail, Slack: choose what your organisation uses.",
            reverse("settings:plugins"),
            enabled > 0,
        ),
        Step("Invite your people", "They get a mail with a link.", reverse("settings:people"), len(people) > 1),
    ]
    if waiting is not None:
        url = reverse("settings:plugin", args=[waiting.name])
        steps.insert(1, Step(f"Set up {waiting.title}", waiting.reason_text, url, done=False))
    return steps
