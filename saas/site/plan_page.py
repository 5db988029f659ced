"""What the organisation's plan includes and how much of it is used: before a limit bites, not after.

Template: `settings/plan.html` (`plan`: its name, or ""; `usages`: UsageInfo; `limited`: whether it has any limit).
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from plugin_framework.catalog.plans import plan_of
from plugin_framework.tenancy import current_tenant
from saas.site import quota_info
from saas.site.access import admins_only
from saas.site.plugin_info import title_of


@require_safe
@admins_only
def index(request: HttpRequest) -> HttpResponse:
    """The plan, its limits, its plugins."""
    plan = plan_of(current_tenant().schema)
    usages = quota_info.all_of_them()
    plugins = sorted(map(title_of, plan.plugins)) if plan else []
    context = {
        "plan": plan.name if plan else "",
        "usages": usages,
        "limited": any(each.usage.limit is not None for each in usages),
        "plugins": plugins,
    }
    return render(request, "settings/plan.html", context)
