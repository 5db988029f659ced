"""Where connections may go and how much they may take: passed in explicitly, never read from the environment."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Self

from plugin_framework.sdk._words import Phrase


@dataclass(frozen=True, slots=True)
class NetworkPolicy:
    """The rules for one client.

    Args:
        allow_loopback: lets 127.0.0.0/8 and ::1 through, on any port, and nothing else that is not public. For
            development, the demo and tests.
        allow_http: lets `http://` through beside `https://`.
        connect_timeout: seconds for one TCP connection attempt.
        total_timeout: seconds for everything: DNS, connecting, TLS, writing, and the last byte of the answer.
        max_response_bytes: how much of an answer is kept; what comes after it is not read.
        extra_ports: ports allowed on public hosts beside the usual ones of the protocol.

    Raises:
        ValueError: a limit is not a positive, finite number.
    """

    allow_loopback: bool = False
    allow_http: bool = False
    connect_timeout: float = 5.0
    total_timeout: float = 15.0
    max_response_bytes: int = 65536
    extra_ports: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        for name in ("connect_timeout", "total_timeout", "max_response_bytes"):
            require_positive(getattr(self, name), name)

    def deadline(self, timeout: float | None = None) -> Deadline:
        """A deadline that starts now. A caller may shorten the policy's, never lengthen it.

        Raises:
            ValueError: `timeout` is not a positive, finite number.
        """
        return Deadline.after(
            self.total_timeout if timeout is None else min(require_positive(timeout, "timeout"), self.total_timeout)
        )


@dataclass(frozen=True, slots=True)
class Deadline:
    """One moment by which a whole exchange is over; `seconds` is how long that was, for messages."""

    seconds: float
    at: float  # on time.monotonic()'s scale

    @classmethod
    def after(cls, seconds: float) -> Self:
        """A deadline `seconds` from now."""
        return cls(seconds=seconds, at=time.monotonic() + seconds)

    def remaining(self) -> float:
        """Seconds left, 0.0 when it has passed."""
        return max(0.0, self.at - time.monotonic())


def late(phrase: Phrase, phrase_of_one: Phrase, seconds: float, **values: object) -> str:
    """What took longer than so many seconds, as it is stored; `phrase_of_one` says it of a single second."""
    return phrase_of_one(**values).english if seconds == 1 else phrase(number=f"{seconds:g}", **values).english


def require_positive(value: float, name: str) -> float:
    """`value`, if it can be used as a limit.

    Raises:
        ValueError: it is zero, negative, infinite or not a number.
    """
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"{name} must be a positive number, not {value!r}.")
    return value


PUBLIC_ONLY = NetworkPolicy()
