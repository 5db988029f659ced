"""The pills above a list: one per state, with the number of rows behind it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from django.utils.translation import gettext


@dataclass(frozen=True, slots=True)
class Filter:
    """One pill."""

    value: str  # "" for all
    label: str
    count: int
    active: bool
    url: str
    more: bool = False  # there are more than `count`


def filters(
    labels: Iterable[tuple[str, str]],
    counts: Mapping[str, int],
    chosen: str,
    url: str,
    *,
    most: int | None = None,
    **kept: str,
) -> list[Filter]:
    """A pill for everything, then one per state.

    Args:
        labels: the states and what people read for them. `counts`: rows by state, and under "" all, if some have several states.
        chosen: the state shown now, "" for all. `url`: the list's address. `kept`: its other parameters.
        most: where counting stopped.
    """
    every = counts.get("", sum(counts.values()))
    pills = [("", gettext("All"), every), *((value, label, counts.get(value, 0)) for value, label in labels)]
    shown = [(value, label, count if most is None else min(count, most), count) for value, label, count in pills]
    return [
        Filter(value, label, few, value == chosen, _address(url, state=value, **kept), more=few < count)
        for value, label, few, count in shown
    ]


def _address(url: str, **params: str) -> str:
    given = {key: value for key, value in params.items() if value}
    return f"{url}?{urlencode(given)}" if given else url
