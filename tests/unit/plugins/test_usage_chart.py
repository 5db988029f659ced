"""The bars of the usage chart: as high as the numbers say, whatever the numbers are."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from plugins.usage_analytics_plugin.chart import chart
from plugins.usage_analytics_plugin.queries import Day

FIRST = date(2026, 5, 1)


def days(*counts: tuple[int, int]) -> list[Day]:
    return [Day(FIRST + timedelta(days=at), views, errors) for at, (views, errors) in enumerate(counts)]


def test_the_highest_bar_is_as_high_as_the_drawing_and_the_others_in_proportion() -> None:
    drawn = chart(days((50, 0), (100, 25), (0, 0)), width=300, height=200)
    assert [(bar.x, bar.y, bar.height) for bar in drawn.bars] == [
        ("10", "100", "100"),
        ("110", "0", "200"),
        ("210", "200", "0"),
    ]
    assert (drawn.bars[1].errors_y, drawn.bars[1].errors_height) == ("150", "50")
    assert (drawn.bar, drawn.top) == ("80", 100)


@pytest.mark.parametrize("counts", [[], [(0, 0)] * 30])
def test_nothing_is_drawn_where_nothing_was_counted(counts: list[tuple[int, int]]) -> None:
    drawn = chart(days(*counts))
    assert {bar.height for bar in drawn.bars} <= {"0"}
    assert drawn.top == 0


def test_one_view_beside_a_million_can_still_be_seen() -> None:
    drawn = chart(days((1, 1), (10**15, 0)))
    assert (drawn.bars[0].height, drawn.bars[0].errors_height, drawn.bars[1].height) == ("2", "2", "160")
