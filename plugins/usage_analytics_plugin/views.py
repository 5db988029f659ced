"""The page with the chart. That somebody is signed in, and that the plugin runs here, is seen to before it is called."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from plugin_framework.sdk import PluginAwareView
from plugins.usage_analytics_plugin import queries
from plugins.usage_analytics_plugin.chart import chart

STRETCHES = (14, 30, 90)  # days to choose from
USUAL = 30


class Usage(PluginAwareView):
    """How often pages were opened."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """The chart, its numbers, and the pages opened most."""
        asked = request.GET.get("days", "")
        number = next((each for each in STRETCHES if str(each) == asked), USUAL)
        today = timezone.localdate()
        days = queries.days(today, number)
        context = {
            "number": number,
            "stretches": STRETCHES,
            "days": days,
            "chart": chart(days),
            "total": queries.total(days),
            "pages": queries.pages(today, number),
        }
        return render(request, "usage_analytics_plugin/usage.html", context)
