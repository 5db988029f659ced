"""Watches how long handlers keep people waiting: each overrun is logged, and a plugin that overruns again and again is paused."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque

from plugin_framework import tenancy
from plugin_framework.audit import SYSTEM
from plugin_framework.sdk._counts import Counted
from plugin_framework.sdk._words import Phrase
from plugin_framework.tenancy import Clocks

log = logging.getLogger(__name__)
TOLERATED = 5  # overruns within WINDOW; one more pauses the plugin
WINDOW = 60.0  # seconds
REMEMBERED = 10_000  # pairs of tenant and plugin; beyond that counting begins anew for all
CROWDED = 0.5  # of a core, used by this process: then a handler may only have waited for its turn
PAUSE = 600.0  # seconds; then it is tried again
_REASON = Phrase(
    "It kept pages waiting: %(handler)s took %(milliseconds)s ms, and may take %(allowed)s ms. That happened more than %(times)s "
    "times within a minute, so it rests for %(minutes)s minutes."
)
_overruns: dict[tuple[str, str], deque[float]] = {}
_counting = threading.Lock()


def overran(plugin: str, handler: str, hook: str, milliseconds: float, allowed: int) -> None:
    """Take note of one overrun of the current tenant's `plugin`, and pause the plugin after this request if there were too many.

    One in a crowded process is logged and not counted: it says nothing of the plugin, and resting would not help anybody.
    """
    scope = tenancy.current_scope()
    crowded = scope is not None and scope.entered is not None and _crowded(scope.entered, allowed)
    why = ", while this process was busy with others" if crowded else ""
    log.warning("%s.%s of %r took %.0f ms, and may take %s ms%s", plugin, handler, hook, milliseconds, allowed, why)
    if crowded or scope is None or scope.tenant is None or not _too_many(scope.tenant.schema, plugin):
        return
    reason = _REASON(
        handler=handler,
        milliseconds=Counted(milliseconds),
        allowed=Counted(allowed),
        times=TOLERATED,
        minutes=f"{PAUSE / 60:.0f}",
    ).english
    # Afterwards, outside of the caller's transaction, which may yet be rolled back.
    scope.on_exit.append(lambda: _pause(plugin, reason))


def _crowded(since: Clocks, allowed: int) -> bool:
    """Whether other threads kept the process busy since then, and this one has not itself used up what a handler may take."""
    now = Clocks.now()
    busy = now.process - since.process > CROWDED * (now.wall - since.wall)
    return busy and (now.thread - since.thread) * 1000 < allowed


def _too_many(schema: str, plugin: str) -> bool:
    """Whether this one is one too many; then counting begins anew."""
    now = time.monotonic()
    with _counting:
        if len(_overruns) > REMEMBERED:
            _overruns.clear()
        seen = _overruns.setdefault((schema, plugin), deque(maxlen=TOLERATED + 1))
        seen.append(now)
        if len(seen) <= TOLERATED or now - seen[0] > WINDOW:
            return False
        del _overruns[schema, plugin]
        return True


def _pause(plugin: str, reason: str) -> None:
    from plugin_framework import lifecycle  # which imports the hooks that call us

    try:
        lifecycle.pause(plugin, SYSTEM, reason=reason, seconds=PAUSE)
    except Exception:  # the response is made already; the next overruns try again
        log.exception("%s could not be paused", plugin)
