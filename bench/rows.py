"""A row of the table: one comparison, and whether it is what it must be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles


@dataclass(frozen=True, slots=True)
class Reach:
    """What a ratio must come to, in words and as bounds."""

    text: str
    low: float = 0.0
    high: float = float("inf")

    def holds(self, ratio: float) -> bool:
        """Whether `ratio` is within."""
        return self.low <= ratio <= self.high


@dataclass(frozen=True, slots=True)
class Row:
    """One comparison. The ratio is the median of the rounds' ratios, not the ratio of the medians."""

    what: str
    peer: str
    unit: str  # of `ours` and `theirs`: "us" (microseconds, medians), "KB", "statements" or "deliveries"
    ours: float
    theirs: float | None
    ratio: float | None = None
    spread: tuple[float, float] | None = None  # the middle half of the rounds' ratios
    reach: str = ""  # nothing: for information
    reached: bool | None = None


def compared(
    what: str,
    peer: str,
    ours: Sequence[float],
    theirs: Sequence[float],
    reach: Reach | None = None,
    *,
    faster: bool = False,
) -> Row:
    """A row of times measured in the same rounds, in microseconds.

    Args:
        faster: the ratio is how many times as fast we are, and not how much of the peer's time we take.
    """
    ratios = [b / a if faster else a / b for a, b in zip(ours, theirs, strict=True)]
    ratio = median(ratios)
    low, _, high = quantiles(ratios, n=4) if len(ratios) > 1 else (ratio, ratio, ratio)
    text, reached = (reach.text, reach.holds(ratio)) if reach else ("", None)
    return Row(what, peer, "us", median(ours), median(theirs), ratio, (low, high), text, reached)


def counted(what: str, peer: str, ours: int, theirs: int | None, most: int, unit: str = "statements") -> Row:
    """A row of what is counted, not timed."""
    return Row(what, peer, unit, ours, theirs, reach=f"<= {most}", reached=ours <= most)


def noted(what: str, ours: Sequence[float]) -> Row:
    """A row of times in microseconds that are compared with nobody's: for information."""
    return Row(what, "-", "us", median(ours), None)


def measured_once(what: str, peer: str, unit: str, ours: float, theirs: float) -> Row:
    """A row of what is as large as it is, and not better for being measured again: for information."""
    return Row(what, peer, unit, ours, theirs, ours / theirs if theirs else None)
