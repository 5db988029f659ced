"""Where the bars of a small chart stand, in the units of an SVG drawing; what it shows is said in words and in a table as well."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

WIDTH, HEIGHT = 280, 96
_GROUND, _ROOF = 78, 18  # where bars begin, and how high they may reach; above it stands the number


@dataclass(frozen=True, slots=True)
class Bar:
    """One day. Lengths are texts, so that no locale puts a comma into them."""

    on: date
    count: int
    x: str
    y: str
    width: str
    height: str
    middle: str
    number_y: str


@dataclass(frozen=True, slots=True)
class Chart:
    """All that a template needs to draw the bars."""

    bars: tuple[Bar, ...]
    total: int
    top: int
    view_box: str = f"0 0 {WIDTH} {HEIGHT}"
    ground: int = _GROUND
    label_y: int = HEIGHT - 4
    width: int = WIDTH


def chart(days: Sequence[tuple[date, int]]) -> Chart:
    """A bar for each day, the highest up to the roof; a day with anything has a bar that can be seen."""
    top, step = max((count for _, count in days), default=0), WIDTH / max(len(days), 1)
    bars = []
    for position, (on, count) in enumerate(days):
        height = max(count * (_GROUND - _ROOF) / top, 2.0) if count else 0.0
        x = position * step + step * 0.15
        place = (x, _GROUND - height, step * 0.7, height, (position + 0.5) * step, _GROUND - height - 4)
        bars.append(Bar(on, count, *map(_text, place)))
    return Chart(tuple(bars), sum(count for _, count in days), top)


def _text(length: float) -> str:
    return f"{length:.2f}".rstrip("0").rstrip(".")
