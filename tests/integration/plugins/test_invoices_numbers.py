"""Numbers of invoices: each once and none left out, whoever asks at the same time, and whatever is rolled back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DataError, IntegrityError, connection, transaction

from plugin_framework.tenancy import TenantRef, tenant_scope
from plugins.invoices_plugin import services
from plugins.invoices_plugin.billing import Line, Ordered, ordered
from plugins.invoices_plugin.models import Invoice, InvoiceLine, NumberSeries
from tests.conftest import Tenants
from tests.integration.plugins.invoicing import SETTINGS, TERMS, confirmed, invoiced

Make = Callable[..., Any]
THREADS, EACH = 8, 10


class TakenBack(Exception):
    """Ends a transaction of the tests that must leave nothing."""


@pytest.fixture
def acme(acme: Tenants, switch_on: Make) -> TenantRef:
    """The test works inside `acme`, which has enabled invoices."""
    switch_on("invoices", SETTINGS)
    return acme.acme


def at_once(tenant: TenantRef, work: Callable[[int], object]) -> None:
    """Run `work(0)` to `work(THREADS - 1)` at the same time, each in a thread of its own inside `tenant`."""
    start, failed = threading.Barrier(THREADS), list[BaseException]()

    def run(thread: int) -> None:
        try:
            with tenant_scope(tenant):
                start.wait(30)
                work(thread)
        except BaseException as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[thread]) for thread in range(THREADS)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert failed == []


def numbers() -> list[int]:
    return sorted(Invoice.objects.values_list("number", flat=True))


def test_eight_who_make_ten_each_get_every_number_once_though_some_are_rolled_back(
    committed_db: str, acme: TenantRef
) -> None:
    waiting = [ordered(confirmed(f"Customer {number}")) for number in range(THREADS * EACH)]
    taken_back = []

    def make(thread: int) -> None:
        for index, what in enumerate(waiting[thread::THREADS]):
            if index % 3 == thread % 3:
                with pytest.raises(TakenBack), transaction.atomic():
                    taken_back.append(services.issue(what, TERMS)[0].number)
                    raise TakenBack
            assert services.issue(what, TERMS)[1]

    at_once(acme, make)
    assert numbers() == list(range(1, THREADS * EACH + 1))
    assert len(taken_back) > THREADS * 2
    assert set(taken_back) <= set(numbers())  # each was given to somebody else
    assert set(Invoice.objects.values_list("order_number", flat=True)) == {what.number for what in waiting}
    assert NumberSeries.objects.get().last == THREADS * EACH
    assert InvoiceLine.objects.count() == THREADS * EACH


def test_the_same_order_at_the_same_time_gets_one_invoice(committed_db: str, acme: TenantRef) -> None:
    what, made = ordered(confirmed()), []
    at_once(acme, lambda thread: made.append(services.issue(what, TERMS)))
    assert sorted(new for _, new in made) == [False] * (THREADS - 1) + [True]
    assert {invoice.pk for invoice, _ in made} == {Invoice.objects.get().pk}
    assert invoiced().number == 2


def test_a_failure_after_the_number_was_taken_gives_it_back(acme: TenantRef) -> None:
    good = ordered(confirmed())
    bad = Ordered(99, good.confirmed_at, "Carl", "c@example.com", "EUR", (Line("a\x00b", 1, good.total),))
    with pytest.raises(DataError), transaction.atomic():
        services.issue(bad, TERMS)
    assert not Invoice.objects.exists()
    assert services.issue(good, TERMS)[0].number == 1


def test_the_second_time_it_is_the_same_invoice(acme: TenantRef) -> None:
    what = ordered(confirmed())
    first, made = services.issue(what, TERMS)
    again, made_again = services.issue(what, TERMS)
    assert (made, made_again, again) == (True, False, first)
    assert numbers() == [1]


@pytest.mark.parametrize("again", ["number", "order"])
def test_the_database_itself_refuses_a_second_one(acme: TenantRef, again: str) -> None:
    invoice = invoiced()
    invoice.pk, invoice._state.adding = None, True
    if again == "number":
        invoice.order_number = 99
    else:
        invoice.number = 99
    with pytest.raises(IntegrityError), transaction.atomic():
        invoice.save()
    assert numbers() == [1]


def test_each_organisation_has_numbers_of_its_own(acme: TenantRef, tenants: Tenants, switch_on: Make) -> None:
    assert [invoiced().number, invoiced().number] == [1, 2]
    with tenant_scope(tenants.globex):
        switch_on("invoices", SETTINGS)
        assert [invoiced().number, invoiced().number, invoiced().number] == [1, 2, 3]
    assert numbers() == [1, 2]
