"""Event arguments that need no database: what goes in comes out, and what cannot be kept is named."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import pytest
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy

from plugin_framework.delivery.payload import MAX_BYTES, PayloadTooLarge, freeze, thaw
from plugin_framework.sdk import ErrorReport

REPORT = ErrorReport("It broke.", "ValueError", "shop.views:buy:7", "/buy/", "abc123", "2026-01-01T00:00:00Z")


class Colour(StrEnum):
    RED = "red"


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -(2**70),
        1.5,
        "",
        "Grüße \U0001f600",
        [],
        {},
        (),
        date(2026, 2, 28),
        datetime(2026, 2, 28, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(2026, 2, 28, 1, tzinfo=timezone(timedelta(hours=5, minutes=30))),
        datetime(2026, 2, 28, 1),  # a naive one comes back naive
        time(1, 2, 3),
        timedelta(days=-1, microseconds=1),
        Decimal("12.3400"),
        Decimal("1E+30"),
        UUID(int=7),
        b"\x00\xff",
        REPORT,
        {"$model": "auth.User", "pk": 1},
        {"$date": "2026-01-01", "$$": {"$": 1}},
        {"nested": [{"a": (Decimal(1), [b""])}]},
    ],
)
def test_a_value_comes_back_as_it_was(value: object) -> None:
    (back,) = thaw(json.loads(json.dumps(freeze([value]))))
    assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize(
    ("value", "plain"), [(mark_safe("<b>"), "<b>"), (Colour.RED, "red"), (gettext_lazy("Name"), "Name")]
)
def test_kinds_of_text_come_back_as_text(value: object, plain: str) -> None:
    (back,) = thaw(freeze([value]))
    assert back == plain
    assert type(back) is str


def _circle() -> list[Any]:
    circle: list[Any] = []
    circle.append(circle)
    return circle


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (object(), "order is a object, which an event cannot carry"),
        ({1, 2}, "order is a set, which an event cannot carry"),
        ([0, {"a": print}], r"order\[1\]\['a'\] is a builtin_function_or_method"),
        (float("nan"), "order is nan"),
        ({1: 2}, "order has the key 1"),
        ("a\x00b", "order contains a character that PostgreSQL cannot store"),
        ({"a\x00": 1}, "order contains a character"),
        ("\ud83d", "order contains a character"),
        (_circle(), "nested more than 32 deep, or contains itself"),
    ],
)
def test_what_cannot_be_kept_is_named(value: object, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        freeze([value], ["order"])


def test_an_argument_without_a_name_is_counted() -> None:
    with pytest.raises(TypeError, match=r"^argument 2 is a set"):
        freeze([1, {2}])


def test_too_much_is_refused_with_its_size() -> None:
    freeze(["x" * (MAX_BYTES - 10)])
    with pytest.raises(PayloadTooLarge, match=r"Pass the row, or its key.*262,1\d\d bytes"):
        freeze(["x" * MAX_BYTES])


def test_a_report_written_by_another_version_can_still_be_read() -> None:
    (back,) = thaw([{"$error": {"message": "It broke.", "invented_later": 1}}])
    assert back == ErrorReport("It broke.", "", "", "", "", "")
