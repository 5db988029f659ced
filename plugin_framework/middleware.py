"""Gives each request the tenant's active plugin set, keeps switched-off plugins' pages shut, and reports unhandled errors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.functional import SimpleLazyObject
from structlog.contextvars import bind_contextvars

from plugin_framework import activation, system_errors, tenancy
from plugin_framework.gate import Reason
from plugin_framework.registry import registry
from plugin_framework.sdk._calling import PluginExit, plugins_code

APPS = "apps"  # the URL namespace under which every plugin's pages live: apps:<plugin>:<page>


def updating(request: HttpRequest, name: str) -> HttpResponse:
    """The page of what is being updated: the deploy has not come to it yet, or not to this process; the next one asked may have it.

    Args:
        name: an organisation's or a plugin's, as people know it.
    """
    response = render(request, "errors/503_updating.html", {"name": name}, status=503)
    response["Retry-After"] = response["Refresh"] = "5"  # the page looks again by itself, with JavaScript or without
    return response


class PluginMiddleware:
    """``request.plugins`` is the tenant's `ActiveSet`, fetched when first looked at: from memory, unless something changed."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.plugins = SimpleLazyObject(activation.current)  # type: ignore[attr-defined]  # as middlewares do
        try:
            with plugins_code():
                return self.get_response(request)
        except PluginExit as error:  # Django has let it through, and told nobody
            system_errors.report(error, request.path)
            raise

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponseBase | None:
        """A plugin's page answers only while the plugin runs here, and only to people who are signed in, unless it says otherwise."""
        match = request.resolver_match
        if match is None or match.namespaces[:1] != [APPS]:
            return None
        if tenancy.tenant_or_none() is None:
            raise Http404("This plugin does not run here.")
        decision = activation.current().decision(match.namespaces[1])
        if decision.reason is Reason.UPDATING:
            return updating(request, registry.specs[match.namespaces[1]].title)
        if not decision.runs:
            raise Http404("This plugin does not run here.")
        bind_contextvars(plugin=match.namespaces[1])  # on the log lines of this request; it ends with the request's own
        if getattr(view, "login_required", True) and not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> None:
        """Runs after the view's own transaction was rolled back. What ends in a 4xx is the visitor's affair, not an error of ours.

        Raises:
            BadRequest: the visitor has hung up before the whole request was here.
        """
        if isinstance(error, UnreadablePostError):
            raise BadRequest("The connection was lost before the whole request had come.") from error
        if not isinstance(error, (Http404, PermissionDenied, SuspiciousOperation, BadRequest, MultiPartParserError)):
            system_errors.report(error, request.path)
