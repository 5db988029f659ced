"""Which comparisons are made of the samples, and what each must reach (DESIGN, section 7)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.names import BLINKER, BLINKER_BY_SENDER, OURS, OURS_ALONE, PLUGGY, SIGNAL, SIGNAL_BY_SENDER
from bench.rounds import BARE, PEER, PLAIN, QUERY, Samples, key
from bench.rows import Reach, Row, compared, counted
from bench.sides import Sides

MIDDLEWARE = "django-tenants' middleware"
_A_REQUEST = Reach("<= 0.40 x", high=0.40)
_FLAT = Reach("0.90 to 1.10 x", 0.90, 1.10)
_FASTER, _TENFOLD = Reach("> 1 x as fast", low=1.0), Reach(">= 10 x as fast", low=10.0)


def statement_rows(sides: Sides) -> Iterator[Row]:
    """What is sent before the view's own query, which is the last statement of its request."""
    ours = {count: len(side.ask("statements", path=QUERY)) - 1 for count, side in sides.ours.items()}
    theirs = len(sides.peer.ask("statements", path=QUERY)) - 1
    for count, sent in ours.items():
        yield counted(f"SQL statements before the view's first, {count} registered", MIDDLEWARE, sent, theirs, most=1)
    # One is the tenant's; what is more would be the plugins'.
    yield counted("of these for plugins, when warm", "-", max(ours.values()) - 1, None, most=0)


def request_rows(samples: Samples, registered: Sequence[int]) -> Iterator[Row]:
    """Time over the bare view."""
    for path, view in ((PLAIN, "no query in the view"), (QUERY, "one query in the view")):
        bare = samples[key(path, BARE)]
        theirs = _over(samples[key(path, PEER)], bare)
        for count in registered:
            ours = _over(samples[key(path, count)], bare)
            yield compared(f"request, {count} registered, 10 enabled, {view}", MIDDLEWARE, ours, theirs, _A_REQUEST)


def hook_rows(samples: Samples, registered: Sequence[int]) -> Iterator[Row]:
    """One call, three handlers enabled."""
    for ours in (OURS, OURS_ALONE):
        for count in registered:
            reach = _FASTER if count == min(registered) else _TENFOLD if count >= 1000 else None
            pair = samples[key(ours, count)], samples[key(PLUGGY, count)]
            yield compared(f"{ours}, {count} registered", PLUGGY, *pair, reach, faster=True)
        least = samples[key(ours, min(registered))]
        for count in registered[1:]:
            itself = f"itself, {min(registered)} registered"
            yield compared(f"{ours}, {count} registered", itself, samples[key(ours, count)], least, _FLAT)
    for peer in (SIGNAL, SIGNAL_BY_SENDER, BLINKER, BLINKER_BY_SENDER):
        for count in registered:
            pair = samples[key(OURS, count)], samples[key(peer, count)]
            yield compared(f"{OURS}, {count} registered", peer, *pair, faster=True)


def _over(samples: Sequence[float], bare: Sequence[float]) -> list[float]:
    return [a - b for a, b in zip(samples, bare, strict=True)]
