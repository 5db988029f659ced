"""What the tests of invoices share: settings, and confirmed orders."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from plugins.invoices_plugin import services
from plugins.invoices_plugin.billing import Terms, ordered
from plugins.invoices_plugin.models import Invoice
from plugins.orders_plugin import services as orders
from plugins.orders_plugin.models import Order
from plugins.orders_plugin.services import LineInput, OrderInput

SETTINGS: dict[str, Any] = {
    "seller_name": "Acme Rockets GmbH",
    "seller_address": "1 Rocket Road\n12345 Acmetown",
    "seller_tax_id": "DE123456789",
    "footer": "IBAN DE00 0000",
    "tax_rate": 19,
}
TERMS = Terms.of({"prefix": "INV-", "due_days": 14, "tax_name": "VAT", **SETTINGS}, "Acme")
FUEL = LineInput("Fuel", 3, Decimal("0.10"))


def confirmed(name: str = "Carl", *lines: LineInput, note: str = "", currency: str = "EUR") -> Order:
    """An order of the current tenant that has just been confirmed."""
    order = orders.create(OrderInput(name, "carl@example.com", currency, lines or (FUEL,), note), None)
    orders.confirm(order.pk, None)
    order.refresh_from_db()
    return order


def invoiced(name: str = "Carl", *lines: LineInput, terms: Terms = TERMS, **more: str) -> Invoice:
    """The invoice of such an order, made as the handler makes it."""
    invoice, _ = services.issue(ordered(confirmed(name, *lines, **more)), terms)
    return invoice
