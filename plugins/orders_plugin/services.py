"""Everything that changes an order: one function each, one transaction each."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop

from plugin_framework.sdk import emit
from plugins.orders_plugin.models import Order, OrderLine, OrderState

log = logging.getLogger(__name__)


class OrderError(Exception):
    """The order cannot be changed like this; the text tells the person why, and what to do."""

    says = gettext_noop("The order cannot be changed like this. Reload it to see how it stands.")

    def __init__(self) -> None:
        super().__init__(gettext(self.says))


class NotADraft(OrderError):
    """It is none any more."""

    says = gettext_noop(
        "Only a draft can be changed, and this order is none any more. Cancel it and make a new one instead."
    )


class Stale(OrderError):
    """Somebody else was faster."""

    says = gettext_noop(
        "Somebody else has changed this order meanwhile. Open it again in another tab, compare, and save there."
    )


class NothingOrdered(OrderError):
    """It has no lines."""

    says = gettext_noop("There is nothing in this order yet. Add a line before you confirm it.")


class Cancelled(OrderError):
    """It was cancelled."""

    says = gettext_noop("This order was cancelled, so it cannot be confirmed. Make a new one.")


@dataclass(frozen=True, slots=True)
class LineInput:
    """One line, as somebody wants it."""

    description: str
    quantity: int
    unit_price: Decimal


@dataclass(frozen=True, slots=True)
class OrderInput:
    """An order, as somebody wants it. All of it has been validated."""

    customer_name: str
    customer_email: str
    currency: str
    lines: tuple[LineInput, ...]
    note: str = ""

    @property
    def total(self) -> Decimal:
        """The sum of the lines."""
        return sum((line.quantity * line.unit_price for line in self.lines), Decimal("0.00"))


def create(wanted: OrderInput, actor: Any) -> Order:
    """Make a draft.

    Args:
        actor: the user who does it, or None for the system.
    """
    with transaction.atomic():
        order = _fill(Order(created_by=actor), wanted)
        order.save()
        _write_lines(order, wanted)
    _log(order, "created", actor)
    return order


def update(order_id: int, wanted: OrderInput, actor: Any, *, seen_revision: int) -> Order:
    """Change a draft as a whole, lines included.

    Args:
        seen_revision: the revision that the person has been looking at.

    Raises:
        Order.DoesNotExist: there is no such order. NotADraft, Stale: nothing was changed.
    """
    with transaction.atomic():
        order = _locked(order_id)
        if not order.is_draft:
            raise NotADraft
        if order.revision != seen_revision:
            raise Stale
        order.revision += 1
        _fill(order, wanted).save()
        order.lines.all().delete()
        _write_lines(order, wanted)
    _log(order, "changed", actor)
    return order


def confirm(order_id: int, actor: Any) -> bool:
    """Confirm a draft and tell the other plugins, in one transaction; however many try at once, they are told once.

    Returns:
        Whether it was this call that confirmed it; False if it was confirmed already.

    Raises:
        Order.DoesNotExist: there is no such order. NothingOrdered, Cancelled: nothing was changed.
    """
    with transaction.atomic():
        order = _locked(order_id)
        if order.state == OrderState.CONFIRMED:
            return False
        if order.is_cancelled:
            raise Cancelled
        if not order.lines.exists():
            raise NothingOrdered
        order.state, order.confirmed_at = OrderState.CONFIRMED, timezone.now()
        order.revision += 1
        order.save()
        emit("order_confirmed", order)
    _log(order, "confirmed", actor)
    return True


def cancel(order_id: int, actor: Any) -> bool:
    """Cancel an order, whether confirmed or not. It stays in the list.

    Returns:
        Whether it was this call that cancelled it.

    Raises:
        Order.DoesNotExist: there is no such order.
    """
    with transaction.atomic():
        order = _locked(order_id)
        if order.is_cancelled:
            return False
        order.state = OrderState.CANCELLED
        order.revision += 1
        order.save()
    _log(order, "cancelled", actor)
    return True


def _locked(order_id: int) -> Order:
    """The order, held until the transaction ends; whoever else wants to change it waits here and then sees what was done."""
    return Order.objects.select_for_update().get(pk=order_id)


def _fill(order: Order, wanted: OrderInput) -> Order:
    order.customer_name, order.customer_email = wanted.customer_name, wanted.customer_email
    order.currency, order.note, order.total = wanted.currency, wanted.note, wanted.total
    return order


def _write_lines(order: Order, wanted: OrderInput) -> None:
    OrderLine.objects.bulk_create(
        OrderLine(
            order=order,
            position=position,
            description=line.description,
            quantity=line.quantity,
            unit_price=line.unit_price,
        )
        for position, line in enumerate(wanted.lines, start=1)
    )


def _log(order: Order, what: str, actor: Any) -> None:
    log.info("Order %s was %s by %s", order.pk, what, getattr(actor, "pk", None) or "the system")
