"""What changes orders: once each, all or nothing, and in the schemas that have them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import ProgrammingError, connection, transaction

from plugin_framework import lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.models import Delivery, PluginState
from plugin_framework.tenancy import tenant_scope
from plugins.orders_plugin import queries, services
from plugins.orders_plugin.models import Order, OrderLine, OrderState
from plugins.orders_plugin.services import LineInput, OrderInput
from tenants.accounts.models import User
from tests.conftest import Tenants

Make = Callable[..., Any]
THREADS = 8


def wanted(name: str = "Carl", *lines: LineInput) -> OrderInput:
    return OrderInput(name, "carl@example.com", "EUR", lines or (LineInput("Fuel", 3, Decimal("0.10")),))


@pytest.fixture
def orders(acme: Tenants, switch_on: Make) -> Tenants:
    """`acme` has enabled orders."""
    switch_on("orders")
    return acme


def test_the_total_is_the_exact_sum_of_the_lines(orders: Tenants) -> None:
    order = services.create(
        wanted("Carl", LineInput("a", 3, Decimal("0.10")), LineInput("b", 1, Decimal("99.99"))), None
    )
    order.refresh_from_db()
    assert order.total == Decimal("100.29")
    assert [(line.position, line.description, line.amount) for line in order.lines.all()] == [
        (1, "a", Decimal("0.30")),
        (2, "b", Decimal("99.99")),
    ]


def test_the_largest_order_fits_its_column(orders: Tenants) -> None:
    line = LineInput("x", 99_999, Decimal("99999999.99"))
    order = services.create(OrderInput("C", "c@example.com", "EUR", (line,) * 50), None)
    order.refresh_from_db()
    assert order.total == 50 * 99_999 * Decimal("99999999.99")


def test_a_change_replaces_the_lines(orders: Tenants) -> None:
    order = services.create(wanted(), None)
    services.update(order.pk, wanted("Carla", LineInput("New", 1, Decimal(5))), None, seen_revision=1)
    order.refresh_from_db()
    assert (order.customer_name, order.total, order.revision) == ("Carla", Decimal("5.00"), 2)
    assert [line.description for line in order.lines.all()] == ["New"]


def test_a_stale_change_overwrites_nothing(orders: Tenants) -> None:
    order = services.create(wanted(), None)
    services.update(order.pk, wanted("First"), None, seen_revision=1)
    with pytest.raises(services.Stale):
        services.update(order.pk, wanted("Second"), None, seen_revision=1)
    assert Order.objects.get().customer_name == "First"


def test_only_a_draft_can_be_changed(orders: Tenants) -> None:
    order = services.create(wanted(), None)
    services.confirm(order.pk, None)
    with pytest.raises(services.NotADraft):
        services.update(order.pk, wanted("Late"), None, seen_revision=2)
    assert Order.objects.get().customer_name == "Carl"


def test_confirming_tells_each_plugin_once(orders: Tenants, email_on: Make, slack_on: Make) -> None:
    email_on(), slack_on()
    order = services.create(wanted(), None)
    assert services.confirm(order.pk, None) is True
    assert services.confirm(order.pk, None) is False
    rows = Delivery.objects.filter(hook="order_confirmed").order_by("plugin").values_list("plugin", "payload")
    reference = [{"$model": "orders_plugin.Order", "pk": order.pk}]
    assert list(rows) == [("email_notifications", reference), ("slack_notifications", reference)]
    order.refresh_from_db()
    assert order.state == OrderState.CONFIRMED
    assert order.confirmed_at is not None


def test_a_confirmation_that_is_rolled_back_tells_nobody(orders: Tenants, slack_on: Make) -> None:
    slack_on()
    order = services.create(wanted(), None)
    with pytest.raises(RuntimeError), transaction.atomic():
        services.confirm(order.pk, None)
        raise RuntimeError
    order.refresh_from_db()
    assert order.is_draft
    assert not Delivery.objects.filter(hook="order_confirmed").exists()


def test_an_empty_or_cancelled_order_is_not_confirmed(orders: Tenants, slack_on: Make) -> None:
    slack_on()
    empty = services.create(OrderInput("C", "c@example.com", "EUR", ()), None)
    with pytest.raises(services.NothingOrdered):
        services.confirm(empty.pk, None)
    assert services.cancel(empty.pk, None) is True
    assert services.cancel(empty.pk, None) is False
    with pytest.raises(services.Cancelled):
        services.confirm(empty.pk, None)
    assert not Delivery.objects.filter(hook="order_confirmed").exists()


def test_many_who_confirm_at_once_tell_each_plugin_once(
    committed_db: str, acme: Tenants, switch_on: Make, slack_on: Make
) -> None:
    switch_on("orders"), slack_on()
    order = services.create(wanted(), None)
    start, told, failed = threading.Barrier(THREADS), [], []

    def confirm() -> None:
        try:
            with tenant_scope(acme.acme):
                start.wait(10)
                told.append(services.confirm(order.pk, None))
        except Exception as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=confirm) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert sorted(told) == [False] * (THREADS - 1) + [True]
    assert Delivery.objects.filter(hook="order_confirmed").count() == 1


def test_the_tables_are_in_the_schema_that_enabled_it_and_in_no_other(orders: Tenants) -> None:
    tables = {model._meta.db_table for model in (Order, OrderLine)}
    with connection.cursor() as cursor:
        cursor.execute("SELECT schemaname, tablename FROM pg_tables WHERE tablename = ANY(%s)", [list(tables)])
        assert set(cursor.fetchall()) == {(orders.acme.schema, table) for table in tables}
    assert PluginState.objects.get(plugin="orders").tables == sorted(tables)
    with tenant_scope(orders.globex), pytest.raises(ProgrammingError), transaction.atomic():
        Order.objects.count()


def test_deleting_a_person_keeps_their_orders(orders: Tenants, ada: Make) -> None:
    order = services.create(wanted(), ada())
    User.objects.get().delete()
    order.refresh_from_db()
    assert order.created_by is None


def test_a_person_can_be_deleted_where_there_are_no_orders(orders: Tenants, ada: Make) -> None:
    with tenant_scope(orders.globex):
        ada().delete()
        assert not User.objects.exists()


def test_disabling_keeps_the_orders_and_their_numbers(orders: Tenants) -> None:
    before = services.create(wanted(), None)
    lifecycle.disable("orders", SYSTEM)
    lifecycle.enable("orders", SYSTEM)
    assert list(Order.objects.values_list("pk", flat=True)) == [before.pk]


def test_the_search_finds_by_number_name_and_address(orders: Tenants) -> None:
    first, second = services.create(wanted("Zoe"), None), services.create(wanted("Yann"), None)
    services.confirm(second.pk, None)
    assert list(queries.search("zo")) == [first]
    assert list(queries.search("carl@ yann")) == [second]
    assert list(queries.search(f"#{first.pk}")) == [first]
    assert list(queries.search("", "confirmed")) == [second]
    assert list(queries.search("9" * 100)) == []
    assert queries.counts() == {"draft": 1, "confirmed": 1, "cancelled": 0}
