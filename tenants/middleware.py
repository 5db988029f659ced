"""Puts each request into its tenant's scope, and takes it out again whatever happens."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any, Literal

from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from plugin_framework import tenancy
from plugin_framework.db.recorded import is_ready
from plugin_framework.middleware import updating
from plugin_framework.sdk._calling import plugins_code
from tenants import hosts
from tenants.models import State
from tenants.resolution import Resolved, resolve
from tenants.wholeness import Condition, condition

log = logging.getLogger(__name__)
type HostKind = Literal["public", "tenant", "platform"]
_STATE_PAGES = {
    State.PROVISIONING: ("errors/503_provisioning.html", 503),
    State.SUSPENDED: ("errors/503_suspended.html", 503),
    State.DELETING: ("errors/410_deleting.html", 410),
}


class TenantMiddleware:
    """Sets ``request.tenant``, ``request.host_kind`` and ``request.urlconf`` from the Host header alone.

    An unknown host gets 404, one that is no host name 400, a tenant that is not active the page of its state: never another
    tenant's pages, never the public ones by default. One whose tables are lost, or older than our code, gets the page that says so.
    ``X-Forwarded-Host`` is not looked at.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        try:
            host = hosts.normalise(request.META.get("HTTP_HOST", ""))
        except hosts.BadHost:
            return _page(request, "errors/400.html", 400)
        if host == settings.BASE_DOMAIN:
            return self._public(request)
        found = resolve(host)
        if found is None:
            return _page(request, "errors/404.html", 404)
        if not found.is_active:
            return _not_served(request, found)
        if not is_ready(found.ref):
            return _not_ready(request, found.ref)
        return self._tenant(request, found)

    def _public(self, request: HttpRequest) -> HttpResponseBase:
        _mark(request, None, "public", settings.PUBLIC_URLCONF)
        with tenancy.public_scope():
            return _kept_in_scope(self.get_response(request))

    def _tenant(self, request: HttpRequest, found: Resolved) -> HttpResponseBase:
        kind: HostKind = "platform" if found.is_platform else "tenant"
        _mark(request, found.ref, kind, settings.PLATFORM_URLCONF if found.is_platform else settings.ROOT_URLCONF)
        with tenancy.tenant_scope(found.ref, found.revisions):
            return _kept_in_scope(self.get_response(request))


def _not_served(request: HttpRequest, found: Resolved) -> HttpResponse:
    template, status = _STATE_PAGES[State(found.state)]
    response = _page(request, template, status, message=found.state_message, name=found.ref.name)
    if found.state == State.PROVISIONING and not found.state_message:  # which says that it was given up
        response["Retry-After"] = "2"
        response["Refresh"] = "2"  # the page looks again by itself, with JavaScript or without
    return response


def _not_ready(request: HttpRequest, ref: tenancy.TenantRef) -> HttpResponse:
    """Being updated, unless there is nothing to update: a page that promises to come back must not be shown for a schema that is lost."""
    if condition(ref) is not Condition.LOST:
        _mark(request, None, "public", settings.PUBLIC_URLCONF)
        return updating(request, ref.name)
    log.error("%s cannot be served: its schema %s is not there, or is not complete", ref.slug, ref.schema)
    response = _page(request, "errors/503_incomplete.html", 503)
    response["Retry-After"] = "60"
    return response


def _mark(request: HttpRequest, tenant: tenancy.TenantRef | None, kind: HostKind, urlconf: str) -> None:
    request.tenant = tenant  # type: ignore[attr-defined]  # as middlewares do
    request.host_kind = kind  # type: ignore[attr-defined]  # the same
    request.urlconf = urlconf


def _kept_in_scope(response: HttpResponseBase) -> HttpResponseBase:
    """A streamed body is read after this middleware has returned: let it be read in the tenant it was made in."""
    if isinstance(response, StreamingHttpResponse):
        if response.is_async:
            raise RuntimeError(
                "Streamed async bodies would be read outside of their tenant; use a synchronous iterator."
            )
        response.streaming_content = _in_scope(iter(response.streaming_content))  # type: ignore[arg-type]  # not async: checked above
    return response


def _in_scope(chunks: Iterator[Any]) -> Iterator[Any]:
    """Not a generator itself: that would look for the scope when its first chunk is asked for, and find none."""

    def step() -> Any:
        with plugins_code():
            return next(chunks, None)

    return iter(tenancy.bound(step), None)


def _page(request: HttpRequest, template: str, status: int, **context: Any) -> HttpResponse:
    _mark(request, None, "public", settings.PUBLIC_URLCONF)
    response = render(request, template, context, status=status)
    # Browsers keep a 410 for good, but a deleted organisation may be brought back.
    response["Cache-Control"] = "no-store"
    return response
