"""From a confirmed order to its invoice, through the queue: once, frozen, and only where the plugin runs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import ProgrammingError, connection, transaction
from django.forms.models import model_to_dict
from django.utils import timezone

from plugin_framework import configuration, lifecycle, purge
from plugin_framework.audit import SYSTEM
from plugin_framework.catalog.offers import set_offer
from plugin_framework.delivery.redeliver import redeliver
from plugin_framework.models import Delivery, PluginState
from plugin_framework.sdk import NotAllowed
from plugin_framework.tenancy import tenant_scope
from plugins.invoices_plugin import services as invoices
from plugins.invoices_plugin.models import Invoice, InvoiceLine, NumberSeries
from plugins.orders_plugin import services as orders
from plugins.orders_plugin.models import Order, OrderLine
from plugins.orders_plugin.services import LineInput, OrderInput
from tenants.accounts.models import User
from tests.conftest import Tenants
from tests.integration.plugins.invoicing import SETTINGS, confirmed, invoiced
from tests.support.queue import work_off

Make = Callable[..., Any]
ROCKET = LineInput("Rocket", 2, Decimal("19.95"))
TABLES = {model._meta.db_table for model in (Invoice, InvoiceLine, NumberSeries)}


@pytest.fixture
def here(acme: Tenants, switch_on: Make) -> Tenants:
    """The test works inside `acme`, which has enabled invoices."""
    switch_on("invoices", SETTINGS)
    return acme


def delivery() -> Delivery:
    """The newest one of this plugin."""
    return Delivery.objects.filter(plugin="invoices", hook="order_confirmed").latest("id")


def frozen(invoice: Invoice) -> tuple[Any, ...]:
    """All that is printed."""
    invoice = Invoice.objects.get(pk=invoice.pk)
    return model_to_dict(invoice), [model_to_dict(line) for line in invoice.lines.all()]


def tables_in(schema: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename::text FROM pg_tables WHERE schemaname = %s", [schema])
        return {name for (name,) in cursor.fetchall()} & TABLES


def test_a_confirmed_order_gets_an_invoice_with_all_it_needs(committed_db: str, here: Tenants) -> None:
    order = confirmed("Carl & Söhne", ROCKET, note="Pays late")
    work_off()
    invoice = Invoice.objects.get()
    today = timezone.localdate()
    assert (delivery().state, delivery().attempts) == ("done", 1)
    assert (invoice.number, invoice.label, invoice.order_number) == (1, "INV-00001", order.pk)
    assert (invoice.customer_name, invoice.customer_email) == ("Carl & Söhne", "carl@example.com")
    assert (invoice.total, invoice.tax, invoice.net) == (Decimal("39.90"), Decimal("6.37"), Decimal("33.53"))
    assert (invoice.currency, invoice.tax_rate, invoice.tax_name) == ("EUR", 19, "VAT")
    assert (invoice.seller_name, invoice.seller_address) == ("Acme Rockets GmbH", SETTINGS["seller_address"])
    assert (invoice.issued_on, invoice.due_on, invoice.state) == (today, today + timedelta(days=14), "open")
    assert [(x.position, x.description, x.quantity, x.unit_price, x.amount) for x in invoice.lines.all()] == [
        (1, "Rocket", 2, Decimal("19.95"), Decimal("39.90"))
    ]
    assert "Pays late" not in str(frozen(invoice))


def test_the_same_delivery_twice_makes_one_invoice(committed_db: str, here: Tenants) -> None:
    confirmed()
    work_off()
    before, first = frozen(Invoice.objects.get()), delivery()
    redeliver(first.pk, SYSTEM)
    work_off()
    assert (delivery().pk, delivery().state, delivery().attempts) == (first.pk, "done", 2)
    assert frozen(Invoice.objects.get()) == before
    assert NumberSeries.objects.get().last == 1


def test_what_becomes_of_the_order_changes_nothing(committed_db: str, here: Tenants) -> None:
    order = confirmed("Carl", ROCKET)
    work_off()
    before = frozen(Invoice.objects.get())
    Order.objects.filter(pk=order.pk).update(customer_name="Carla", total=1, currency="USD")
    OrderLine.objects.update(description="Gone", unit_price=1)
    assert frozen(Invoice.objects.get()) == before
    orders.cancel(order.pk, None)
    redeliver(delivery().pk, SYSTEM)
    work_off()
    order.delete()
    assert frozen(Invoice.objects.get()) == before


def test_new_settings_hold_for_new_invoices_only(committed_db: str, here: Tenants) -> None:
    confirmed()
    work_off()
    before = frozen(Invoice.objects.get(number=1))
    changed = {**SETTINGS, "seller_address": "Elsewhere", "prefix": "2027/", "due_days": 0, "tax_rate": 0}
    configuration.configure("invoices", SYSTEM, changed)
    confirmed()
    work_off()
    after = Invoice.objects.get(number=2)
    assert (after.label, after.seller_address, after.tax, after.due_on) == (
        "2027/00002",
        "Elsewhere",
        0,
        after.issued_on,
    )
    assert frozen(Invoice.objects.get(number=1)) == before


def test_an_order_cancelled_before_its_turn_gets_none(committed_db: str, here: Tenants) -> None:
    orders.cancel(confirmed().pk, None)
    work_off()
    assert delivery().state == "done"
    assert not Invoice.objects.exists()
    assert invoiced().number == 1


def test_an_order_that_does_not_add_up_is_set_aside_with_the_reason(committed_db: str, here: Tenants) -> None:
    Order.objects.filter(pk=confirmed().pk).update(total=Decimal("0.29"))
    work_off()
    assert delivery().state == "dead"
    assert "add up to 0.30 EUR, but the order says 0.29" in delivery().last_error
    assert not Invoice.objects.exists()


def test_disabled_in_between_makes_none_and_leaves_no_gap(committed_db: str, here: Tenants) -> None:
    confirmed("Before")
    lifecycle.disable("invoices", SYSTEM)
    confirmed("Meanwhile")
    work_off()
    assert delivery().state == "cancelled"
    lifecycle.enable("invoices", SYSTEM)
    confirmed("After")
    work_off()
    assert list(Invoice.objects.values_list("number", "customer_name")) == [(1, "After")]


def test_withdrawn_in_between_makes_it_once_it_is_offered_again(committed_db: str, here: Tenants) -> None:
    confirmed()
    set_offer("orders", "withdrawn", message="Recalled.")
    work_off()
    assert not Invoice.objects.exists()
    assert "Recalled." in delivery().last_error
    set_offer("orders", "everyone")
    redeliver(delivery().pk, SYSTEM)
    work_off()
    assert Invoice.objects.get().number == 1


def test_a_confirmation_that_is_rolled_back_makes_none(committed_db: str, here: Tenants) -> None:
    order = orders.create(OrderInput("Carl", "c@example.com", "EUR", (ROCKET,)), None)
    with pytest.raises(RuntimeError), transaction.atomic():
        orders.confirm(order.pk, None)
        raise RuntimeError
    work_off()
    assert not Invoice.objects.exists()


def test_without_an_address_it_needs_setup_and_takes_no_number(acme: Tenants) -> None:
    assert lifecycle.enable("invoices", SYSTEM) == ["orders", "invoices"]
    status = lifecycle.status("invoices")
    why = "Its settings need attention: Address: Required."
    assert (status.decision.reason, status.decision.text) == ("needs_setup", why)
    confirmed()
    assert not Delivery.objects.filter(plugin="invoices").exists()


def test_the_tables_are_in_the_schema_that_enabled_it_and_in_no_other(here: Tenants) -> None:
    assert tables_in(here.acme.schema) == TABLES
    assert (tables_in(here.globex.schema), tables_in("public")) == (set(), set())
    assert set(PluginState.objects.get(plugin="invoices").tables) == TABLES
    with tenant_scope(here.globex), pytest.raises(ProgrammingError), transaction.atomic():
        Invoice.objects.count()


def test_orders_alone_make_no_tables_of_invoices(acme: Tenants, switch_on: Make) -> None:
    switch_on("orders")
    confirmed()
    assert tables_in(acme.acme.schema) == set()


def test_a_person_can_be_deleted_where_there_are_no_invoices(here: Tenants, ada: Make) -> None:
    with tenant_scope(here.globex):
        ada().delete()
        assert not User.objects.exists()


def test_deleting_who_noted_a_payment_keeps_the_payment(here: Tenants, ada: Make) -> None:
    invoice = invoiced()
    assert invoices.note_payment(invoice.pk, ada()) is True
    User.objects.get().delete()
    invoice.refresh_from_db()
    assert (invoice.state, invoice.paid_noted_by) == ("paid", None)


def test_a_payment_is_noted_once_and_can_be_taken_back(here: Tenants, ada: Make) -> None:
    invoice, person = invoiced(), ada()
    assert [invoices.note_payment(invoice.pk, person), invoices.note_payment(invoice.pk, None)] == [True, False]
    invoice.refresh_from_db()
    assert (invoice.paid_on, invoice.paid_noted_by) == (timezone.localdate(), person)
    assert [invoices.take_payment_back(invoice.pk, person), invoices.take_payment_back(invoice.pk, None)] == [
        True,
        False,
    ]
    invoice.refresh_from_db()
    assert (invoice.state, invoice.paid_noted_by) == ("open", None)


def test_an_invoice_is_overdue_the_day_after_it_was_due(here: Tenants) -> None:
    invoice = invoiced()
    invoice.due_on = timezone.localdate()
    assert invoice.state == "open"
    invoice.due_on -= timedelta(days=1)
    assert invoice.state == "overdue"


def test_the_largest_order_fits(here: Tenants) -> None:
    line = LineInput("x" * 200, 99_999, Decimal("99999999.99"))
    invoice = invoiced("C" * 200, *[line] * 50)
    invoice.refresh_from_db()
    assert invoice.total == 50 * 99_999 * Decimal("99999999.99")
    assert invoice.net + invoice.tax == invoice.total


def test_orders_cannot_be_disabled_alone_and_together_keeps_everything(here: Tenants) -> None:
    before = frozen(invoiced())
    with pytest.raises(NotAllowed, match="needed by Invoices"):
        lifecycle.disable("orders", SYSTEM)
    assert lifecycle.disable("orders", SYSTEM, cascade=True) == ["invoices", "orders"]
    lifecycle.enable("invoices", SYSTEM)
    assert frozen(Invoice.objects.get()) == before
    assert invoiced().number == 2


def test_a_purge_refuses_while_it_is_enabled_or_the_name_is_wrong(here: Tenants) -> None:
    invoiced()
    with pytest.raises(NotAllowed, match="Disable it first"):
        purge.purge("invoices", SYSTEM, confirmation="invoices")
    lifecycle.disable("invoices", SYSTEM)
    with pytest.raises(NotAllowed, match="Type the plugin’s name"):
        purge.purge("invoices", SYSTEM, confirmation="orders")
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE theirs (invoice_id bigint REFERENCES invoices_plugin_invoice (id))")
    with pytest.raises(NotAllowed, match="theirs"):
        purge.purge("invoices", SYSTEM, confirmation="invoices")
    assert Invoice.objects.count() == 1


def test_a_purge_deletes_the_invoices_and_leaves_the_orders(here: Tenants) -> None:
    with tenant_scope(here.globex):
        configuration.configure("invoices", SYSTEM, SETTINGS)
        lifecycle.enable("invoices", SYSTEM)
        invoiced()
    invoiced()
    lifecycle.disable("invoices", SYSTEM)
    gone = purge.purge("invoices", SYSTEM, confirmation="invoices")
    assert gone.tables == {
        "invoices_plugin_invoice": 1,
        "invoices_plugin_invoiceline": 1,
        "invoices_plugin_numberseries": 1,
    }
    assert tables_in(here.acme.schema) == set()
    assert Order.objects.count() == 1
    with tenant_scope(here.globex):
        assert Invoice.objects.count() == 1
    configuration.configure("invoices", SYSTEM, SETTINGS)
    lifecycle.enable("invoices", SYSTEM)
    assert invoiced().number == 1


def test_orders_that_were_purged_and_count_from_one_again_get_invoices_of_their_own(here: Tenants) -> None:
    first = invoiced("Before")
    lifecycle.disable("orders", SYSTEM, cascade=True)
    purge.purge("orders", SYSTEM, confirmation="orders")
    assert Invoice.objects.get().customer_name == "Before"
    lifecycle.enable("invoices", SYSTEM)
    second = invoiced("After")
    assert (first.order_number, second.order_number) == (1, 1)
    assert (first.number, second.number) == (1, 2)
