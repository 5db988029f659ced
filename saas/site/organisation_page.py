"""The organisation itself, for its owners: what they can do to it as a whole."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from plugin_framework.tenancy import current_tenant
from saas.site.access import actor_of, owners_only
from tenants import deletion, operations


@require_safe
@owners_only
def index(request: HttpRequest) -> HttpResponse:
    """What the organisation is called, where it is, and how it is deleted."""
    return _page(request)


@require_POST
@owners_only
def delete(request: HttpRequest) -> HttpResponse:
    """Delete the organisation, after its short name was typed; the next page, as every other, says that it is gone."""
    try:
        deletion.delete(
            current_tenant().slug, actor_of(request), confirmation=request.POST.get("confirmation", "")[:100]
        )
    except operations.NotPossible as error:
        return _page(request, str(error))
    return redirect("tenant:dashboard")


def _page(request: HttpRequest, error: str = "") -> HttpResponse:
    context = {"error": error, "days": settings.TENANT_DELETE_DAYS}
    return render(request, "settings/organisation.html", context, status=409 if error else 200)
