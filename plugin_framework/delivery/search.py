"""Finds deliveries of the current tenant: by where they stand, plugin, hook and time; newest first, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import connection
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext

from plugin_framework.delivery.house import HOUSE
from plugin_framework.models.delivery import Delivery, DeliveryState, Standing

MOST_COUNTED = 999  # counting stops here: nobody needs to know more exactly, and a page must not read a million rows
_DUE = Q(state=DeliveryState.DUE)
_RUNNING = Q(started_at__isnull=False, finished_at__isnull=True)
_FRESH = Q(attempts__lte=F("attempts_before")) | _RUNNING & Q(attempts=F("attempts_before") + 1)
# One that is running now is found where it was before: waiting for its first attempt, or being retried.
STATES: dict[str, Q] = {
    Standing.WAITING: _DUE & Q(held_since__isnull=True) & _FRESH,
    Standing.RETRYING: _DUE & Q(held_since__isnull=True) & ~_FRESH,
    Standing.HELD: _DUE & Q(held_since__isnull=False),
    Standing.DONE: Q(state=DeliveryState.DONE),
    Standing.DEAD: Q(state=DeliveryState.DEAD),
    Standing.CANCELLED: Q(state=DeliveryState.CANCELLED),
}
PENDING = "due"  # waiting, retrying and held together


def moment(text: str) -> datetime:
    """A point in time, as ISO 8601 writes it: `2026-11-23T17:00`, in the current tenant's time zone where it names none.

    Raises:
        ValueError: it is none; the text says how to write one.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        said = gettext("“%(text)s” is not a date and time. Write it like this: 2026-11-23T17:00")
        raise ValueError(said % {"text": text}) from None
    return at if at.tzinfo else timezone.make_aware(at)


@dataclass(frozen=True, slots=True)
class Search:
    """Which deliveries are asked for; what is empty does not matter.

    Attributes:
        state: a key of `STATES`, or PENDING.
        since, until: the first moment at which the event may have happened, and the first at which it may not.
        upto: the largest id; what was emitted later is not meant.
    """

    plugin: str = ""
    state: str = ""
    hook: str = ""
    since: datetime | None = None
    until: datetime | None = None
    upto: int | None = None

    def rows(self) -> QuerySet[Delivery]:
        """The deliveries, in no order. What the platform itself owes the tenant is not among them."""
        found = Delivery.objects.order_by().exclude(plugin=HOUSE)
        if self.state:
            found = found.filter(_DUE if self.state == PENDING else STATES[self.state])
        given = {
            "plugin": self.plugin,
            "hook": self.hook,
            "created_at__gte": self.since,
            "created_at__lt": self.until,
            "id__lte": self.upto,
        }
        return found.filter(**{name: value for name, value in given.items() if value not in ("", None)})

    def counts(self) -> dict[str, int]:
        """How many there are in each of `STATES`, whatever `state` says; MOST_COUNTED + 1 means "more". One statement."""
        each = [replace(self, state=state).rows().values("pk")[: MOST_COUNTED + 1] for state in STATES]
        compiled = [rows.query.sql_with_params() for rows in each]
        columns = ", ".join(f"(SELECT count(*) FROM ({sql}) AS found)" for sql, _ in compiled)  # noqa: S608  # the ORM wrote it
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {columns}", [param for _, params in compiled for param in params])
            return dict(zip(STATES, cursor.fetchone(), strict=True))

    def page(self, size: int, *, before: int | None = None, after: int | None = None) -> Page:
        """`size` deliveries without their payloads: the newest, those older than id `before`, or those newer than `after`.

        By key, not by number: page 200 costs what page 1 costs, and nothing moves to another page when something new comes in.
        """
        rows = self.rows().defer("payload")
        if after is not None:
            found = list(rows.filter(id__gt=after).order_by("id")[: size + 1])
            if len(found) > size:
                shown = found[size - 1 :: -1]
                return Page(shown, newer=shown[0].pk, older=shown[-1].pk)
            before = None  # fewer than a page are newer: the first page shows all of them
        found = list((rows.filter(id__lt=before) if before else rows).order_by("-id")[: size + 1])
        shown = found[:size]
        return Page(
            shown,
            newer=shown[0].pk if before and shown else None,
            older=shown[-1].pk if len(found) > size else None,
        )


@dataclass(frozen=True, slots=True)
class Page:
    """A page of deliveries, newest first. `newer`, `older`: what to ask for `after` and `before`; None at either end."""

    rows: Sequence[Delivery]
    newer: int | None
    older: int | None
