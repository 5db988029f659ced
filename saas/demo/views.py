"""The inbox pages: what the demo's organisations and the platform have sent."""

from __future__ import annotations

from dataclasses import asdict

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from saas.demo import inbox

SHOWN = 200  # the newest; a demo that has run for days must not make a page of megabytes


def index(request: HttpRequest, platform: bool = False) -> HttpResponse:
    """What arrived, newest first; JSON rows when JSON is asked for."""
    _only_in_the_demo()
    rows = inbox.messages(platform=platform)[:SHOWN]
    if request.GET.get("format") == "json" or not request.accepts("text/html"):
        return _json(rows)
    return render(request, "inbox/index.html", {"rows": rows, "platform": platform})


def rows(request: HttpRequest, platform: bool = False) -> JsonResponse:
    """The same as JSON."""
    _only_in_the_demo()
    return _json(inbox.messages(platform=platform)[:SHOWN])


def message(request: HttpRequest, number: int) -> HttpResponse:
    """One message, its HTML shown as text: what an organisation sends is not the platform's page."""
    _only_in_the_demo()
    found = inbox.message(number)
    if found is None:
        raise Http404("There is no such message.")
    return render(request, "inbox/message.html", {"message": found})


def _json(found: list[inbox.Message]) -> JsonResponse:
    return JsonResponse([asdict(each) for each in found], safe=False)


def _only_in_the_demo() -> None:
    if not settings.DEMO:
        raise Http404("The inbox is part of the demo.")
