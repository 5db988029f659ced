"""A worker's processes do not keep one database session for all tenants there are: it would grow with each."""

from __future__ import annotations

import os
from pathlib import Path

from saas.testing.waiting import wait_until
from tests.faults.world import World


def test_a_child_gets_a_new_session_between_two_tenants(world: World) -> None:
    world.worker("--children", "1", CONN_MAX_SCHEMAS="1")

    def somebody_served_both() -> bool:
        done = len(world.notes("session"))
        for tenant in world.tenants:
            world.emit(tenant, do="say_who_serves")
        wait_until(lambda: len(world.notes("session")) == done + 2, seconds=60, what="both deliveries")
        served = {(note["pid"], note["tenant"]) for note in world.notes("session")}
        return len(served) > len({pid for pid, _ in served})

    wait_until(somebody_served_both, seconds=60, what="one child to serve both")
    world.settle()
    seen = {(note["session"], note["tenant"]) for note in world.notes("session")}
    assert len(seen) == len({session for session, _ in seen}), "no session has seen both"
    assert {(row.attempts, row.state) for row in world.all_deliveries()} == {(1, "done")}


def test_a_supervisor_gets_a_new_one_and_goes_on_listening(world: World) -> None:
    worker = world.worker("--poll", "600", CONN_MAX_SCHEMAS="1")
    wait_until(lambda: "started with" in worker.text)
    seen = []
    for number in range(4):
        world.emit(world.tenants[number % 2], n=number)
        wait_until(
            lambda n=number: len(world.notes("end")) == n + 1, what="a delivery that only a notification tells of"
        )
        seen.append(sockets(worker.process.pid))
    assert len(set(seen)) > 1
    assert len({len(each) for each in seen}) == 1, "the old one is closed"
    assert "does not answer" not in worker.text


def sockets(pid: int) -> frozenset[str]:
    """Those that a process has open, as the system names them."""
    folder = Path(f"/proc/{pid}/fd")
    names = (os.readlink(file) for file in folder.iterdir())
    return frozenset(name for name in names if name.startswith("socket:"))
