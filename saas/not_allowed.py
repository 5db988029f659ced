"""Gives a browser a page where Django answers 405 with nothing: it would show its own, which says neither why nor where to go."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.shortcuts import render


class NotAllowedMiddleware:
    """Somebody has opened the address that a form is sent to, from their history, say; programs get Django's answer."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if not isinstance(response, HttpResponseNotAllowed) or response.content or not _a_browser(request):
            return response
        page = _page(request)
        page.headers["Allow"] = response.headers["Allow"]
        return page


def _page(request: HttpRequest) -> HttpResponse:
    return render(request, "errors/405.html", {"opened": request.method in ("GET", "HEAD")}, status=405)


def _a_browser(request: HttpRequest) -> bool:
    return "text/html" in request.headers.get("Accept", "")
