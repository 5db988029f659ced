"""Who may open which page of the host, and under which name their changes are recorded."""

from __future__ import annotations

import functools
import posixpath
from collections.abc import Callable
from typing import Concatenate

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django_htmx.http import HttpResponseClientRefresh

from plugin_framework.audit import Actor, person
from tenants.accounts.models import Role, User

type Page[**P] = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def signed_in[**P](page: Page[P]) -> Page[P]:
    """Let people in who are signed in; the others are sent to sign in, and come back afterwards."""

    @functools.wraps(page)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            if getattr(request, "htmx", False):
                return HttpResponseClientRefresh()  # a piece of a page must not become the sign-in page
            return redirect_to_login(_way_back(request))
        return page(request, *args, **kwargs)

    return guarded


def admins_only[**P](page: Page[P]) -> Page[P]:
    """Let the organisation's owners and admins in; its members get 403, everybody else is sent to sign in."""

    @functools.wraps(page)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if request.user.is_authenticated and not request.user.is_admin:
            raise PermissionDenied
        return page(request, *args, **kwargs)

    return signed_in(guarded)


def owners_only[**P](page: Page[P]) -> Page[P]:
    """Let the organisation's owners in; its admins and members get 403, everybody else is sent to sign in."""

    @functools.wraps(page)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if request.user.is_authenticated and getattr(request.user, "role", "") != Role.OWNER:
            raise PermissionDenied
        return page(request, *args, **kwargs)

    return signed_in(guarded)


def me(request: HttpRequest) -> User:
    """Whoever is signed in; for pages that let nobody else in."""
    assert isinstance(request.user, User)  # noqa: S101  # their guards let nobody else in
    return request.user


def actor_of(request: HttpRequest) -> Actor:
    """The signed-in person as the audit log names them; the platform's staff are marked as such."""
    staff = getattr(request, "host_kind", "") == "platform"
    return person(str(getattr(request.user, "email", "")), staff=staff)


def _way_back(request: HttpRequest) -> str:
    """Where to go after signing in. What only takes a POST cannot be opened: its page is one step up."""
    return request.get_full_path() if request.method in ("GET", "HEAD") else one_up(request)


def one_up(request: HttpRequest) -> str:
    """The page on which the form is that was sent to this address."""
    return posixpath.join(posixpath.dirname(request.path.rstrip("/")), "")
