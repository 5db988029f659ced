"""Processes killed at each named window: nothing is lost, nothing comes of what was rolled back, and the key stays the same."""

from __future__ import annotations

import signal

from plugin_framework.models import AuditEntry
from plugin_framework.tenancy import tenant_scope
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


def test_a_child_killed_twice_in_each_window_loses_nothing(world: World) -> None:
    _fill(world)
    worker = world.worker(failpoints=",".join(f"{name}:kill*2" for name in CHILD_WINDOWS))
    world.settle(seconds=120)
    assert {name: worker.text.count(f"failpoint {name}\n") for name in CHILD_WINDOWS} == dict.fromkeys(CHILD_WINDOWS, 2)
    _nothing_lost(world)
    repeated = [key for key, times in world.calls().items() if times > 1]
    assert len(repeated) <= 2, "only what was killed between the answer and the mark is called again after it had ended"
    assert worker.process.poll() is None


def test_a_whole_worker_killed_in_each_window_loses_nothing(world: World) -> None:
    _fill(world)
    for name in CHILD_WINDOWS:
        if name == "scheduling_retry":
            world.emit(world.acme, "faulty", do="flaky", n="again")
        else:
            world.emit(world.acme, "steady", n="again")
        # A lease far longer than the test: what the dead worker held is free at once only because its successor takes it over.
        worker = world.worker("--lease", "600", failpoints=f"{name}:kill_worker")
        wait_until(lambda worker=worker: worker.process.poll() is not None or world.pass_time(), seconds=60, what=name)
        assert f"failpoint {name}\n" in worker.text
    world.worker("--lease", "600")
    world.settle(seconds=120)
    rows = world.all_deliveries()
    assert {row.state for row in rows} == {"done"}
    assert len(rows) == 2 * 2 * 13 + len(CHILD_WINDOWS)
    assert set(world.calls()) == {str(row.idempotency_key) for row in rows}


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


def _emitters_killed(world: World, place: str) -> None:
    """Two of them, side by side."""
    command = ("-m", "tests.faults.emitter", world.acme.schema)
    emitters = [world.run(*command, TENANTRY_FAILPOINTS=f"{place}:kill") for _ in range(2)]
    for emitter in emitters:
        assert emitter.process.wait(timeout=60) == -signal.SIGKILL, emitter.text
        assert f"failpoint {place}\n" in emitter.text


def test_an_emitter_killed_before_its_commit_leaves_nothing(world: World) -> None:
    _emitters_killed(world, "before_commit")
    with tenant_scope(world.acme):
        assert not AuditEntry.objects.filter(action="test.business").exists()
    assert world.deliveries(world.acme) == []
    assert world.wakes() == []


def test_an_emitter_killed_right_after_its_commit_is_delivered_all_the_same(world: World) -> None:
    _emitters_killed(world, "after_commit")
    with tenant_scope(world.acme):
        assert AuditEntry.objects.filter(action="test.business").count() == 2
    world.worker()
    world.settle()
    rows = world.deliveries(world.acme)
    assert [(row.plugin, row.state, row.attempts) for row in rows] == [
        ("faulty", "done", 1),
        ("steady", "done", 1),
    ] * 2
    assert world.calls() == {str(row.idempotency_key): 1 for row in rows}
