"""The worker's part in making tenants: it finishes what sign-ups had to leave open, and keeps the pool of spare schemas filled."""

from __future__ import annotations

import time

from plugin_framework.delivery import house
from plugin_framework.sdk import RetryLater
from tenants import owed, spares, waiting

SLICE = 10.0  # seconds after which other work of the platform gets its turn


def tend() -> None:
    """Do what there is to do, those who wait for their organisation first; what is left after a while is asked for again.

    Raises:
        RetryLater: somebody whose organisation could not be made is tried again within the minute.
    """
    until = time.monotonic() + SLICE
    while waiting.finish_next() or spares.tend():
        if time.monotonic() > until:
            house.owe(owed.WORK)
            return
    wait = waiting.next_in()
    if wait is not None and wait < owed.EVERY:
        raise RetryLater("An organisation is tried again soon.", after=wait)
