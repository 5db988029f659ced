"""The two things an invoice is made from, as frozen values: what was ordered, and the tenant's terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from plugin_framework.sdk import Amount, Phrase

CENT = Decimal("0.01")

_NEVER_CONFIRMED = Phrase(
    "Order %(order)s does not say when it was confirmed, so it got no invoice. Cancel it and enter it again."
)
_NO_LINES = Phrase(
    "Order %(order)s has no lines, so there is nothing to put into an invoice. Cancel it and enter it again with its lines."
)
_DOES_NOT_ADD_UP = Phrase(
    "The lines of order %(order)s add up to %(sum)s %(currency)s, but the order says %(total)s. Cancel it and enter it again.",
    amounts=("sum", "total"),
)


class NotBillable(ValueError):
    """No invoice can be made for this order; the text says why."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was ordered. `unit_price` is in the order's currency."""

    description: str
    quantity: int
    unit_price: Decimal

    @property
    def amount(self) -> Decimal:
        """What the line costs."""
        return self.quantity * self.unit_price


@dataclass(frozen=True, slots=True)
class Ordered:
    """What of an order goes into its invoice. The organisation's own note stays out of it."""

    number: int
    confirmed_at: datetime
    customer_name: str
    customer_email: str
    currency: str
    lines: tuple[Line, ...]

    @property
    def total(self) -> Decimal:
        """The sum of the lines."""
        return sum((line.amount for line in self.lines), Decimal("0.00"))


@dataclass(frozen=True, slots=True)
class Terms:
    """What the settings say about new invoices. `tax_rate`: percent that the prices include. `due_days`: days until payment is due."""

    seller_name: str
    seller_address: str
    seller_tax_id: str = ""
    prefix: str = ""
    footer: str = ""
    due_days: int = 14
    tax_name: str = "VAT"
    tax_rate: Decimal = Decimal("0.00")

    @classmethod
    def of(cls, settings: Mapping[str, Any], organisation: str) -> Terms:
        """The terms of valid settings; `organisation` is who sells, if the settings name nobody."""
        return cls(
            seller_name=settings.get("seller_name") or organisation,
            seller_address=settings["seller_address"],
            seller_tax_id=settings.get("seller_tax_id") or "",
            prefix=settings.get("prefix") or "",
            footer=settings.get("footer") or "",
            due_days=int(settings["due_days"]),
            tax_name=settings["tax_name"],
            tax_rate=Decimal(str(settings["tax_rate"])).quantize(CENT),  # JSON's number, by the digits that were typed
        )

    def label(self, number: int) -> str:
        """A number as it is printed."""
        return f"{self.prefix}{number:05d}"

    def tax_in(self, total: Decimal) -> Decimal:
        """The tax that `total` includes, to the cent, halves rounded up."""
        return (total * self.tax_rate / (100 + self.tax_rate)).quantize(CENT, ROUND_HALF_UP)


def ordered(order: Any) -> Ordered:
    """Read what an invoice needs from an order, by the attributes that the event's README promises.

    Raises:
        NotBillable: it was never confirmed, has no lines, or they do not add up to its total.
    """
    if order.confirmed_at is None:
        raise NotBillable(_NEVER_CONFIRMED(order=order.id).english)
    lines = tuple(Line(str(line.description), int(line.quantity), line.unit_price) for line in order.lines.all())
    found = Ordered(
        number=order.id,
        confirmed_at=order.confirmed_at,
        customer_name=str(order.customer_name),
        customer_email=str(order.customer_email or ""),
        currency=str(order.currency),
        lines=lines,
    )
    if not lines:
        raise NotBillable(_NO_LINES(order=order.id).english)
    if found.total != order.total:
        raise NotBillable(
            _DOES_NOT_ADD_UP(
                order=order.id, sum=Amount(found.total), currency=found.currency, total=Amount(order.total)
            ).english
        )
    return found
