"""When a failed delivery is tried again: a pure function of the attempt's number, what the other side asked for, and chance."""

from __future__ import annotations

MINUTE, HOUR = 60.0, 3600.0
# Waits after the 1st, 2nd, ... failed attempt, in seconds: 10 attempts over 75 h 35 min (the schedule of Standard Webhooks).
WAITS = (5.0, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR)
MAX_ATTEMPTS = len(WAITS) + 1
JITTER = 0.1  # of the wait, either way, so that what failed together does not come back together
LEAST_ASKED, MOST_ASKED = 1.0, 24 * HOUR  # what another side may ask for
HOLD_LIMIT = 75 * HOUR  # a delivery whose plugin has not been running for so long is given up
LEAST_HOLD, MOST_HOLD = (
    30.0,
    15 * MINUTE,
)  # a held one is looked at again after as long as it has been held, within these


def wait_after(attempt: int, chance: float, asked: float | None = None) -> float | None:
    """Seconds until the next attempt, or None when there is none left.

    Args:
        attempt: the number of the attempt that has just failed, from 1.
        chance: a random number in [0, 1).
        asked: the least wait that the handler or the other side named (Retry-After), in seconds.
    """
    if attempt >= MAX_ATTEMPTS:
        return None
    wait = WAITS[max(attempt, 1) - 1] * (1 + JITTER * (2 * chance - 1))
    if asked is None or asked != asked:
        return wait
    return max(wait, min(max(asked, LEAST_ASKED), MOST_ASKED) * (1 + JITTER * chance))
