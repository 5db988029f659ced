"""When the supervisor has to look at its children again."""

from __future__ import annotations

import math
from itertools import starmap

import pytest

from plugin_framework.delivery.options import Options
from plugin_framework.delivery.pool import Pool, Process
from plugin_framework.delivery.slots import allocate

NOW = 1000.0
OPTIONS = Options(children=2, stuck_after=0.1)


def pool_with(*begun: float) -> Pool:
    """A pool whose children each began a delivery at one of these times."""
    slots = allocate(max(len(begun), 1))
    for slot, since in zip(slots, begun, strict=False):
        slot.begin(1, since, since + 45)
    return Pool("worker", OPTIONS, list(starmap(Process, [(1, slot, -1) for slot in slots])))


def test_the_next_look_is_when_the_first_child_becomes_stuck() -> None:
    assert pool_with(NOW - 0.02, NOW - 0.07).next_stuck(NOW) == pytest.approx(0.03)


def test_a_child_that_is_stuck_already_asks_for_no_other_look() -> None:
    assert pool_with(NOW - 7, NOW).next_stuck(NOW) == pytest.approx(0.1)


def test_a_child_between_two_deliveries_asks_for_no_look() -> None:
    pool = pool_with(NOW - 0.05)
    pool.processes[0].slot.end(NOW + 45)
    assert pool.next_stuck(NOW) == math.inf


def test_a_child_that_is_to_go_asks_for_no_look() -> None:
    pool = pool_with(NOW - 0.05, NOW - 0.05)
    pool.processes[0].leaving, pool.processes[1].doomed = True, "It took too long."
    assert pool.next_stuck(NOW) == math.inf
