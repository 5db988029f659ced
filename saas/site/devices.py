"""Has each signed-in request noted as a sign of life of its session, so that people see where they are signed in."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from saas.throttle.addresses import client_address
from tenants.accounts import devices


class DeviceMiddleware:
    """After the view: signing in and out, and a new password, change the session. It writes once in ten minutes at most."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        devices.seen(request, client_address(request))
        return response
