"""Plugin-aware views tell the tenant's plugins; an unhandled error becomes one redacted event, after the rollback."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.exceptions import BadRequest, PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from plugin_framework import configuration, lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.middleware import PluginMiddleware
from plugin_framework.models import Delivery
from plugin_framework.sdk import PluginAwareView, hook
from plugin_framework.tenancy import public_scope, tenant_scope
from saas.testing.people import PASSWORD, person
from tests.conftest import Tenants
from tests.dummies.pages import installed
from tests.integration.engine.dummies import Bare

SEEN: list[str] = []


class Watcher(Bare):
    """Notes what views tell, and what breaks."""

    name = "watcher"

    @hook("view_pre_dispatch")
    def before(self, view: Any, request: Any, *args: Any, **kwargs: Any) -> None:
        SEEN.append(f"before {kwargs}")

    @hook("view_post_dispatch")
    def after(self, view: Any, request: Any, response: Any, *args: Any, **kwargs: Any) -> None:
        SEEN.append(f"after {response.status_code}")

    @hook("view_error")
    def broke(self, view: Any, request: Any, error: Any, *args: Any, **kwargs: Any) -> None:
        SEEN.append(f"error {error}")
        raise RuntimeError("a handler's own fault")

    @hook("system_error")
    def told(self, error: Any) -> None:
        """Runs in the worker."""


class Page(PluginAwareView):
    """Answers, or raises what it is told to."""

    raising: Exception | None = None

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponse:
        if self.raising is not None:
            raise self.raising
        return HttpResponse("here")


@pytest.fixture
def acme(tenants: Tenants) -> Iterator[Tenants]:
    SEEN.clear()
    with installed(Watcher), tenant_scope(tenants.acme):
        lifecycle.enable("watcher", SYSTEM)
        yield tenants


def ask(raising: Exception | None = None) -> HttpResponse:
    response: HttpResponse = Page.as_view(raising=raising)(RequestFactory().get("/"), number=7)
    return response


def test_a_view_tells_before_and_after(acme: Tenants) -> None:
    assert ask().content == b"here"
    assert SEEN == ["before {'number': 7}", "after 200"]


def test_the_views_own_error_is_what_the_caller_gets(acme: Tenants) -> None:
    with pytest.raises(ValueError, match="of the view"):
        ask(ValueError("of the view"))
    assert SEEN == ["before {'number': 7}", "error of the view"]


def test_on_the_public_host_no_plugin_is_told(acme: Tenants) -> None:
    with public_scope():
        assert ask().status_code == 200
    assert SEEN == []


def test_another_tenants_plugins_are_not_told(acme: Tenants) -> None:
    with tenant_scope(acme.globex):
        ask()
    assert SEEN == []


def report(error: Exception) -> None:
    PluginMiddleware(lambda request: HttpResponse()).process_exception(RequestFactory().get("/x?token=geheim"), error)


def test_an_unhandled_error_becomes_one_event_a_minute_that_quotes_no_data(acme: Tenants) -> None:
    for _ in range(3):
        try:
            raise ValueError("card 4111 1111 1111 1111 of ada@example.com")
        except ValueError as error:
            report(error)
    row = Delivery.objects.get(hook="system_error")
    assert "ValueError" in str(row.payload)
    for secret in ("4111", "ada@example.com", "geheim"):
        assert secret not in str(row.payload)


def test_what_allauth_answers_by_raising_is_no_system_error(acme: Tenants, client_for: Callable[..., Client]) -> None:
    member = client_for(acme.acme, person(acme.acme, "member"))
    asked = member.post("/accounts/email/", {"action_add": "", "email": "second@acme.example"})
    assert asked.headers["Location"].startswith("/accounts/reauthenticate/")
    visitor = client_for(acme.acme)
    visitor.post("/register/", {"name": "Ada", "email": "ada@acme.example", "password": PASSWORD})
    assert (
        visitor.post("/accounts/confirm-email/", {"action": "resend"}).status_code == 302
    )  # too soon, said on the page
    assert not Delivery.objects.filter(hook="system_error").exists()


@pytest.mark.parametrize("error", [Http404(), PermissionDenied(), SuspiciousOperation(), BadRequest()])
def test_what_ends_in_a_4xx_is_no_system_error(acme: Tenants, error: Exception) -> None:
    report(error)
    assert not Delivery.objects.filter(hook="system_error").exists()


class Severed(io.BytesIO):
    """A request body whose sender has hung up."""

    def read(self, size: int | None = -1) -> bytes:
        raise ConnectionResetError("Connection reset by peer")


def test_a_visitor_who_hangs_up_half_way_is_no_system_error(
    committed_db: str, acme: Tenants, client_for: Callable[..., Client]
) -> None:
    visitor = client_for(acme.acme, raise_request_exception=False)
    half = {"CONTENT_TYPE": "application/json", "CONTENT_LENGTH": "100", "wsgi.input": Severed()}
    assert visitor.post("/register/", **half).status_code == 400
    assert not Delivery.objects.filter(hook="system_error").exists()


@pytest.mark.parametrize("how", ["", "=exit"])
def test_a_failing_page_leaves_its_event_and_nothing_else(
    committed_db: str, acme: Tenants, client_for: Callable[..., Client], how: str
) -> None:
    get_user_model().objects.create_user("eve@acme.example", "x", name="Eve")
    configuration.configure("canary", SYSTEM, {"canary": "tweet"})
    lifecycle.enable("canary", SYSTEM)
    client = client_for(acme.acme, raise_request_exception=False)
    assert client.get(f"/apps/canary/?fail{how}").status_code == 500
    assert get_user_model().objects.get().name == "Eve"
    assert len([said for said in SEEN if said.startswith("error")]) == 1
    assert "canary:get:" in str(Delivery.objects.get(hook="system_error").payload)  # where it happened
    with tenant_scope(acme.globex):
        assert not Delivery.objects.exists()
