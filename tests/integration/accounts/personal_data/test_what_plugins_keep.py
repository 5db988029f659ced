"""What plugins keep of one person: asked for when it is wanted, handed out and erased whether they run or not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from plugin_framework import configuration, lifecycle, personal_data
from plugin_framework.audit import SYSTEM
from plugin_framework.models import AuditEntry, PluginState
from plugin_framework.registry import registry
from plugin_framework.sdk import Person
from plugin_framework.tenancy import tenant_scope
from tenants.accounts.models import User
from tests.conftest import Tenants
from tests.dummies import pages
from tests.integration.accounts.personal_data.notebook import (
    ADA,
    SHE,
    Notebook,
    leave_traces,
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
    assert "The plugin failed while it put this together." in admin.get(SHE, {"email": ADA, "count": ""}).text
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
    assert "erase again when the plugin is back" in admin.get(SHE, {"email": ADA}).text
    assert "vanished" in json.loads(admin.post(f"{SHE}export/", {"email": ADA}).content)["could_not_be_asked"]
    assert "vanished" in admin.post(f"{SHE}erase/", {"email": ADA, "confirmation": ADA}).text
    with tenant_scope(tenants.acme):
        assert AuditEntry.objects.get(action="person.erased").detail["not_asked"] == ["vanished"]


@pytest.mark.parametrize("whose", ["one's own", "somebody's", "a customer's"])
def test_plugins_are_named_on_the_page_and_asked_when_somebody_wants_it_counted(
    ada: Client, admin: Client, tenants: Tenants, notebook: type[Notebook], whose: str
) -> None:
    with tenant_scope(tenants.acme):
        for name in ("orders", "usage_analytics"):
            lifecycle.enable(name, SYSTEM)
    email = "bob@shop.example" if whose == "a customer's" else ADA
    client, path = (ada, "/account/data/") if whose == "one's own" else (admin, f"{SHE}?email={email}")
    page = client.get(path)
    assert "notes about &lt;people&gt;" in page.text
    assert "The margin stays." in page.text
    assert notebook.asked == []
    named = [part.plugin for part in page.context["held"].parts]
    assert named == ["notebook", "orders"]  # and not those that say nothing of people
    counted = client.get(page.context["count_url"])
    assert "<td>1 item</td>" in counted.text
    assert [what for what, _, _ in notebook.asked] == ["export"]
    assert named == [part.plugin for part in counted.context["parts"]]
    assert counted.context["next_url"] == counted.context["first_url"] == ""
    assert client.get(counted.context["back_url"]).context["email"] == email


@pytest.mark.parametrize("whose", ["one's own", "somebody's", "a customer's"])
def test_with_a_hundred_plugins_half_of_them_missing_each_page_stays_below_twenty_queries_and_all_are_counted_in_the_end(
    ada: Client, admin: Client, tenants: Tenants, staff: dict[str, User], whose: str
) -> None:
    names, gone = ([f"{word}_{number:02}" for number in range(50)] for word in ("book", "gone"))
    books: list[type[Notebook]] = [type(name, (Curious,), {"name": name}) for name in names]
    leave_traces(tenants.acme, staff["ada"])
    email = "bob@shop.example" if whose == "a customer's" else ADA
    client, path = (ada, "/account/data/") if whose == "one's own" else (admin, f"{SHE}?email={email}")
    with pages.installed(*books):
        with tenant_scope(tenants.acme):
            PluginState.objects.bulk_create(PluginState(plugin=name, version="1.0.0") for name in [*names, *gone])
        client.get(path)  # what is read once
        page, seen = _measured(client, path), []
        assert [part.plugin for part in page.context["held"].parts] == [*names, *gone]
        following = page.context["count_url"]
        while following:
            page = _measured(client, following)
            seen += [(part.plugin, part.count) for part in page.context["parts"]]
            following = page.context["next_url"]
        assert seen == [(name, 1) for name in names] + [(name, 0) for name in gone]
        assert client.get(page.context["first_url"]).context["parts"][0].plugin == names[0]


def test_a_page_whose_time_is_up_asks_one_plugin_and_the_next_page_the_next(
    admin: Client, tenants: Tenants, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(personal_data, "MOST_SECONDS", 0)
    names = ["slow_0", "slow_1", "slow_2"]
    with pages.installed(*(type(name, (Notebook,), {"name": name}) for name in names)):
        with tenant_scope(tenants.acme):
            PluginState.objects.bulk_create(PluginState(plugin=name, version="1.0.0") for name in reversed(names))
        asked, following = [], f"{SHE}?email={ADA}&count="
        while following and len(asked) < len(names):
            page = admin.get(following)
            asked.append([part.plugin for part in page.context["parts"]])
            following = page.context["next_url"]
    assert (asked, following) == ([[name] for name in names], "")


class Curious(Notebook):
    """Asks the database, like any plugin that keeps something of people."""

    def export_person(self, person: Person) -> Any:
        return [{"people": User.objects.filter(email="admin@acme.example").count()}]


def _measured(client: Client, path: str) -> Any:
    with CaptureQueriesContext(connection) as queries:
        page = client.get(path)
    assert page.status_code == 200
    assert len(queries) < 20, "\n".join(each["sql"][:120] for each in queries.captured_queries)
    return page


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
