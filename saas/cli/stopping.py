"""Lets a long command end in good order: the first Ctrl-C or SIGTERM asks it to, the second one ends it at once."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(slots=True)
class Stopping:
    """`asked`: whether somebody wants the command to end; `exit_code`: then, as shells expect it of one that a signal has ended."""

    asked: bool = False
    exit_code: int = 0


@contextmanager
def stopping(say: Callable[[], None]) -> Iterator[Stopping]:
    """Inside, a signal is noted instead of raised. What was there before comes back afterwards, and upon the first signal.

    Args:
        say: tells whoever has asked what happens now.
    """
    found = Stopping()
    before = {number: signal.getsignal(number) for number in _SIGNALS}

    def note(number: int, frame: FrameType | None) -> None:
        found.asked, found.exit_code = True, 128 + number
        _put_back(before)
        say()

    for number in _SIGNALS:
        signal.signal(number, note)
    try:
        yield found
    finally:
        _put_back(before)


def _put_back(handlers: dict[signal.Signals, Any]) -> None:
    for number, handler in handlers.items():
        signal.signal(number, handler)
