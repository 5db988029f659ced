"""What plans limit, and how much of it a tenant uses: plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

NEAR = 80  # per cent; from there on the admins are told


class Kind(StrEnum):
    """What a plan may limit; the names are those of `Limits`, too."""

    PEOPLE = "people"
    DELIVERIES = "deliveries"
    STORAGE = "storage"


class Level(StrEnum):
    """How near a limit is."""

    FINE = "fine"
    NEAR = "near"  # 80 per cent, or more
    FULL = "full"  # nothing is left
    OVER = "over"  # more than that: the limit was lowered, or tables have grown


@dataclass(frozen=True, slots=True)
class Usage:
    """How much of one kind the current tenant uses.

    Attributes:
        used, limit: people, deliveries of today, or bytes. `limit`: None is no limit.
        plan: the plan's name; "" without one.
        resets_at: when it begins again at nothing; None: never.
    """

    kind: Kind
    used: int
    limit: int | None
    plan: str = ""
    resets_at: datetime | None = None

    @property
    def percent(self) -> int:
        """Of the limit, rounded down, so that only what is full is 100; 0 without one."""
        return 0 if not self.limit else self.used * 100 // self.limit

    @property
    def left(self) -> int | None:
        """How much more there may be; None: no limit."""
        return None if self.limit is None else max(self.limit - self.used, 0)

    @property
    def level(self) -> Level:
        """How near the limit is."""
        if self.limit is None or self.percent < NEAR:
            return Level.FINE
        if self.used < self.limit:
            return Level.NEAR
        return Level.FULL if self.used == self.limit else Level.OVER


class QuotaExceeded(ValueError):
    """The plan allows no more of this; `usage` says how much there is. Remove something, or ask the platform for a larger plan."""

    def __init__(self, text: str, usage: Usage) -> None:
        super().__init__(text)
        self.usage = usage
