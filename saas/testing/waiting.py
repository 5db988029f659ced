"""Waits for a condition that another process or thread brings about."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event


def wait_until[T](condition: Callable[[], T], *, seconds: float = 30.0, what: str = "") -> T:
    """Ask `condition` again and again until it is true, and return what it gave.

    Raises:
        AssertionError: it stayed false for `seconds`.
    """
    deadline = time.monotonic() + seconds
    pause = Event()
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited {seconds} s in vain for {what or condition}"
        pause.wait(0.05)  # a look often is a few queries: more of them would take from those who are waited for
    return found
