"""When the supervisor has to look at its children again."""

from __future__ import annotations

import math
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import starmap

import pytest

from plugin_framework.delivery.options import Options
from plugin_framework.delivery.pool import HOG, Pool, Process
from plugin_framework.delivery.slots import allocate

NOW = 1000.0
OPTIONS = Options(children=2, stuck_after=0.1, stuck_soon=0.04)


def pool_with(*begun: float) -> Pool:
    """A pool whose children each began a delivery at one of these times."""
    slots = allocate(max(len(begun), 1))
    for slot, since in zip(slots, begun, strict=False):
        slot.begin(1, since, since + 45)
    return Pool("worker", OPTIONS, list(starmap(Process, [(1, slot, -1) for slot in slots])))


def test_the_next_look_is_when_the_first_child_becomes_stuck() -> None:
    assert pool_with(NOW - 0.02, NOW - 0.07).next_look(NOW) == pytest.approx(0.03)


def test_a_child_that_has_just_become_stuck_is_looked_at_again_soon() -> None:
    assert pool_with(NOW - 0.2, NOW).next_look(NOW) == pytest.approx(HOG)


def test_a_child_that_is_stuck_for_long_asks_for_no_other_look() -> None:
    assert pool_with(NOW - 7, NOW).next_look(NOW) == pytest.approx(0.1)


def test_a_child_between_two_deliveries_asks_for_no_look() -> None:
    pool = pool_with(NOW - 0.05)
    pool.processes[0].slot.end(NOW + 45)
    assert pool.next_look(NOW) == math.inf


def test_a_child_that_is_to_go_asks_for_no_look() -> None:
    pool = pool_with(NOW - 0.05, NOW - 0.05)
    pool.processes[0].leaving, pool.processes[1].doomed = True, "It took too long."
    assert pool.next_look(NOW) == math.inf


def test_for_a_moment_a_child_becomes_stuck_sooner_when_something_comes_in_and_none_is_idle() -> None:
    now = time.monotonic()
    pool = pool_with(now - 0.02, now - 0.05)
    pool.poke(2, wanted=1)
    assert pool.next_look(now) == pytest.approx(0.02)
    assert pool._able(now) == 1
    later = now + OPTIONS.stuck_after + 1
    pool.processes[0].slot.begin(1, later - 0.05, later + 45)
    assert pool._able(later) == 1


def test_it_does_not_while_one_is_idle_for_each_that_came_in() -> None:
    now = time.monotonic()
    pool = pool_with(now - 0.05, now)
    pool.processes[1].slot.leave_lane()
    pool.poke(2, wanted=1)
    assert pool._able(now) == 2


def poked(*phases: str, count: int) -> list[bool]:
    """Which of some children, each "idle", "busy" or "standby", are told that there is something to do."""
    pipes = [os.pipe() for _ in phases]
    pool = pool_with(*(NOW for _ in phases))
    for process, phase, (reading, writing) in zip(pool.processes, phases, pipes, strict=True):
        process.pokes = writing
        os.set_blocking(reading, False)
        process.slot.record.standby = phase == "standby"
        if phase != "busy":
            process.slot.leave_lane()
    pool.poke(count)
    for _, writing in pipes:
        os.close(writing)
    told = [os.read(reading, 1) == b"." for reading, _ in pipes]
    for reading, _ in pipes:
        os.close(reading)
    return told


def test_only_idle_children_are_told_and_no_more_of_them_than_there_is_work() -> None:
    assert poked("busy", "idle", "standby", "idle", "idle", count=2) == [False, True, False, True, False]


def test_with_a_factor_of_one_nobody_takes_the_place_of_one_that_is_stuck(sleeper: int) -> None:
    now = time.monotonic()
    pool = pool_with(now - 1, now)
    pool.options = replace(OPTIONS, children=1, elastic_factor=1)
    for process in pool.processes:
        process.pid = sleeper
    pool.processes[1].slot.leave_lane()
    pool.processes[1].slot.record.standby = 1
    pool._free.clear()  # no other can be made
    pool.keep_size()
    assert [each.slot.record.standby for each in pool.processes] == [0, 1]


@pytest.fixture
def sleeper() -> Iterator[int]:
    """The id of a process that does nothing."""
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process.pid
        process.kill()


def test_who_stands_by_takes_the_place_of_one_that_is_stuck(sleeper: int) -> None:
    now = time.monotonic()
    pool = pool_with(now - 1, now, now)
    for process in pool.processes:
        process.pid = sleeper
    for standby in pool.processes[1:]:
        standby.slot.leave_lane()
        standby.slot.record.standby = 1
    pool._free.clear()  # no other can be made
    pool.keep_size()
    assert [each.slot.record.standby for each in pool.processes] == [0, 0, 0]


def entrusted(pool: Pool, now: float = NOW) -> list[int]:
    """Which of the children run what failed the last time, as they are now."""
    pool._entrust_suspects(now)
    return [number for number, each in enumerate(pool.processes) if each.slot.record.suspects]


def test_the_youngest_that_works_runs_what_failed_the_last_time() -> None:
    pool = pool_with(NOW, NOW, NOW)
    pool.processes[2].slot.leave_lane()
    pool.processes[2].slot.record.standby = 1
    assert entrusted(pool) == [1]
    pool.processes[2].slot.record.standby = 0
    assert entrusted(pool) == [2]


def test_another_does_when_the_youngest_is_stuck_or_is_to_go() -> None:
    pool = pool_with(NOW, NOW, NOW, NOW - 0.2)
    assert entrusted(pool) == [2]
    pool.processes[2].leaving, pool.processes[1].doomed = True, "It took too long."
    assert entrusted(pool) == [0]
    assert entrusted(pool, NOW + 1) == []


def test_who_is_to_run_what_failed_is_told_once_and_again_when_there_is_some() -> None:
    pool = pool_with(NOW, NOW)
    reading, pool.processes[1].pokes = os.pipe()
    for tell in (lambda: entrusted(pool), lambda: entrusted(pool), pool.poke_for_suspects):
        tell()
    pool._close(pool.processes[1])
    assert os.read(reading, 10) == b".."
    os.close(reading)
