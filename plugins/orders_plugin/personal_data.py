"""What orders say of one person: the customer, or whoever entered them."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from plugin_framework.sdk import Person
from plugins.orders_plugin.models import Order, OrderState

NOBODY = "Erased customer"


def export(person: Person) -> dict[str, Any]:
    """Their orders as a customer, with the lines, and the numbers of those that they entered for others."""
    orders = Order.objects.filter(_customer(person)).order_by("pk").prefetch_related("lines")
    entered = Order.objects.filter(created_by=person.user_id).order_by("pk") if person.user_id is not None else ()
    found: dict[str, Any] = {"orders": [_order(each) for each in orders], "entered": [each.pk for each in entered]}
    return {name: rows for name, rows in found.items() if rows}


def erase(person: Person) -> int:
    """Delete their drafts, and take who they are out of their other orders; how many that were."""
    with transaction.atomic():
        theirs = Order.objects.filter(_customer(person))
        drafts = theirs.filter(state=OrderState.DRAFT)
        count = drafts.count()
        drafts.delete()
        return count + theirs.update(customer_name=NOBODY, customer_email="", note="", revision=F("revision") + 1)


def _customer(person: Person) -> Q:
    return reduce(or_, (Q(customer_email__iexact=email) for email in person.emails))


def _order(order: Order) -> dict[str, Any]:
    return {
        "number": order.pk,
        "made": order.created_at,
        "state": order.state,
        "name": order.customer_name,
        "email": order.customer_email,
        "note": order.note,
        "total": order.total,
        "currency": order.currency,
        "lines": list(order.lines.values("description", "quantity", "unit_price")),
    }
