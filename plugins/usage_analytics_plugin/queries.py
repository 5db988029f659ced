"""What the page and the panel ask for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Max, Q, Sum

from plugins.usage_analytics_plugin.models import ViewCount

ERRORS = 5  # the hundreds of a status that is our own fault


@dataclass(frozen=True, slots=True)
class Day:
    """One day's views, and how many of them ended in an error."""

    day: date
    views: int
    errors: int


@dataclass(frozen=True, slots=True)
class Page:
    """One page over a stretch of days."""

    view: str
    views: int
    errors: int
    mean_ms: int
    slowest_ms: int


def days(until: date, number: int) -> list[Day]:
    """The `number` days that end with `until`, those without any view too."""
    first = until - timedelta(days=number - 1)
    rows = _between(first, until).values("day").annotate(sum=Sum("views"), wrong=Sum("views", filter=Q(outcome=ERRORS)))
    found = {row["day"]: row for row in rows}
    every = [first + timedelta(days=offset) for offset in range(number)]
    return [Day(day, *_counts(found.get(day))) for day in every]


def pages(until: date, number: int, *, most: int = 20) -> list[Page]:
    """The pages opened most in these days."""
    rows = (
        _between(until - timedelta(days=number - 1), until)
        .values("view")
        .annotate(
            sum=Sum("views"),
            wrong=Sum("views", filter=Q(outcome=ERRORS)),
            time=Sum("total_ms"),
            slowest=Max("slowest_ms"),
        )
        .order_by("-sum", "view")[:most]
    )
    return [Page(row["view"], *_counts(row), row["time"] // row["sum"], row["slowest"]) for row in rows]


def total(found: Sequence[Day]) -> Day:
    """All of these days as one, the last of them."""
    return Day(found[-1].day, sum(each.views for each in found), sum(each.errors for each in found))


def _between(first: date, last: date) -> Any:
    return ViewCount.objects.filter(day__range=(first, last)).order_by()


def _counts(row: Any) -> tuple[int, int]:
    return (row["sum"] or 0, row["wrong"] or 0) if row else (0, 0)
