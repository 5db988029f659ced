"""Processes killed at each named place under load: nothing is lost, nothing comes of nothing, and repetitions can be told.

`make test-storm` takes the places one by one, with 100 kills and 12,500 events at each, and 100 tenants; counts are kept under bench/.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import pytest

from tests.faults.checker import Kind, check
from tests.faults.storm import CLIENT_WINDOWS, PASSES, REPEATING, finish, prepare
from tests.faults.world import World

EVENTS = int(os.environ.get("STORM_EVENTS", "240"))
KILLS = int(os.environ.get("STORM_KILLS", "2"))  # at each place
TENANTS = int(os.environ.get("STORM_TENANTS", "3"))
PLACE = os.environ.get("STORM_PLACE", "")
WORKER_RUNS = [[place] for place in PASSES if place == PLACE] if PLACE else [list(PASSES)]


@pytest.mark.parametrize("place", CLIENT_WINDOWS)
def test_what_clients_were_answered_is_kept_and_no_more_when_they_are_killed(
    world: World, place: str, counted: Callable[[str, int], None]
) -> None:
    storm = prepare(world, TENANTS, EVENTS)
    storm.kill_clients(place, KILLS)
    storm.kill_children([], 0)
    found = storm.histories(may_repeat=False)
    assert check(found) == []
    assert dict(storm.kills) == {place: KILLS}
    storm.count(counted, found)


@pytest.mark.parametrize("places", WORKER_RUNS, ids=lambda places: "-".join(places))
def test_nothing_is_lost_and_nothing_comes_of_nothing_when_workers_are_killed(
    world: World, places: Sequence[str], counted: Callable[[str, int], None]
) -> None:
    storm = prepare(world, TENANTS, EVENTS)
    finish(storm.client(0, EVENTS // 2))
    late = storm.client(EVENTS // 2, EVENTS)
    for place in places:
        storm.kill_workers(place, KILLS // 2)
    finish(late)
    storm.kill_children(places, KILLS - KILLS // 2)
    found = storm.histories(may_repeat=not REPEATING.isdisjoint(places))
    assert check(found) == []
    assert dict(storm.kills) == dict.fromkeys(places, KILLS)
    storm.count(counted, found)


def test_the_same_run_loses_events_when_they_are_sent_from_on_commit(world: World) -> None:
    storm = prepare(world, 2, 60)
    storm.kill_clients("after_commit", 3, mode="on_commit")
    found = check(storm.histories(may_repeat=False, durable=False))
    assert {violation.kind for violation in found} == {Kind.LOST}
    assert len(found) == 3, "one for each kill between the commit and the post"
