"""A line that shows how far long work has come; only where somebody looks at a terminal."""

from __future__ import annotations

import time
from types import TracebackType

from django.core.management.base import OutputWrapper

WIDTH = 30  # characters of the bar
EVERY = 0.1  # seconds between two drawings


class Progress:
    """Drawn over itself on one line, and removed at the end.

    Args:
        stream: standard error, as a command has it; nothing is drawn if it is no terminal.
        total: steps in all. `what`: they are steps of.
    """

    def __init__(self, stream: OutputWrapper, total: int, what: str) -> None:
        self._stream, self._total, self._what = stream, total, what
        self._done = self._failed = 0
        self._began = self._drawn = time.monotonic()
        self._shown = total > 0 and stream.isatty()

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clear()

    def clear(self) -> None:
        """Take the line away, for what is to be said in its place; the next step draws it again."""
        if self._shown:
            self._stream.write("\r\x1b[K", ending="")
            self._stream.flush()
            self._drawn = 0.0

    def step(self, *, failed: bool = False) -> None:
        """One is done."""
        self._done += 1
        self._failed += failed
        now = time.monotonic()
        if self._shown and (now - self._drawn > EVERY or self._done == self._total):
            self._drawn = now
            self._stream.write(f"\r\x1b[K{self.line(now)}", ending="")

    def line(self, now: float) -> str:
        """What is drawn: the bar, the numbers, and how long the rest will take."""
        filled = WIDTH * self._done // max(self._total, 1)
        bar = "█" * filled + "░" * (WIDTH - filled)
        left = (now - self._began) / max(self._done, 1) * (self._total - self._done)
        failed = f", {self._failed} failed" if self._failed else ""
        return f"{bar} {self._done} of {self._total} {self._what}{failed}, {left:.0f} s left"
