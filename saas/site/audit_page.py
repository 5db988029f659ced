"""The organisation's audit log, for its admins to read."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from plugin_framework.models import AuditEntry
from saas.site.access import admins_only

PER_PAGE = 50


@require_safe
@admins_only
def index(request: HttpRequest) -> HttpResponse:
    """Who did what, newest first; `q` searches in person, action and target."""
    query = request.GET.get("q", "").replace("\x00", "").strip()[:200]
    rows = AuditEntry.objects.all()
    for word in query.split():
        rows = rows.filter(Q(actor__icontains=word) | Q(action__icontains=word) | Q(target__icontains=word))
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "settings/audit.html", {"entries": list(page.object_list), "page": page, "q": query})
