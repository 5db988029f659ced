"""How long one call takes."""

from __future__ import annotations

import time
from collections.abc import Callable


def microseconds_per_call(run: Callable[[int], None], batch: int, milliseconds: float) -> float:
    """The mean over batches until the time is up.

    Args:
        run: makes as many calls as it is told.
        batch: calls between two looks at the clock.
    """
    calls = 0
    started = time.perf_counter()
    while (elapsed := time.perf_counter() - started) * 1000 < milliseconds:
        run(batch)
        calls += batch
    return elapsed / calls * 1e6
