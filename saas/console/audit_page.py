"""The console's audit log: what staff and the platform itself have decided, the same page as every organisation's own."""

from __future__ import annotations

from django.db.models import Q
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from saas.site import audit_page
from saas.site.access import admins_only
from saas.site.audit_page import Areas

_AREAS: Areas = {
    "catalog": (gettext_lazy("Catalog"), Q(action__startswith="catalog.")),
    "fleet": (gettext_lazy("Fleet"), Q(action__startswith="fleet.")),
    "plans": (gettext_lazy("Plans"), Q(action__startswith="plan.") | Q(action="tenant.plan_changed")),
    "organisations": (gettext_lazy("Organisations"), Q(action__startswith="tenant.")),
    "people": (gettext_lazy("Staff"), Q(action__startswith="person.")),
}


@require_safe
@admins_only
def index(request: HttpRequest) -> HttpResponse:
    """Who decided what, newest first."""
    return audit_page.show(request, _AREAS, reverse("platform:audit"), reverse("platform:audit_table"))


@require_safe
@admins_only
def table(request: HttpRequest) -> StreamingHttpResponse:
    """The same as CSV."""
    return audit_page.as_table(request, _AREAS)
