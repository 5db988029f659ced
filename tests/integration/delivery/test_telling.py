"""Which children the supervisor tells that there may be something to do."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from plugin_framework.delivery.models import Lane
from plugin_framework.delivery.options import Options
from plugin_framework.delivery.pool import Death, Process
from plugin_framework.delivery.slots import Held, allocate
from plugin_framework.delivery.supervisor import Supervisor
from plugin_framework.tenancy import TenantRef, public_scope
from tests.support.lanes import claimed, emitted, fold

OPTIONS = Options(children=4)


@pytest.fixture
def acme(committed_db: str, tenants: Any) -> Iterator[TenantRef]:
    with public_scope():
        yield tenants.acme


class Told:
    """A supervisor of four idle children, the last of which runs what failed the last time, and who was told."""

    def __init__(self) -> None:
        self.supervisor = Supervisor(OPTIONS)
        pipes = [os.pipe() for _ in range(OPTIONS.children)]
        self._reading = [reading for reading, _ in pipes]
        slots = allocate(OPTIONS.children)
        slots[-1].record.suspects = 1
        for slot, (reading, writing) in zip(slots, pipes, strict=True):
            os.set_blocking(reading, False)
            os.set_blocking(writing, False)
            self.supervisor._pool.processes.append(Process(1, slot, writing))

    def by_now(self) -> list[bool]:
        return [self._read(reading) for reading in self._reading]

    @staticmethod
    def _read(reading: int) -> bool:
        try:
            return bool(os.read(reading, 100))
        except BlockingIOError:
            return False

    def close(self) -> None:
        for reading, process in zip(self._reading, self.supervisor._pool.processes, strict=True):
            os.close(reading)
            os.close(process.pokes)


@pytest.fixture
def told() -> Iterator[Told]:
    found = Told()
    yield found
    found.close()


def test_as_many_as_there_are_wake_ups_are_told_and_one_more(acme: TenantRef, told: Told) -> None:
    emitted(acme)
    told.supervisor._fold()
    assert told.by_now() == [True, True, False, False]


def test_who_runs_what_failed_the_last_time_is_told_of_that_too(acme: TenantRef, told: Told) -> None:
    emitted(acme)
    fold()
    Lane.objects.update(failures=1)
    emitted(acme)
    told.supervisor._notified = True
    told.supervisor._fold()
    assert told.by_now() == [True, True, False, True]


def test_who_runs_what_failed_the_last_time_is_told_of_what_a_dead_child_had_in_hand(
    acme: TenantRef, told: Told
) -> None:
    (pk,) = emitted(acme)
    fold()
    lane = claimed()
    told.supervisor._deaths.append(
        Death(Held(lane.schema, lane.plugin, lane.fence, pk, 0.0), "It died.", at_once=False)
    )
    told.supervisor._bury()
    assert told.by_now() == [False, False, False, True]
    assert claimed().failures == 1
