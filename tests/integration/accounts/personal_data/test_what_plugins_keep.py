"""What plugins keep of one person: asked for when it is wanted, handed out and erased whether they run or not."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from plugin_framework import configuration, lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.models import AuditEntry, PluginState
from plugin_framework.registry import registry
from plugin_framework.tenancy import tenant_scope
from tenants.accounts.models import User
from tests.conftest import Tenants
from tests.integration.accounts.personal_data.notebook import (
    ADA,
    SHE,
    Notebook,
)


def test_a_disabled_plugins_data_is_handed_out_and_erased_too(
    admin: Client, tenants: Tenants, notebook: type[Notebook]
) -> None:
    with tenant_scope(tenants.acme):
        lifecycle.disable("notebook", SYSTEM)
    assert json.loads(admin.post(f"{SHE}export/", {"email": ADA}).content)["plugins"]
    admin.post(f"{SHE}erase/", {"email": ADA, "confirmation": ADA})
    assert [what for what, _, _ in notebook.asked].count("erase") == 1


def test_a_plugin_that_fails_does_not_hide_the_others_parts_and_stops_an_erasure(
    admin: Client, tenants: Tenants, notebook: type[Notebook]
) -> None:
    notebook.failing = True
    assert "It failed at putting this together." in admin.get(SHE, {"email": ADA, "count": "1"}).text
    found = json.loads(admin.post(f"{SHE}export/", {"email": ADA}).content)
    assert (found["account"]["email"], list(found["could_not_be_asked"])) == (ADA, ["notebook"])
    answer = admin.post(f"{SHE}erase/", {"email": ADA, "confirmation": ADA})
    assert (answer.status_code, "Notebook failed at erasing its part" in answer.text) == (409, True)
    with tenant_scope(tenants.acme):
        assert User.objects.filter(email=ADA).exists()
        assert not AuditEntry.objects.filter(action="person.erased").exists()


def test_what_a_missing_plugin_keeps_is_named_and_not_claimed_to_be_erased(admin: Client, tenants: Tenants) -> None:
    with tenant_scope(tenants.acme):
        PluginState.objects.create(plugin="vanished", version="1.0", tables=["vanished_thing"])
    assert "vanished" not in registry.specs
    assert "erase again when the plugin is back" in admin.get(SHE, {"email": ADA, "count": "1"}).text
    assert "vanished" in json.loads(admin.post(f"{SHE}export/", {"email": ADA}).content)["could_not_be_asked"]
    assert "vanished" in admin.post(f"{SHE}erase/", {"email": ADA, "confirmation": ADA}).text
    with tenant_scope(tenants.acme):
        assert AuditEntry.objects.get(action="person.erased").detail["not_asked"] == ["vanished"]


@pytest.mark.parametrize("whose", ["one's own", "somebody's"])
def test_plugins_are_named_on_the_page_and_asked_when_somebody_wants_it_counted(
    ada: Client, admin: Client, tenants: Tenants, notebook: type[Notebook], whose: str
) -> None:
    with tenant_scope(tenants.acme):
        for name in ("orders", "usage_analytics"):
            lifecycle.enable(name, SYSTEM)
    client, path = (ada, "/account/data/") if whose == "one's own" else (admin, f"{SHE}?email={ADA}")
    page = client.get(path)
    assert "notes about &lt;people&gt;" in page.text
    assert "The margin stays." in page.text
    assert notebook.asked == []
    named = [part.plugin for part in page.context["held"].parts]
    assert named == ["notebook", "orders"]  # and not those that say nothing of people
    page = client.get(page.context["count_url"])
    assert "<td>1 item</td>" in page.text
    assert [what for what, _, _ in notebook.asked] == ["export"]
    assert page.context["count_url"] == ""


def test_of_somebody_without_an_account_the_plugins_are_asked_at_once(admin: Client, notebook: type[Notebook]) -> None:
    assert "<td>1 item</td>" in admin.get(SHE, {"email": "bob@shop.example"}).text
    assert [what for what, _, _ in notebook.asked] == ["export"]


def test_a_customer_without_an_account_is_erased_from_orders_and_invoices(admin: Client, tenants: Tenants) -> None:
    from plugins.invoices_plugin.models import Invoice
    from plugins.orders_plugin.models import Order

    with tenant_scope(tenants.acme):
        configuration.configure("invoices", SYSTEM, {"seller_address": "1 Road"})
        lifecycle.enable("invoices", SYSTEM)
        bob = {"customer_name": "Bob", "customer_email": "Bob@shop.example", "note": "likes blue"}
        Order.objects.create(**bob, state="confirmed")
        Order.objects.create(**bob)
        Order.objects.create(customer_name="Eve", customer_email="eve@shop.example")
        Invoice.objects.create(
            **{"number": 1, "label": "1", "order_number": 1, "order_confirmed_at": "2026-01-01T00:00Z", "tax_name": ""},
            **{"customer_name": "Bob", "customer_email": "bob@shop.example", "currency": "EUR", "total": 1, "tax": 0},
            **{
                "tax_rate": 0,
                "seller_name": "",
                "seller_address": "",
                "issued_on": "2026-01-01",
                "due_on": "2026-02-01",
            },
        )
        lifecycle.disable("invoices", SYSTEM)
    bobs = {"email": "bob@shop.example", "confirmation": "bob@shop.example"}
    found = json.loads(admin.post(f"{SHE}export/", bobs).content)["plugins"]
    assert (len(found["orders"]["orders"]), len(found["invoices"]["invoices"])) == (2, 1)
    admin.post(f"{SHE}erase/", bobs)
    with tenant_scope(tenants.acme):
        rows = list(Order.objects.order_by("pk").values_list("customer_name", "customer_email", "note"))
        assert rows == [("Erased customer", "", ""), ("Eve", "eve@shop.example", "")]
        assert Invoice.objects.get().customer_email == ""
        assert Invoice.objects.get().customer_name == "Bob"
        assert not AuditEntry.objects.filter(target="bob@shop.example").exists()
