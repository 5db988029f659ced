"""What the rest of the program calls to count something. Counting never fails whoever counts: without a folder it stops, and says so."""

from __future__ import annotations

import logging
import os
import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings

from plugin_framework.metrics.names import HOOKS, Metric
from plugin_framework.metrics.seats import Seat

log = logging.getLogger(__name__)
_seat: Seat | None = None
_refused = False  # there is no counting in this process
_counting = threading.RLock()  # may be met again by its holder: an alarm can end a handler inside of it
_timed: Counter[tuple[str, str]] = (
    Counter()
)  # calls by plugin and hook that have their time already, and are still to be counted


def counted(metric: Metric, *labels: str) -> None:
    """One more of `metric`, a counter; `labels` in the order of its own."""
    with _counting:
        _add(metric, labels, 0, 1)


def observed(metric: Metric, seconds: float, *labels: str) -> None:
    """One more of `metric`, a histogram, that took so long."""
    with _counting:
        _add(metric, labels, 0, seconds)
        _add(metric, labels, 1 + bisect_left(metric.bounds, seconds), 1)


def took_longer(plugin: str, hook: str, seconds: float) -> None:
    """A call of an action or a filter that was not a short one; `went_through` will count it with the others, and not twice."""
    with _counting:
        observed(HOOKS, seconds, plugin, hook)
        _timed[plugin, hook] += 1


def went_through(hook: str, plugins: Iterable[str], calls: int) -> None:
    """The hook was called so often, and each time a handler of each of `plugins`; all that were not timed were short."""
    with _counting:
        for plugin in plugins:
            known = min(_timed[plugin, hook], calls)
            _timed[plugin, hook] -= known
            _add(HOOKS, (plugin, hook), 1, calls - known)


def forget() -> None:
    """Leave this process's seat to others; the next count takes one. For tests, and for a child after the fork."""
    global _seat, _refused, _counting
    if _seat is not None:
        _seat.close()
    _seat, _refused, _counting = None, False, threading.RLock()
    _timed.clear()


def _add(metric: Metric, labels: tuple[str, ...], place: int, number: float) -> None:
    global _seat, _refused
    if _refused:
        return
    try:
        if _seat is None:
            _seat = Seat(Path(settings.METRICS_DIR))
        _seat.numbers((metric.name, labels))[place] += number
    except (OSError, ValueError) as error:
        _refused = True
        log.error(
            "This process counts nothing more for /metrics: %s. METRICS_DIR has to be a folder it may write to.", error
        )


os.register_at_fork(after_in_child=forget)
