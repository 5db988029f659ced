"""When a scheduled job is due: the times of a cron expression, and the offset that is a tenant's own. Pure functions."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta

from cronsim import CronSim, CronSimError

from plugin_framework import rejections

SHARE = 0.1  # of the time between two runs
MOST = timedelta(minutes=15)


class BadSchedule(ValueError):
    """A cron expression that cannot be read, or that is never due; the text says so."""


def check(expression: str) -> None:
    """Refuse what can never be due.

    Raises:
        BadSchedule: with the reason.
    """
    due(expression, datetime(2026, 1, 1, tzinfo=UTC))


def due(expression: str, after: datetime) -> datetime:
    """The first time after `after` at which `expression` is due, in UTC.

    Raises:
        BadSchedule: it cannot be read, or is not due within the next fifty years.
    """
    if not isinstance(expression, str) or len(expression.split()) != 5:
        raise BadSchedule(rejections.NO_SCHEDULE(expression=repr(expression)).english)
    try:
        return next(CronSim(expression, after.astimezone(UTC)))
    except (CronSimError, StopIteration) as error:
        why = str(error) or rejections.NO_TIME.text
        raise BadSchedule(rejections.BAD_SCHEDULE(expression=repr(expression), error=why).english) from error


def readable(expression: str, at: datetime) -> bool:
    """Whether it can be told when `expression` is due after `at`."""
    try:
        due(expression, at)
    except BadSchedule:
        return False
    return True


def offset(expression: str, at: datetime, *who: str) -> timedelta:
    """How much later than `at` one tenant's job runs: always the same for `who`, spread evenly over all."""
    span = min((due(expression, at) - at) * SHARE, MOST)
    digest = hashlib.sha256("\0".join(who).encode()).digest()
    return span * (int.from_bytes(digest[:4]) / 2**32)
