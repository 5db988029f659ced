"""Work that a handler commits together with its delivery's mark is there exactly once, whatever is killed when."""

from __future__ import annotations

import os
import signal
from collections import Counter

from plugin_framework.models import AuditEntry
from plugin_framework.tenancy import tenant_scope
from saas.testing.waiting import wait_until
from tests.faults.world import World

WINDOWS = ("before_send", "mid_send", "after_answer", "after_mark")


def effects(world: World) -> Counter[tuple[str, str]]:
    """How often the work of each event is there, by tenant."""
    found: Counter[tuple[str, str]] = Counter()
    for tenant in world.tenants:
        with tenant_scope(tenant):
            rows = AuditEntry.objects.filter(action="fault.once").values_list("target", flat=True)
            found.update((tenant.slug, target) for target in rows)
    return found


def test_killed_in_each_window_every_effect_is_there_once(world: World) -> None:
    for n in range(12):
        for tenant in world.tenants:
            world.emit(tenant, do="once", n=n, roll_back=n % 4 == 3)
    worker = world.worker(failpoints=",".join(f"{name}:kill*3" for name in WINDOWS))
    world.settle(seconds=120)
    assert {name: worker.text.count(f"failpoint {name}\n") for name in WINDOWS} == dict.fromkeys(WINDOWS, 3)
    expected = {(tenant.slug, str(n)) for tenant in world.tenants for n in range(12) if n % 4 != 3}
    assert effects(world) == dict.fromkeys(expected, 1)
    assert {row.state for row in world.all_deliveries()} == {"done"}


def test_connections_lost_in_each_window_change_nothing_of_that(world: World) -> None:
    for n in range(12):
        world.emit(world.acme, do="once", n=n)
    world.worker("--lease", "600", failpoints=",".join(f"{name}:cut*2" for name in WINDOWS))
    world.settle()
    assert effects(world) == {("acme", str(n)): 1 for n in range(12)}


def test_what_a_handler_does_after_the_mark_cannot_take_it_back(world: World) -> None:
    world.emit(world.acme, do="once_and_fail", n=1)
    worker = world.worker()
    world.settle()
    (row,) = world.deliveries(world.acme)
    assert (row.state, row.attempts, row.last_error) == ("done", 1, "")
    wait_until(lambda: "failed after delivery" in worker.text)
    assert effects(world) == {("acme", "1"): 1}


def test_a_worker_that_slept_through_its_lease_leaves_nothing(world: World) -> None:
    world.emit(world.acme, do="once_too_late", n=1)
    asleep = world.worker("--lease", "1", "--hard-limit", "600")
    (begun,) = wait_until(lambda: world.notes("begin"))
    wait_until(lambda: _is_stopped(begun["pid"]))
    asleep.process.send_signal(signal.SIGSTOP)
    world.worker("--lease", "1")
    wait_until(lambda: [row for row in world.deliveries(world.acme) if row.state == "done"])
    os.kill(begun["pid"], signal.SIGCONT)
    asleep.process.send_signal(signal.SIGCONT)
    wait_until(
        lambda: "Superseded" in asleep.text or "was not marked" in asleep.text or asleep.process.poll() is not None
    )
    assert effects(world) == {("acme", "1"): 1}
    (row,) = world.deliveries(world.acme)
    assert (row.state, row.attempts) == ("done", 2)


def _is_stopped(pid: int) -> bool:
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        return file.read().rpartition(")")[2].split()[0] == "T"
