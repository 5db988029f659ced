"""Every address, by every method and every kind of person: never a 5xx, and admins' pages for admins only.

A new route is tried by being there.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from plugin_framework import configuration, lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.tenancy import TenantRef, tenant_scope
from saas.testing.people import person
from tenants.provisioning import ensure_platform
from tests.conftest import Tenants
from tests.support.routes import addresses

BODIES: list[Any] = [
    {},
    {"role": "\x00", "slug": "ä", "email": "x" * 3000, "confirmation": "'; --", "availability": "?"},
]
OPEN = (
    "/accounts/",
    "/register/",
    "/welcome/",
    "/static/",
)  # of an organisation's host: for people who are not signed in


@pytest.fixture
def acme(tenants: Tenants) -> TenantRef:
    with tenant_scope(tenants.acme):
        configuration.configure("invoices", SYSTEM, {"seller_address": "1 Road"})
        lifecycle.enable("invoices", SYSTEM)  # and orders, which it needs
        lifecycle.enable("announcements", SYSTEM)
    return tenants.acme


def client_of(ref: TenantRef | None, role: str) -> Client:
    client = Client(headers={"host": ref.host if ref else settings.BASE_DOMAIN}, raise_request_exception=False)
    if ref and role != "nobody":
        someone = person(ref, role, f"{role}@{ref.slug}.example")
        with tenant_scope(ref):
            client.force_login(someone)
    return client


def statuses(client: Client, paths: list[str]) -> dict[str, set[int]]:
    """What each address answers, over methods and bodies."""
    found: dict[str, set[int]] = {}
    for path in paths:
        if path.startswith("/accounts/logout") or path.endswith("/end/"):
            continue  # or the rest would be asked by nobody
        answers = [client.get(path), client.head(path), client.put(path, b"\xff", content_type="application/json")]
        answers += [client.post(path, body) for body in BODIES]
        answers.append(client.post(path, b"{", content_type="application/json"))
        found[path] = {answer.status_code for answer in answers}
        for answer in answers:
            if answer.streaming:
                b"".join(answer.streaming_content)  # or its file stays open
    return found


def broken(found: dict[str, set[int]]) -> dict[str, set[int]]:
    return {path: codes for path, codes in found.items() if any(code >= 500 for code in codes)}


@pytest.mark.parametrize("role", ["nobody", "member", "admin", "owner"])
def test_no_address_of_an_organisation_breaks(acme: TenantRef, role: str) -> None:
    found = statuses(client_of(acme, role), addresses("saas.urls_tenant"))
    assert broken(found) == {}
    assert {
        "/",
        "/settings/plugins/orders/deliveries/1/",
        "/apps/orders/1/confirm/",
        "/settings/people/1/role/",
    } <= set(found)
    if role == "nobody":
        closed = {path: codes for path, codes in found.items() if not path.startswith(OPEN) and path != "/apps/canary/"}
        assert {path: codes for path, codes in closed.items() if 200 in codes} == {}
    if role == "member":
        settings_pages = {path: codes for path, codes in found.items() if path.startswith("/settings/")}
        assert {path: codes for path, codes in settings_pages.items() if 200 in codes or 201 in codes} == {}


@pytest.mark.parametrize("role", ["nobody", "member", "owner"])
def test_no_address_of_the_platform_breaks_and_only_its_staff_sees_it(tenants: Tenants, role: str) -> None:
    platform = ensure_platform()
    found = statuses(client_of(platform, role), addresses("saas.urls_platform"))
    assert broken(found) == {}
    if role != "owner":
        console = {path: codes for path, codes in found.items() if not path.startswith(("/accounts/", "/account/"))}
        assert {path: codes for path, codes in console.items() if 200 in codes} == {}


def test_no_address_of_the_public_host_breaks(tenants: Tenants) -> None:
    assert broken(statuses(client_of(None, "nobody"), addresses("saas.urls_public"))) == {}
