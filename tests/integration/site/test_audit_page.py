"""The audit log's page."""

from __future__ import annotations

import pytest
from django.test import Client

from plugin_framework.audit import Actor, record
from plugin_framework.tenancy import tenant_scope
from tests.conftest import Tenants

pytestmark = pytest.mark.usefixtures("plugins")


def test_what_is_done_on_the_pages_can_be_read_there(admin: Client) -> None:
    admin.post("/settings/plugins/clumsy/enable/")
    text = admin.get("/settings/audit/").content.decode()
    assert "admin@acme.example" in text
    assert "clumsy" in text


def test_the_organisation_next_door_is_not_in_it(admin: Client, tenants: Tenants) -> None:
    with tenant_scope(tenants.globex):
        record(Actor("gil@globex.example"), "plugin.enabled", "orders")
    assert "gil@globex.example" not in admin.get("/settings/audit/").content.decode()


def test_a_search_narrows_it_down(admin: Client, tenants: Tenants) -> None:
    with tenant_scope(tenants.acme):
        record(Actor("ann@acme.example"), "plugin.enabled", "orders")
        record(Actor("bob@acme.example"), "plugin.disabled", "orders")
    found = admin.get("/settings/audit/?q=ORDERS+ann").context["entries"]
    assert [entry.actor for entry in found] == ["ann@acme.example"]


def test_text_of_others_is_shown_as_text(admin: Client, tenants: Tenants) -> None:
    with tenant_scope(tenants.acme):
        record(Actor("<script>alert(1)</script>"), "<b>x</b>", "y", why="<img src=x>")
    text = admin.get("/settings/audit/").content.decode()
    assert "<script>alert" not in text
    assert "<img src=x>" not in text


def test_a_long_log_has_pages(admin: Client, tenants: Tenants) -> None:
    with tenant_scope(tenants.acme):
        for number in range(60):
            record(Actor("ann@acme.example"), "plugin.enabled", f"p{number}")
    assert len(admin.get("/settings/audit/").context["entries"]) == 50
    assert len(admin.get("/settings/audit/?page=2").context["entries"]) >= 10
