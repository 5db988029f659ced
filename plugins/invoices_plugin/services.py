"""Everything that writes invoices: one function each, one transaction each."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from plugins.invoices_plugin.billing import Ordered, Terms
from plugins.invoices_plugin.models import Invoice, InvoiceLine, NumberSeries

log = logging.getLogger(__name__)
_THE_SERIES = 1  # its primary key: there is one row


def issue(what: Ordered, terms: Terms) -> tuple[Invoice, bool]:
    """Make the invoice of an order, with the next number; the second time, find the one that was made.

    The number is taken in the invoice's own transaction from a row that stays locked until it ends: nobody else gets the same one,
    and a transaction that is rolled back gives it back. So invoices of one tenant are made one after the other.

    Returns:
        The invoice, and whether it was this call that made it.
    """
    with transaction.atomic():
        series, _ = NumberSeries.objects.select_for_update().get_or_create(pk=_THE_SERIES)
        known = Invoice.objects.filter(order_number=what.number, order_confirmed_at=what.confirmed_at).first()
        if known is not None:
            return known, False
        series.last += 1
        series.save()
        invoice = _invoice(series.last, what, terms)
        invoice.save()
        _write_lines(invoice, what)
    log.info("%s was made for order %s", invoice, what.number)
    return invoice, True


def note_payment(invoice_id: int, actor: Any) -> bool:
    """Note that an invoice was paid today.

    Returns:
        Whether it was this call that noted it; False if it was noted already.

    Raises:
        Invoice.DoesNotExist: there is no such invoice.
    """
    with transaction.atomic():
        invoice = _locked(invoice_id)
        if invoice.paid_on is not None:
            return False
        invoice.paid_on, invoice.paid_noted_by = timezone.localdate(), actor
        invoice.save()
    _log(invoice, "paid", actor)
    return True


def take_payment_back(invoice_id: int, actor: Any) -> bool:
    """Note that an invoice was not paid after all.

    Returns:
        Whether it was this call that changed it.

    Raises:
        Invoice.DoesNotExist: there is no such invoice.
    """
    with transaction.atomic():
        invoice = _locked(invoice_id)
        if invoice.paid_on is None:
            return False
        invoice.paid_on = invoice.paid_noted_by = None
        invoice.save()
    _log(invoice, "not paid", actor)
    return True


def _invoice(number: int, what: Ordered, terms: Terms) -> Invoice:
    today = timezone.localdate()
    return Invoice(
        number=number,
        label=terms.label(number),
        order_number=what.number,
        order_confirmed_at=what.confirmed_at,
        customer_name=what.customer_name,
        customer_email=what.customer_email,
        currency=what.currency,
        total=what.total,
        tax=terms.tax_in(what.total),
        tax_rate=terms.tax_rate,
        tax_name=terms.tax_name,
        seller_name=terms.seller_name,
        seller_address=terms.seller_address,
        seller_tax_id=terms.seller_tax_id,
        footer=terms.footer,
        issued_on=today,
        due_on=today + timedelta(days=terms.due_days),
    )


def _write_lines(invoice: Invoice, what: Ordered) -> None:
    InvoiceLine.objects.bulk_create(
        InvoiceLine(
            invoice=invoice,
            position=position,
            description=line.description,
            quantity=line.quantity,
            unit_price=line.unit_price,
            amount=line.amount,
        )
        for position, line in enumerate(what.lines, start=1)
    )


def _locked(invoice_id: int) -> Invoice:
    return Invoice.objects.select_for_update().get(pk=invoice_id)


def _log(invoice: Invoice, what: str, actor: Any) -> None:
    log.info("%s was noted as %s by %s", invoice, what, getattr(actor, "pk", None) or "the system")
