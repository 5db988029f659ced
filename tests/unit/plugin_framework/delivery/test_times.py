"""When a job is due, and by how much a tenant's own run comes later."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugin_framework.delivery import times
from plugin_framework.sdk import cron, daily, hourly

NOW = datetime(2026, 11, 23, 10, 7, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("*/15 * * * *", "2026-11-23 10:15"),
        ("7 10 * * *", "2026-11-24 10:07"),
        ("0 0 29 2 *", "2028-02-29 00:00"),
        ("0 9 * * 1-5", "2026-11-24 09:00"),
        ("30 3 1 * *", "2026-12-01 03:30"),
    ],
)
def test_the_next_time_is_after_now(expression: str, expected: str) -> None:
    assert f"{times.due(expression, NOW):%Y-%m-%d %H:%M}" == expected


@pytest.mark.parametrize(
    "expression",
    ["", "* * * *", "* * * * * *", "61 * * * *", "0 0 31 2 *", "@daily", "a b c d e", "0 0 * * \x00", 5, None],
)
def test_what_can_never_be_due_is_refused_with_a_sentence(expression: str) -> None:
    with pytest.raises(times.BadSchedule, match="is no schedule"):
        times.check(expression)


@given(st.text(max_size=30), st.sampled_from(["* * * * *", "*/15 * * * *", "0 * * * *", "0 2 * * *", "0 0 1 * *"]))
def test_the_offset_is_within_a_tenth_of_the_period_and_fifteen_minutes(who: str, expression: str) -> None:
    at = times.due(expression, NOW)
    found = times.offset(expression, at, who)
    period = times.due(expression, at) - at
    assert timedelta(0) <= found < min(period / 10, timedelta(minutes=15)) + timedelta(microseconds=1)
    assert found == times.offset(expression, at, who)


def test_a_thousand_tenants_are_spread_evenly() -> None:
    at = times.due("0 2 * * *", NOW)
    minutes = [int(times.offset("0 2 * * *", at, f"t_{n}", "p", "j").total_seconds() // 60) for n in range(1500)]
    counts = [minutes.count(minute) for minute in range(15)]
    assert min(counts) > 60
    assert max(counts) < 145


def test_the_decorators_are_cron_expressions() -> None:
    assert daily(at="23:05")(lambda self: None)._schedule == "5 23 * * *"
    assert hourly(minute=59)(lambda self: None)._schedule == "59 * * * *"
    assert cron("1 2 3 4 5")(lambda self: None)._schedule == "1 2 3 4 5"


@pytest.mark.parametrize("at", ["24:00", "2:00", "02:60", "noon", ""])
def test_a_time_of_day_that_is_none_is_refused(at: str) -> None:
    with pytest.raises(ValueError, match="is no time of day"):
        daily(at=at)


@pytest.mark.parametrize("minute", [-1, 60])
def test_a_minute_that_is_none_is_refused(minute: int) -> None:
    with pytest.raises(ValueError, match="no minute"):
        hourly(minute=minute)
