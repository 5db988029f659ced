"""Asks all sides in turn, round after round, every other round backwards: no side has the better moments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench.sides import Side, Sides

PLAIN, QUERY = "/plain/", "/query/"  # paths of the view
PEER, BARE = "django-tenants", "bare"
type Samples = Mapping[str, Sequence[float]]  # microseconds of one call, in the order of the rounds


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to measure."""

    rounds: int
    request_ms: float  # of each of a round's measurements, in milliseconds
    hook_ms: float


@dataclass(frozen=True, slots=True)
class Timing:
    """One measurement of a round."""

    key: str
    side: Side
    do: str
    what: str
    milliseconds: float

    def take(self) -> float:
        """Microseconds of one call."""
        return float(self.side.ask(self.do, what=self.what, milliseconds=self.milliseconds))


def key(what: str, side: object) -> str:
    """Under which name the samples are kept: of `what`, by which side or with how many plugins registered."""
    return f"{what} @ {side}"


def sampled(sides: Sides, effort: Effort, say: Callable[[str], None]) -> Samples:
    """Measure; the round before the first only warms up."""
    timings = _plan(sides, effort)
    samples: defaultdict[str, list[float]] = defaultdict(list)
    for number in range(effort.rounds + 1):
        say(f"round {number} of {effort.rounds}")
        for timing in timings if number % 2 else reversed(timings):
            taken = timing.take()
            if number:
                samples[timing.key].append(taken)
    return dict(samples)


def _plan(sides: Sides, effort: Effort) -> list[Timing]:
    by_name: dict[object, Side] = {BARE: sides.bare, PEER: sides.peer, **dict(sides.ours.items())}
    plan = [
        Timing(key(path, name), side, "request", path, effort.request_ms)
        for path in (PLAIN, QUERY)
        for name, side in by_name.items()
    ]
    for count, side in sides.ours.items():
        plan += [Timing(key(call, count), side, "hook", call, effort.hook_ms) for call in side.ask("open")]
    return plan
