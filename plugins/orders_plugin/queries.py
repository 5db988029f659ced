"""What the pages ask of the orders."""

from __future__ import annotations

from django.db.models import Count, Q, QuerySet

from plugins.orders_plugin.models import Order, OrderState

MOST_DIGITS = 18  # of an order's number; more would not fit its column


def search(words: str = "", state: str = "") -> QuerySet[Order]:
    """Orders whose number, customer or address contain all `words`, newest first; of every state if `state` is empty."""
    found = Order.objects.all()
    if state:
        found = found.filter(state=state)
    for word in words.split():
        matches = Q(customer_name__icontains=word) | Q(customer_email__icontains=word)
        number = word.removeprefix("#")
        if number.isascii() and number.isdigit() and len(number) <= MOST_DIGITS:
            matches |= Q(pk=int(number))
        found = found.filter(matches)
    return found


def counts() -> dict[str, int]:
    """How many orders there are of each state, in one query."""
    found = {state.value: 0 for state in OrderState}
    found |= dict(Order.objects.order_by().values_list("state").annotate(Count("id")))
    return found
