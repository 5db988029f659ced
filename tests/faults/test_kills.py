"""Connections lost at each named window, and what becomes of a killed supervisor's children; see `test_storm` for the kills."""

from __future__ import annotations

from saas.testing.waiting import wait_until
from tests.faults.world import World, runs

CHILD_WINDOWS = (
    "after_claim",
    "before_send",
    "mid_send",
    "after_answer",
    "scheduling_retry",
    "after_mark",
    "before_release",
)


def _fill(world: World) -> None:
    for n in range(16):
        for tenant in world.tenants:
            world.emit(tenant, "faulty", "steady", do="flaky" if n % 4 == 0 else "ok", n=n, roll_back=n % 5 == 4)


def _nothing_lost(world: World) -> None:
    rows = world.all_deliveries()
    assert len(rows) == 2 * 2 * 13, "16 events less 3 rolled back, for 2 tenants and 2 plugins"
    assert {row.state for row in rows} == {"done"}
    assert set(world.calls()) == {str(row.idempotency_key) for row in rows}
    assert world.places() == world.belongs()


def test_a_connection_lost_twice_in_each_window_costs_no_second_call(world: World) -> None:
    _fill(world)
    # Nobody can wait for a lease here: whoever lost the connection gives its lane back as soon as there is another.
    worker = world.worker("--lease", "600", failpoints=",".join(f"{name}:cut*2" for name in CHILD_WINDOWS))
    world.settle()
    assert {name: worker.text.count(f"failpoint {name}\n") for name in CHILD_WINDOWS} == dict.fromkeys(CHILD_WINDOWS, 2)
    _nothing_lost(world)
    assert set(world.calls().values()) == {1}
    assert worker.process.poll() is None


def test_the_children_of_a_killed_supervisor_die_with_it(world: World) -> None:
    world.emit(world.acme, do="hang_deaf")
    worker = world.worker("--hard-limit", "600")
    wait_until(lambda: world.notes("begin"), what="the handler to start")
    children = worker.children()
    worker.process.kill()
    wait_until(lambda: not any(map(runs, children)), what="the children to die")
