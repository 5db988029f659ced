"""Marks a plugin's methods as scheduled jobs."""

from __future__ import annotations

import re
from collections.abc import Callable

_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")


def cron[F: Callable[..., object]](expression: str) -> Callable[[F], F]:
    """Have a method called, without arguments, once for each time at which `expression` is due, in each tenant that runs the plugin.

    It runs in the worker like the handler of an event: inside the tenant, within a time limit, tried again when it fails until its next
    time comes. It is not called for times at which the plugin did not run. Each tenant has an offset of its own, up to a tenth of the
    time between two runs and fifteen minutes at most, so that they do not all come at once.

    Args:
        expression: five fields as in cron(5): minute, hour, day of month, month, day of week; UTC.
    """

    def mark(func: F) -> F:
        func._schedule = expression  # type: ignore[attr-defined]  # the mark lives on the function, as `hook` does it
        return func

    return mark


def daily[F: Callable[..., object]](*, at: str = "02:00") -> Callable[[F], F]:
    """`cron` for once a day.

    Args:
        at: the time of day, "HH:MM", UTC.

    Raises:
        ValueError: `at` is no time of day.
    """
    found = _TIME.fullmatch(at)
    if found is None:
        raise ValueError(f"{at!r} is no time of day; write it like '02:00'.")
    return cron(f"{int(found[2])} {int(found[1])} * * *")


def hourly[F: Callable[..., object]](*, minute: int = 0) -> Callable[[F], F]:
    """`cron` for once an hour.

    Args:
        minute: of the hour, 0 to 59.

    Raises:
        ValueError: there is no such minute.
    """
    if not 0 <= minute <= 59:
        raise ValueError(f"There is no minute {minute} in an hour; use 0 to 59.")
    return cron(f"{minute} * * * *")
