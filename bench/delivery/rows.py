"""The rows about deliveries: how much each takes beside procrastinate, how late they come, and what hostile neighbours change."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from psycopg.conninfo import make_conninfo

from bench import sides
from bench.delivery.drain import PEER_SCHEMA, Ours, Peer
from bench.delivery.lag import Lag
from bench.delivery.names import HOSTILE
from bench.rows import Reach, Row, compared, counted, noted

PEER = "procrastinate, a job per event, the better of concurrency 1 and 10"
TASKS = tuple((task, concurrency) for task in ("noop", "noop_sync") for concurrency in (1, 10))
BESIDE_ROUNDS = 2  # at most: each is two long streams
_EIGHTFOLD, _TWICE = Reach(">= 8 x as fast", low=8.0), Reach("<= 2 x", high=2.0)


@dataclass(frozen=True, slots=True)
class Load:
    """How much is delivered.

    Attributes:
        lanes, each: of the backlog. `jobs`: the peer's.
        tenants: for each of these numbers the lag is measured; the fleet is as large as the largest.
        beside: how many tenants have hostile neighbours, and `hoard`: events in the neighbour's backlog.
        seconds: of a steady stream. `beside_seconds`: of one beside hostile tenants, whose breakers take the first of them to open.
    """

    rounds: int
    lanes: int
    each: int
    jobs: int
    tenants: tuple[int, ...]
    beside: int
    hoard: int
    seconds: float
    beside_seconds: float


def measured(url: str, load: Load, say: Callable[[str], None]) -> Iterator[Row]:
    """Measure all of it on an empty database."""
    env = {**sides.environment(url), "DJANGO_SETTINGS_MODULE": "bench.delivery.settings", "LOG_LEVEL": "ERROR"}
    with sides.side("Tenantry's deliveries", env) as side, tempfile.TemporaryDirectory() as folder:
        few = max(load.lanes, load.beside + HOSTILE)
        say(f"deliveries: making {few} tenants")
        schemas = side.ask("fleet", count=few)
        ours, peer = (
            Ours(url, env, side, schemas),
            Peer(make_conninfo(url, options=f"-csearch_path={PEER_SCHEMA}"), env),
        )
        peer.prepare()
        yield _backlog(ours, peer, load, say)
        yield from _fair(Lag(url, env, side, schemas, Path(folder) / "lags"), load, say)
        say(f"deliveries: making {max(load.tenants)} tenants")
        schemas = side.ask("fleet", count=max(load.tenants) + HOSTILE)
        yield _sparse(Ours(url, env, side, schemas), load, say)
        yield from _lags(Lag(url, env, side, schemas, Path(folder) / "lags"), load, say)


def _backlog(ours: Ours, peer: Peer, load: Load, say: Callable[[str], None]) -> Row:
    """Each round both sides, every other round the peer first."""
    mine, theirs = [], []
    for number in range(load.rounds):
        say(f"deliveries: backlog {number + 1} of {load.rounds}")
        if number % 2:
            theirs.append(min(peer.jobs(*task, load.jobs) for task in TASKS))
        mine.append(ours.backlog(load.lanes, load.each))
        if not number % 2:
            theirs.append(min(peer.jobs(*task, load.jobs) for task in TASKS))
    what = f"durable delivery, no-op handler, one worker, {load.lanes} x {load.each} waiting"
    return compared(what, PEER, mine, theirs, _EIGHTFOLD, faster=True)


def _sparse(ours: Ours, load: Load, say: Callable[[str], None]) -> Row:
    say("deliveries: one in each lane")
    return noted(
        f"the same, one delivery in each of {2 * len(ours.schemas)} lanes", [ours.sparse() for _ in range(load.rounds)]
    )


def _fair(lag: Lag, load: Load, say: Callable[[str], None]) -> Iterator[Row]:
    quiet, loud = [], []
    for number in range(min(load.rounds, BESIDE_ROUNDS)):
        say(f"deliveries: beside hostile tenants, {number + 1} of {load.rounds}")
        if number % 2:
            loud.append(lag.beside_hostile(load.beside, load.beside_seconds, load.hoard))
        quiet.append(lag.quiet(load.beside, load.beside_seconds))
        if not number % 2:
            loud.append(lag.beside_hostile(load.beside, load.beside_seconds, load.hoard))
    what = f"of {load.beside} tenants beside {HOSTILE} hostile ones"
    for name, reach in (("p99", _TWICE), ("p50", None)):
        pair = [getattr(each, name) for each in loud], [getattr(each, name) for each in quiet]
        yield compared(f"lag {name} {what}", "the same without them", *pair, reach)
    yield counted(
        "deliveries unaccounted for, of all", "-", sum(each.unaccounted for each in quiet + loud), None, 0, "deliveries"
    )


def _lags(lag: Lag, load: Load, say: Callable[[str], None]) -> Iterator[Row]:
    for tenants in load.tenants:
        say(f"deliveries: lag at {tenants} tenants")
        found = lag.quiet(tenants, load.seconds)
        yield noted(f"lag p50, {tenants} tenants, 50 events a second", [found.p50])
        yield noted(f"lag p99, {tenants} tenants, 50 events a second", [found.p99])
        if found.child:
            yield Row(f"memory of the largest of a worker's children, {tenants} tenants", "-", "KB", found.child, None)
