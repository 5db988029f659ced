"""How long one call takes."""

from __future__ import annotations

import time
from collections.abc import Callable


def microseconds_per_call(
    run: Callable[[int], None], batch: int, milliseconds: float, clock: Callable[[], float] = time.perf_counter
) -> float:
    """The mean over batches until the time is up.

    Args:
        run: makes as many calls as it is told.
        batch: calls between two looks at the clock.
        clock: `time.thread_time` where a call waits for nothing, so that what others do to the machine counts less.
    """
    calls = 0
    started = clock()
    while (elapsed := clock() - started) * 1000 < milliseconds:
        run(batch)
        calls += batch
    return elapsed / calls * 1e6
