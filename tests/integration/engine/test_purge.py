"""Purging deletes what a plugin has stored here, all of it and nothing else, whether its code is still there or not."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client

from plugin_framework import configuration, hooks, lifecycle, purge
from plugin_framework.audit import SYSTEM
from plugin_framework.models import AuditEntry, Delivery, PluginSetting, PluginState
from plugin_framework.registry import registry
from plugin_framework.sdk import NotAllowed
from plugin_framework.tenancy import tenant_scope
from saas.testing.people import person
from tests.conftest import Tenants
from tests.integration.engine.test_lifecycle import tables


@pytest.fixture
def both(tenants: Tenants) -> Iterator[Tenants]:
    """Two organisations with orders, of which the first has disabled it; both have a row."""
    for ref in (tenants.acme, tenants.globex):
        with tenant_scope(ref):
            lifecycle.enable("orders", SYSTEM)
            orders = apps.get_model("orders_plugin", "Order").objects
            orders.create(customer_name="Wile", customer_email="w@example.com")
    with tenant_scope(tenants.acme):
        lifecycle.disable("orders", SYSTEM)
        yield tenants


def orders_tables(schema: str) -> set[str]:
    return {name for name in tables(schema) if name.startswith("orders_plugin")}


def test_it_is_counted_first_and_then_gone_here_and_nowhere_else(both: Tenants) -> None:
    found = purge.preview("orders")
    assert found.rows >= 1
    assert orders_tables(both.acme.schema)
    purge.purge("orders", SYSTEM, confirmation="orders")
    assert orders_tables(both.acme.schema) == set()
    assert not PluginState.objects.filter(plugin="orders").exists()
    entry = AuditEntry.objects.get(action="plugin.purged")
    assert entry.detail["rows"] == found.tables
    with tenant_scope(both.globex):
        assert orders_tables(both.globex.schema)
        assert apps.get_model("orders_plugin", "Order").objects.count() == 1
        assert PluginState.objects.get(plugin="orders").enabled


def test_enabled_again_it_begins_anew(both: Tenants) -> None:
    purge.purge("orders", SYSTEM, confirmation="orders")
    lifecycle.enable("orders", SYSTEM)
    assert apps.get_model("orders_plugin", "Order").objects.count() == 0


def test_without_its_code_it_is_purged_from_the_record(both: Tenants) -> None:
    spec = registry.specs.pop("orders")
    try:
        purge.purge("orders", SYSTEM, confirmation="orders")
    finally:
        registry.specs["orders"] = spec
    assert orders_tables(both.acme.schema) == set()
    lifecycle.enable("orders", SYSTEM)
    assert orders_tables(both.acme.schema)


def test_a_table_of_somebody_else_that_refers_to_it_stops_it(both: Tenants) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE theirs (order_id bigint REFERENCES orders_plugin_order (id))")
    with pytest.raises(NotAllowed, match="theirs"):
        purge.purge("orders", SYSTEM, confirmation="orders")
    assert orders_tables(both.acme.schema)


@pytest.mark.parametrize("sound", [True, False])
def test_a_plugin_that_deletes_its_own_rows_on_the_way_out_can_go(
    both: Tenants, monkeypatch: pytest.MonkeyPatch, sound: bool
) -> None:
    def on_purge(plugin: object) -> None:
        orders, lines = (apps.get_model("orders_plugin", name).objects for name in ("Order", "OrderLine"))
        lines.create(order=orders.get(), position=1, description="Fuel", quantity=1, unit_price=1)
        if sound:
            orders.all().delete()
        else:  # rows that refer to nothing; the database would say so at the commit only
            orders.all()._raw_delete("default")

    monkeypatch.setattr(registry.specs["orders"].cls, "on_purge", on_purge)
    purge.purge("orders", SYSTEM, confirmation="orders")
    assert orders_tables(both.acme.schema) == set()


@pytest.mark.parametrize(("confirmation", "enabled"), [("", False), ("Orders", False), ("orders", True)])
def test_an_enabled_plugin_or_a_wrong_confirmation_loses_nothing(
    both: Tenants, confirmation: str, enabled: bool
) -> None:
    if enabled:
        lifecycle.enable("orders", SYSTEM)
    with pytest.raises(NotAllowed):
        purge.purge("orders", SYSTEM, confirmation=confirmation)
    assert apps.get_model("orders_plugin", "Order").objects.count() == 1


def test_settings_secrets_and_deliveries_go_too(tenants: Tenants) -> None:
    with tenant_scope(tenants.acme):
        url = "https://hooks.slack.com/services/T0/B0/geheim"
        configuration.configure("slack_notifications", SYSTEM, {}, secrets={("webhook_url",): url})
        lifecycle.enable("slack_notifications", SYSTEM)
        hooks.emit("user_registered", {"email": "a@example.com"})
        assert Delivery.objects.exists()
        lifecycle.disable("slack_notifications", SYSTEM)
        purge.purge("slack_notifications", SYSTEM, confirmation="slack_notifications")
        assert not Delivery.objects.exists()
        assert not PluginSetting.objects.exists()


def test_an_admin_types_the_name_and_a_member_may_not(both: Tenants, client_for: Callable[..., Client]) -> None:
    page = "/settings/plugins/orders/purge/"
    assert client_for(both.acme, person(both.acme, "member")).get(page).status_code == 403
    client = client_for(both.acme, person(both.acme, "admin"))
    assert "orders_plugin_order" in client.get(page).content.decode()
    assert client.post(page, {"confirmation": "no"}).status_code == 409
    assert apps.get_model("orders_plugin", "Order").objects.count() == 1
    assert client.post(page, {"confirmation": "orders"}).status_code == 302
    assert orders_tables(both.acme.schema) == set()
