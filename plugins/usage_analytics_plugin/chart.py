"""Where the bars of a chart stand, in the units of an SVG drawing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from plugins.usage_analytics_plugin.queries import Day


@dataclass(frozen=True, slots=True)
class Bar:
    """One day: the whole bar from the ground up, and the part of it that is errors."""

    day: date
    views: int
    errors: int
    x: str
    y: str
    height: str
    errors_y: str
    errors_height: str


@dataclass(frozen=True, slots=True)
class Chart:
    """All that a template needs to draw the bars. Lengths are texts, so that no locale puts a comma into them."""

    width: int
    height: int
    bar: str
    top: int
    bars: tuple[Bar, ...]


def chart(days: Sequence[Day], *, width: int = 600, height: int = 160) -> Chart:
    """A bar for each day, the highest as high as the drawing; a day with any view has a bar that can be seen."""
    step, top = width / max(len(days), 1), max((each.views for each in days), default=0)

    def tall(number: int) -> float:
        return max(number * height / top, 2.0) if number else 0.0

    bars = tuple(
        Bar(
            each.day,
            each.views,
            each.errors,
            _text(index * step + step * 0.1),
            _text(height - tall(each.views)),
            _text(tall(each.views)),
            _text(height - tall(each.errors)),
            _text(tall(each.errors)),
        )
        for index, each in enumerate(days)
    )
    return Chart(width, height, _text(step * 0.8), top, bars)


def _text(length: float) -> str:
    return f"{length:.2f}".rstrip("0").rstrip(".")
