"""The rows about many tenants: what their number does to a request, to memory and to a migration, and what a new one costs.

Each number of tenants is a database of its own. Tenants are drawn uniformly, so that with more of them than a process remembers most
requests find nothing in memory: those are the requests "as they come". The same request once more, at once, is a warm one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from statistics import median

from bench import place, sides
from bench.rows import Reach, Row, compared, measured_once
from bench.sides import Side

PEER_CREATES, PEER_MIGRATES = "django-tenants, a new tenant", "django-tenants' migrate_schemas, each tenant"
NO_LIMIT = "1000000000"  # of CONN_MAX_SCHEMAS
_HARDLY_MORE, _FIFTIETH = Reach("<= 1.15 x", high=1.15), Reach("<= 0.02 x", high=0.02)
_SEED = 20261128


@dataclass(frozen=True, slots=True)
class Crowd:
    """How much is measured.

    Attributes:
        few, many: tenants of the two installations that are compared.
        warm_up: visits before the first round, so that what a process remembers is what it will go on remembering.
        rounds, visits: rounds, and visits of each installation in each of them.
        work_rounds, work: rounds of migrations and of new organisations, and how many of these in each.
    """

    few: int
    many: int
    warm_up: int
    rounds: int
    visits: int
    work_rounds: int
    work: int


@dataclass(slots=True)
class Place:
    """One installation, the people who visit it, and what their visits took in microseconds: cold, as they came, and warm."""

    side: Side
    tenants: int
    people: list[tuple[str, str]]  # hosts and cookies
    cold: list[float]
    came: list[float]
    warm: list[float]
    next: int = 0

    def visit(self, count: int, *, again: bool = True) -> list[list[float]]:
        """The next visitors; `again`: each of them twice."""
        some = self.people[self.next : self.next + count]
        self.next += count
        return list(self.side.ask("visit", visits=some, again=again))


def measured(url: str, load: Crowd, say: Callable[[str], None]) -> Iterator[Row]:
    """Measure all of it, in databases beside `url`."""
    with ExitStack() as stack:
        few, many = (_place(stack, url, tenants, load, say) for tenants in (load.few, load.many))
        for place_ in (few, many):
            _warm_up(place_, load, say)
        for number in range(load.rounds):
            say(f"tenants: round {number + 1} of {load.rounds}")
            for place_ in (few, many) if number % 2 else (many, few):
                taken = place_.visit(load.visits)
                place_.came.append(median(first for first, _ in taken))
                place_.warm.append(median(second for _, second in taken))
        yield from _requests(few, many, load)
        yield from _memory(stack, url, few, many, load, say)
        yield from _work(stack, url, many.side, load, say)


@cache
def _secrets() -> dict[str, str]:
    """The same for all processes: somebody who is signed in with one is so with all."""
    return sides.environment("")


def _environment(url: str, **more: str) -> dict[str, str]:
    own = {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "bench.crowd.settings", "LOG_LEVEL": "ERROR"}
    return {**_secrets(), **own, **more}


def _place(stack: ExitStack, url: str, tenants: int, load: Crowd, say: Callable[[str], None]) -> Place:
    """The tenants are made by a process of its own: the one that is measured has never met any of them."""
    say(f"tenants: making {tenants}")
    env = _environment(place.beside(url, f"bench_{tenants}"))
    draws = random.Random(_SEED).choices(
        range(1, tenants + 1), k=_warm_up_visits(load, tenants) + load.rounds * load.visits
    )
    with sides.side(f"making {tenants} tenants", env) as maker:
        maker.ask("crowd", count=tenants)
        found = dict(zip(sorted(set(draws)), maker.ask("people", numbers=sorted(set(draws))), strict=True))
        maker.ask("visit", visits=list(found.values()), again=False)  # else each would be noted as a new device later
    side = stack.enter_context(sides.side(f"{tenants} tenants", env))
    return Place(side, tenants, [tuple(found[number]) for number in draws], [], [], [])


def _warm_up_visits(load: Crowd, tenants: int) -> int:
    """Enough to have met nearly all of few tenants."""
    return min(load.warm_up, max(50, 3 * tenants))


def _warm_up(place_: Place, load: Crowd, say: Callable[[str], None]) -> None:
    """The first visit to a tenant is a cold one, but for the very first ones, which wait for the program itself."""
    say("tenants: warming up")
    visits = _warm_up_visits(load, place_.tenants)
    hosts = [host for host, _ in place_.people[:visits]]
    met: set[str] = set()
    for number, (host, (took,)) in enumerate(zip(hosts, place_.visit(visits, again=False), strict=True)):
        if host not in met and number >= min(20, visits // 2):
            place_.cold.append(took)
        met.add(host)


def _requests(few: Place, many: Place, load: Crowd) -> Iterator[Row]:
    what, peer = f"request p50, {load.many} tenants drawn uniformly", f"the same at {load.few}"
    yield compared(f"{what}, as they come", peer, many.came, few.came, _HARDLY_MORE)
    yield compared(f"{what}, warm", f"{peer}, warm", many.warm, few.warm, _HARDLY_MORE)
    if many.cold:
        yield compared(f"{what}, first visit of all", peer, [median(many.cold)], [median(few.came)])


def _memory(
    stack: ExitStack, url: str, few: Place, many: Place, load: Crowd, say: Callable[[str], None]
) -> Iterator[Row]:
    say("tenants: the same visits on a session that is never replaced")
    env = _environment(place.beside(url, f"bench_{load.many}"), CONN_MAX_SCHEMAS=NO_LIMIT, CONN_MAX_AGE="86400")
    endless = stack.enter_context(sides.side("without a limit", env))
    met = dict(many.people)  # each once: more would not add to it
    endless.ask("visit", visits=list(met.items()), again=False)
    here, there, without = (side.ask("memory") for side in (many.side, few.side, endless))
    if here["session"]:
        what = f"memory of a database session after visits to {len(met)} of them"
        yield measured_once(
            f"{what}, {load.many} tenants", "the same, never replaced", "KB", here["session"], without["session"]
        )
        yield measured_once(f"{what}, {load.many} tenants", f"at {load.few}", "KB", here["session"], there["session"])
        yield measured_once(
            f"memory of the web process, {load.many} tenants", f"at {load.few}", "KB", here["process"], there["process"]
        )


def _work(stack: ExitStack, url: str, ours: Side, load: Crowd, say: Callable[[str], None]) -> Iterator[Row]:
    env = _environment(place.beside(url, "bench_peer", anew=True), DJANGO_SETTINGS_MODULE="bench.crowd.settings_peer")
    peer = stack.enter_context(sides.side("django-tenants", env))
    peer.ask("peer_prepare")
    made: list[float] = []
    new: list[float] = []
    mine: list[float] = []
    theirs: list[float] = []
    for number in range(load.work_rounds):
        say(f"tenants: new ones and migrations, {number + 1} of {load.work_rounds}")
        new.append(median(peer.ask("peer_tenants", count=load.work)))
        made.append(median(ours.ask("sign_ups", count=load.work)))
        theirs.append(peer.ask("peer_migrate"))
        mine.append(ours.ask("migrate") / (load.many + load.work * (number + 1)))
    yield compared("sign-up, schema from the pool, no password hashing", PEER_CREATES, made, new, _FIFTIETH)
    yield compared(f"migration with nothing to do, {load.many} tenants, each", PEER_MIGRATES, mine, theirs, _FIFTIETH)
