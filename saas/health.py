"""Answers /healthz, /readyz and /metrics on every host, before anything asks which tenant is meant."""

from __future__ import annotations

import hmac
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from prometheus_client import CONTENT_TYPE_LATEST

from saas.watch import exposition, readiness


class HealthMiddleware:
    """`/healthz`: this process answers. `/readyz`: everything is there that is needed. `/metrics`: what was counted.

    Anybody may ask the first two; what exactly is missing, and all that was counted, is for those who have METRICS_TOKEN.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._answers = {"/healthz": _healthz, "/readyz": _readyz, "/metrics": _metrics}

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        answer = self._answers.get(request.path, self.get_response)
        return answer(request)


def _healthz(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"status": "ok"})


def _readyz(request: HttpRequest) -> HttpResponse:
    """What `?without=` names is not asked for: pages can be served while no worker runs, say."""
    left_out = request.GET.getlist("without")
    missing = {name: why for name, why in readiness.missing().items() if name not in left_out}
    body: dict[str, object] = {"status": "not ready" if missing else "ok", "not_ready": list(missing)}
    if _knows_the_token(request):
        body["details"] = missing
    return _fresh(JsonResponse(body, status=503 if missing else 200))


def _metrics(request: HttpRequest) -> HttpResponse:
    if not settings.METRICS_TOKEN:
        return HttpResponse("Not found.\n", status=404, content_type="text/plain")
    if not _knows_the_token(request):
        refusal = HttpResponse("This needs the bearer token METRICS_TOKEN.\n", status=401, content_type="text/plain")
        refusal.headers["WWW-Authenticate"] = "Bearer"
        return refusal
    return _fresh(HttpResponse(exposition.text(), content_type=CONTENT_TYPE_LATEST))


def _knows_the_token(request: HttpRequest) -> bool:
    kind, _, given = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    token: str = settings.METRICS_TOKEN
    # Compared as bytes: a header may hold what is no ASCII, which compare_digest refuses as text.
    same = hmac.compare_digest(given.strip().encode("utf-8", "replace"), token.encode())
    return bool(token) and kind.lower() == "bearer" and same


def _fresh(response: HttpResponse) -> HttpResponse:
    response.headers["Cache-Control"] = "no-store"
    return response
