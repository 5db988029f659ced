"""What goes into an invoice: exact sums, tax rounded once, and orders that get none."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import translation

from plugin_framework.sdk import reread
from plugins.invoices_plugin.billing import NotBillable, Terms, ordered
from plugins.invoices_plugin.plugin import InvoicesPlugin

CONFIRMED = datetime(2026, 11, 23, 12, tzinfo=UTC)
SETTINGS = {"seller_address": "1 Road", "due_days": 14, "tax_name": "VAT", "tax_rate": 0}


def order(*lines: tuple[str, int, str], **more: Any) -> SimpleNamespace:
    """Something with the attributes that the event promises."""
    rows = [
        SimpleNamespace(description=what, quantity=count, unit_price=Decimal(price)) for what, count, price in lines
    ]
    total = sum((row.quantity * row.unit_price for row in rows), Decimal("0.00"))
    known = {"id": 7, "customer_name": "Carl", "customer_email": "c@example.com", "currency": "EUR", "total": total}
    found = {**known, "confirmed_at": CONFIRMED, "note": "A secret", "lines": SimpleNamespace(all=lambda: rows)}
    return SimpleNamespace(**{**found, **more})


def test_an_order_is_read_whole_but_for_the_organisations_own_note() -> None:
    found = ordered(order(("Fuel", 3, "0.10"), ("Rocket", 1, "99.99")))
    assert (found.number, found.confirmed_at, found.currency) == (7, CONFIRMED, "EUR")
    assert [line.amount for line in found.lines] == [Decimal("0.30"), Decimal("99.99")]
    assert found.total == Decimal("100.29")
    assert "secret" not in repr(found)


@pytest.mark.parametrize(
    ("what", "words"),
    [
        (order(), "has no lines"),
        (order(("Fuel", 1, "1.00"), confirmed_at=None), "confirmed"),
        (order(("Fuel", 1, "1.00"), total=Decimal("1.01")), "add up to 1.00 EUR, but the order says 1.01"),
    ],
)
def test_an_order_that_cannot_be_billed_says_why(what: SimpleNamespace, words: str) -> None:
    with pytest.raises(NotBillable, match=words):
        ordered(what)


def test_why_it_cannot_be_billed_is_read_with_the_amounts_of_the_readers_language() -> None:
    with pytest.raises(NotBillable) as caught:
        ordered(order(("Rocket", 1, "12345.60"), total=Decimal("0.00")))
    stored = str(caught.value)
    assert "add up to 12,345.60 EUR, but the order says 0.00." in stored
    assert str(reread(stored)) == stored
    with translation.override("de"):
        said = str(reread(stored))
    assert "12.345,60 EUR" in said
    assert "0,00." in said


@pytest.mark.parametrize(
    ("rate", "total", "tax"),
    [
        (0, "119.00", "0.00"),
        (19, "119.00", "19.00"),
        (7.7, "107.70", "7.70"),
        (19, "0.03", "0.00"),
        (100, "0.01", "0.01"),  # half a cent goes up
        (25, "0.10", "0.02"),
        (8.25, "499999499949995.00", "38106197455773.29"),  # no digit is lost in the largest sums
    ],
)
def test_the_tax_is_part_of_the_total_and_rounded_once_to_the_cent(rate: float, total: str, tax: str) -> None:
    assert Terms.of({**SETTINGS, "tax_rate": rate}, "Acme").tax_in(Decimal(total)) == Decimal(tax)


@pytest.mark.parametrize("rate", [0.07, 7.7, 8.1, 19, 33.33, 99.99])
def test_a_rate_keeps_the_digits_that_were_typed(rate: float) -> None:
    assert Terms.of({**SETTINGS, "tax_rate": rate}, "Acme").tax_rate == Decimal(str(rate))


def test_who_sells_is_the_organisation_unless_the_settings_name_somebody() -> None:
    assert Terms.of(SETTINGS, "Acme").seller_name == "Acme"
    assert Terms.of({**SETTINGS, "seller_name": "Acme GmbH"}, "Acme").seller_name == "Acme GmbH"


def test_a_label_has_five_digits_or_as_many_as_it_needs() -> None:
    terms = Terms.of({**SETTINGS, "prefix": "INV-"}, "Acme")
    assert [terms.label(number) for number in (1, 99_999, 123_456)] == ["INV-00001", "INV-99999", "INV-123456"]


def test_it_works_with_the_orders_of_version_1_only() -> None:
    assert InvoicesPlugin.dependencies == ("orders>=1,<2",)
