"""The view that every side answers with: without a query, and with one trivial query of the ORM."""

from __future__ import annotations

from django.contrib.auth import get_user_model
from django.http import HttpRequest, HttpResponse
from django.urls import path


def plain(request: HttpRequest) -> HttpResponse:
    """Asks for the active plugin set, where there is one, and answers."""
    plugins = getattr(request, "plugins", None)
    return HttpResponse(b"" if plugins is None else str(len(plugins.plugins)).encode())


def query(request: HttpRequest) -> HttpResponse:
    """The same, and one query of a tenant's table."""
    get_user_model().objects.exists()
    return plain(request)


urlpatterns = [path("plain/", plain), path("query/", query)]
