"""What invoices say of one person: the customer, or whoever noted a payment."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q

from plugin_framework.sdk import Person
from plugins.invoices_plugin.models import Invoice


def export(person: Person) -> dict[str, Any]:
    """Their invoices as a customer, with the lines, and the numbers of those whose payment they noted."""
    invoices = Invoice.objects.filter(_customer(person)).order_by("number").prefetch_related("lines")
    noted = Invoice.objects.filter(paid_noted_by=person.user_id) if person.user_id is not None else ()
    found: dict[str, Any] = {
        "invoices": [_invoice(each) for each in invoices],
        "payments_noted": [each.label for each in noted],
    }
    return {name: rows for name, rows in found.items() if rows}


def erase(person: Person) -> int:
    """Take the address out of their invoices, and leave them otherwise as they were issued; how many that were."""
    return Invoice.objects.filter(_customer(person)).update(customer_email="")


def _customer(person: Person) -> Q:
    return reduce(or_, (Q(customer_email__iexact=email) for email in person.emails))


def _invoice(invoice: Invoice) -> dict[str, Any]:
    return {
        "number": invoice.label,
        "order": invoice.order_number,
        "name": invoice.customer_name,
        "email": invoice.customer_email,
        "issued_on": invoice.issued_on,
        "due_on": invoice.due_on,
        "paid_on": invoice.paid_on,
        "total": invoice.total,
        "currency": invoice.currency,
        "lines": list(invoice.lines.values("description", "quantity", "unit_price", "amount")),
    }
