"""What the pages ask of the invoices."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from plugins.invoices_plugin.models import Invoice

STATES = (("open", _("Open")), ("overdue", _("Overdue")), ("paid", _("Paid")))


@dataclass(frozen=True, slots=True)
class Outstanding:
    """What customers have not paid yet, in one currency."""

    currency: str
    count: int
    amount: Decimal


def search(words: str = "", state: str = "") -> QuerySet[Invoice]:
    """Invoices whose number, customer or address contain all `words`, newest first; of every state if `state` is empty."""
    found = Invoice.objects.all()
    if state:
        found = found.filter(_in_state(state))
    for word in words.split():
        found = found.filter(
            Q(label__icontains=word) | Q(customer_name__icontains=word) | Q(customer_email__icontains=word)
        )
    return found


def counts() -> dict[str, int]:
    """How many invoices there are of each state, in one query."""
    return Invoice.objects.aggregate(**{state: Count("pk", filter=_in_state(state)) for state, _ in STATES})


def outstanding() -> list[Outstanding]:
    """What is not paid, by currency."""
    found = Invoice.objects.filter(paid_on=None).order_by("currency").values_list("currency")
    return [Outstanding(*row) for row in found.annotate(Count("pk"), Sum("total"))]


def _in_state(state: str) -> Q:
    if state == "paid":
        return Q(paid_on__isnull=False)
    late = Q(due_on__lt=timezone.localdate())
    return Q(paid_on=None) & (late if state == "overdue" else ~late)
