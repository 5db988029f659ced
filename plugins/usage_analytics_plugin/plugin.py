"""The plugin's class: it is told of each page view, and shows how many there were."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from plugin_framework.sdk import ConfigurablePlugin, NavItem, Panel, daily, hook

_STARTED = "_usage_analytics_started"  # on the request: an instance serves many at once


class UsageAnalyticsPlugin(ConfigurablePlugin):
    """Counts page views by day."""

    name, version = "usage_analytics", "1.0.0"
    title: ClassVar[str] = "Usage analytics"
    description = "See how often your organisation’s pages are opened, and how long they take."
    category: ClassVar[str] = "Insight"
    icon: ClassVar[str] = "chart"
    details: ClassVar[str] = (
        "Counts the views of the dashboard, of registration and of plugins’ pages: how many a day, how many ended in an error, how "
        "long they took. It keeps no names, no addresses and no cookies."
    )
    reads: ClassVar[tuple[str, ...]] = ("Which page was opened, how it ended and how long it took; not by whom",)
    stores: ClassVar[tuple[str, ...]] = (
        "How often each page was opened on each day, and how long it took; nothing about who did",
    )
    changelog: ClassVar[tuple[tuple[str, str, str], ...]] = (
        (
            "1.0.0",
            "2026-11-23",
            "Page views by day, with errors and times, as a chart and a panel; older counts go every night.",
        ),
    )
    urls: ClassVar[str] = "plugins.usage_analytics_plugin.urls"

    def get_config_schema(self) -> dict[str, Any]:
        """How long counts are kept, and what is not counted."""
        return {
            "type": "object",
            "properties": {
                "kept_days": {
                    "type": "integer",
                    "title": "Days kept",
                    "description": "Older counts are deleted every night.",
                    "minimum": 7,
                    "maximum": 730,
                    "default": 90,
                },
                "left_out": {
                    "type": "array",
                    "title": "Pages not counted",
                    "description": "Their names as the plugin’s page shows them, such as apps:orders:list.",
                    "items": {"type": "string", "maxLength": 150},
                    "maxItems": 50,
                },
            },
        }

    def initialize(self, config: dict[str, Any]) -> None:
        """Look the pages up that are left out, once."""
        self._left_out = frozenset(config.get("left_out") or ())

    def cleanup(self) -> None:
        """Nothing is held."""

    @hook("view_pre_dispatch")
    def start_clock(self, view: Any, request: HttpRequest) -> None:
        """Remember on the request when it began."""
        setattr(request, _STARTED, time.perf_counter())

    @hook("view_post_dispatch")
    def count_view(self, view: Any, request: HttpRequest, response: HttpResponseBase) -> None:
        """Count what was answered."""
        self._count(view, request, response.status_code // 100)

    @hook("view_error")
    def count_error(self, view: Any, request: HttpRequest, error: BaseException) -> None:
        """Count what raised; a page that is not there, or not for everybody, is no error of ours."""
        self._count(view, request, 4 if isinstance(error, (Http404, PermissionDenied)) else 5)

    def _count(self, view: Any, request: HttpRequest, outcome: int) -> None:
        from plugins.usage_analytics_plugin import services  # models can be imported once the apps are loaded

        match = request.resolver_match
        name = (match.view_name if match else "") or type(view).__name__
        if name not in self._left_out:
            took = (time.perf_counter() - getattr(request, _STARTED, time.perf_counter())) * 1000
            services.count(name, outcome, round(took), on=timezone.localdate())

    @daily(at="03:00")
    def forget_old_counts(self) -> None:
        """Keep no more days than the settings say."""
        from plugins.usage_analytics_plugin import services  # as above

        services.forget(timezone.localdate() - timedelta(days=self.settings["kept_days"]))

    def nav_items(self) -> Sequence[NavItem]:
        """One entry, for the page."""
        return (NavItem("Usage"),)

    def dashboard_panels(self) -> Sequence[Panel]:
        """The last two weeks."""
        from plugins.usage_analytics_plugin import queries  # as above
        from plugins.usage_analytics_plugin.chart import chart

        days = queries.days(timezone.localdate(), 14)
        context = {"chart": chart(days, width=280, height=48), "total": queries.total(days), "today": days[-1]}
        return (Panel("Usage", "usage_analytics_plugin/panel.html", context),)
