"""Gives every request an id, which its log lines carry and its response names, and counts it with the time it took."""

from __future__ import annotations

import re
from collections.abc import Callable
from secrets import token_hex
from time import perf_counter

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from structlog.contextvars import bound_contextvars, get_contextvars

from plugin_framework import metrics
from plugin_framework.metrics.names import REQUESTS

HEADER = "X-Request-ID"
_PATTERN = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}"
)  # what proxies make; nothing that could break a line or a page


class RequestMiddleware:
    """The outermost: whatever answers, the answer was counted and has an id. A proxy's is taken over if it looks like one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        name = given if _PATTERN.fullmatch(given) else token_hex(16)
        begun = perf_counter()
        with bound_contextvars(request_id=name, plugin=None):  # no plugin yet; see `PluginMiddleware`
            response = self.get_response(request)
            # Django tells of a 4xx only when all middlewares have returned: `logs` looks here then.
            request.log_context = get_contextvars()  # type: ignore[attr-defined]  # as middlewares do
        site = getattr(request, "host_kind", "none")
        metrics.observed(REQUESTS, perf_counter() - begun, f"{response.status_code // 100}xx", site)
        response.headers[HEADER] = name
        return response
