"""A plugin that is everywhere a plugin can be, so that a test can look whether the gate shuts it out everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import path

from plugin_framework.sdk import Banner, ConfigurablePlugin, NavItem, Panel, action, event, filter_value, hook

HEARD: list[str] = []  # what its handlers were told


@login_not_required
def page(request: HttpRequest) -> HttpResponse:
    """Its page."""
    return HttpResponse("the gated page")


class GatedPlugin(ConfigurablePlugin):
    """Handles one hook point of each kind, all declared by itself; needs the canary."""

    name, version, title = "gated", "1.0.0", "Gated"
    dependencies = ("canary",)
    urls = [path("", page, name="page")]
    declares = (
        action("gated_action", "what", doc="For the gate's test."),
        filter_value("gated_filter", "what", doc="For the gate's test."),
        event("gated_event", "what", doc="For the gate's test.", sample=lambda of: ("a sample",)),
    )

    def get_config_schema(self) -> dict[str, Any]:
        return {"type": "object", "properties": {"number": {"type": "integer"}}, "required": ["number"]}

    def initialize(self, config: dict[str, Any]) -> None:
        if config["number"] < 0:
            raise RuntimeError("planned")

    def cleanup(self) -> None:
        """Holds nothing."""

    def nav_items(self) -> Sequence[NavItem]:
        return [NavItem("The gated entry")]

    def dashboard_panels(self) -> Sequence[Panel]:
        return [Panel("The gated panel", "tenantry_tests/panel.html", {"who": "gated"})]

    def banners(self, request: HttpRequest) -> Sequence[Banner]:
        return [Banner("one", "The gated banner")]

    @hook("gated_action")
    def on_action(self, what: str) -> str:
        HEARD.append(what)
        return what

    @hook("gated_filter")
    def on_filter(self, what: str) -> str:
        return f"{what}, filtered"

    @hook("gated_event")
    def on_event(self, what: str) -> None:
        HEARD.append(what)
