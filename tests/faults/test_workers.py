"""Workers among themselves: zombies, two at once, stopping, losing the database, what the gate says."""

from __future__ import annotations

import os
import signal
from datetime import datetime, timedelta
from pathlib import Path

from django.db import connection, transaction

from plugin_framework.audit import SYSTEM
from plugin_framework.catalog.revisions import bump_tenant
from plugin_framework.delivery.emit import release_held
from plugin_framework.models import Delivery, PluginState
from plugin_framework.tenancy import public_scope, tenant_scope
from saas.testing.databases import server
from saas.testing.waiting import wait_until
from tenants import operations
from tests.faults.world import World


def test_a_worker_that_slept_through_its_lease_marks_nothing(world: World, tmp_path: Path) -> None:
    go = tmp_path / "go"
    world.emit(world.acme, do="stop", until=str(go))
    limits = ("--children", "1", "--soft-limit", "100", "--hard-limit", "200", "--lease", "2")
    asleep = world.worker(*limits)
    (begun,) = wait_until(lambda: world.notes("begin"))
    asleep.process.send_signal(signal.SIGSTOP)

    world.worker(*limits)
    wait_until(lambda: len(world.notes("begin")) == 2, what="the second worker to take the lane over")
    os.kill(begun["pid"], signal.SIGCONT)
    asleep.process.send_signal(signal.SIGCONT)
    wait_until(lambda: "was not marked" in asleep.text, what="the fence to refuse")
    (row,) = world.deliveries(world.acme)
    assert (row.state, row.attempts, row.finished_at) == ("due", 2, None), "the second worker is still at it"

    go.touch()
    world.settle()
    (row,) = world.deliveries(world.acme)
    assert (row.state, row.attempts) == ("done", 2)
    assert [attempt.outcome for attempt in world.attempts(world.acme, row.id)] == ["interrupted", "done"]
    assert set(world.calls()) == {str(row.idempotency_key)}


def test_a_lease_is_renewed_for_as_long_as_its_worker_lives(world: World, tmp_path: Path) -> None:
    go = tmp_path / "go"
    world.emit(world.acme, do="wait", until=str(go))
    for _ in range(2):  # the second one would take the lane over
        world.worker("--lease", "3", "--soft-limit", "100", "--hard-limit", "200")
    wait_until(lambda: world.notes("begin"))
    fence, first = _lease(world)
    wait_until(lambda: _lease(world)[1] > first + timedelta(seconds=3))
    assert _lease(world)[0] == fence, "it is the first one's still"
    go.touch()
    world.settle()
    (row,) = world.deliveries(world.acme)
    assert (row.state, row.attempts) == ("done", 1)
    assert world.calls("begin") == {str(row.idempotency_key): 1}


def _lease(world: World) -> tuple[int, datetime]:
    """The fence of the only lane, and until when it is leased."""
    (lane,) = world.lanes()
    assert lane.leased_until is not None
    return lane.fence, lane.leased_until


def test_two_workers_at_once_deliver_each_event_once(world: World) -> None:
    workers = [world.worker(), world.worker()]
    for n in range(40):
        for tenant in world.tenants:
            world.emit(tenant, "faulty", "steady", n=n)
    world.settle()
    rows = world.all_deliveries()
    assert len(rows) == 160
    assert world.calls() == {str(row.idempotency_key): 1 for row in rows}
    assert world.places() == world.belongs()
    wait_until(lambda: all("started with" in worker.text for worker in workers))
    assert [worker.stop() for worker in workers] == [0, 0]


def test_sigterm_lets_the_running_delivery_finish(world: World) -> None:
    world.emit(world.acme, do="nap", seconds=0.8)
    worker = world.worker()
    wait_until(lambda: world.notes("begin"))
    assert worker.stop() == 0
    (row,) = world.deliveries(world.acme)
    assert (row.state, row.attempts) == ("done", 1)
    with public_scope(), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM public.delivery_worker")
        assert cursor.fetchone() == (0,)


def test_what_does_not_finish_within_the_grace_is_due_again_at_once(world: World) -> None:
    world.emit(world.acme, do="hang_deaf")
    worker = world.worker("--soft-limit", "100", "--hard-limit", "200", "--stop-grace", "0.2")
    wait_until(lambda: world.notes("begin"))
    assert worker.stop() == 0
    (row,) = world.deliveries(world.acme)
    assert (row.state, row.attempts) == ("due", 1)
    assert (row.next_at - row.finished_at).total_seconds() < 1
    assert [attempt.outcome for attempt in world.attempts(world.acme, row.id)] == ["interrupted"]


def test_a_worker_outlives_its_database_connections(world: World) -> None:
    worker = world.worker()
    killed = 0
    for n in range(30):
        for tenant in world.tenants:
            world.emit(tenant, "faulty", "steady", n=n)
        if n % 10 == 5:
            wait_until(lambda n=n: len(world.notes("end")) > 3 * n)
            killed += _kill_backends()
    world.settle()
    assert killed >= 3
    rows = world.all_deliveries()
    assert {row.state for row in rows} == {"done"}
    assert set(world.calls()) == {str(row.idempotency_key) for row in rows}
    assert worker.process.poll() is None


def _kill_backends() -> int:
    """End every connection to this test's database but our own."""
    own = connection.connection.info.backend_pid
    with server() as raw:
        return len(
            raw.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> %s",
                [connection.settings_dict["NAME"], own],
            ).fetchall()
        )


def test_the_check_succeeds_only_while_a_worker_is_alive(world: World) -> None:
    assert world.run("manage.py", "worker", "--check").process.wait(timeout=60) == 1
    worker = world.worker()
    wait_until(lambda: "started with" in worker.text or _seen())
    assert world.run("manage.py", "worker", "--check").process.wait(timeout=60) == 0


def _seen() -> bool:
    with public_scope(), connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM public.delivery_worker)")
        return bool(cursor.fetchone()[0])


def _enable(world: World, plugin: str, *, enabled: bool) -> None:
    with tenant_scope(world.acme), transaction.atomic():
        PluginState.objects.filter(plugin=plugin).update(enabled=enabled)
        bump_tenant()


def test_deliveries_of_a_disabled_plugin_are_cancelled_with_the_reason(world: World) -> None:
    world.emit(world.acme, "faulty", "steady")
    _enable(world, "faulty", enabled=False)
    world.worker()
    world.settle()
    states = {row.plugin: (row.state, row.attempts, row.last_error) for row in world.deliveries(world.acme)}
    assert states["faulty"] == ("cancelled", 0, "The plugin was disabled. Not enabled.")
    assert states["steady"] == ("done", 1, "")


def test_a_plugin_disabled_while_its_lane_runs_is_not_called_again(world: World, tmp_path: Path) -> None:
    go = tmp_path / "go"
    for n in range(2):
        world.emit(world.acme, do="wait", until=str(go), n=n)
    world.worker("--soft-limit", "100", "--hard-limit", "200")
    wait_until(lambda: world.notes("begin"))
    _enable(world, "faulty", enabled=False)
    go.touch()
    world.settle()
    assert [(row.state, row.attempts) for row in world.deliveries(world.acme)] == [("done", 1), ("cancelled", 0)]
    assert [note["n"] for note in world.notes("begin")] == [0]


def test_deliveries_of_a_plugin_that_is_missing_wait_until_it_is_back(world: World) -> None:
    world.emit(world.acme, "absent")
    with tenant_scope(world.acme):
        PluginState.objects.create(plugin="absent", enabled=True, version="1.0.0")
    world.worker()
    (row,) = wait_until(lambda: world.deliveries(world.acme, held_since__isnull=False))
    assert (row.state, row.attempts) == ("due", 0)
    assert "not installed any more" in row.last_error

    with tenant_scope(world.acme), transaction.atomic():  # as if the code that knows it were deployed
        Delivery.objects.update(plugin="steady")
        assert release_held("steady") == 1
    world.settle()
    (row,) = world.deliveries(world.acme)
    assert (row.state, row.attempts, row.held_since) == ("done", 1, None)


def test_a_suspended_tenant_is_kept_waiting_and_served_when_it_is_back(world: World) -> None:
    operations.suspend("acme", "Unpaid.", SYSTEM)
    world.emit(world.acme, "steady", n=1)
    world.emit(world.globex, "steady", n=2)
    world.worker()
    wait_until(lambda: any(lane.tenant_schema == world.acme.schema and lane.fence for lane in world.lanes()))
    wait_until(lambda: world.deliveries(world.globex, state="done"))
    assert [(row.state, row.attempts) for row in world.deliveries(world.acme)] == [("due", 0)]
    assert {note["tenant"] for note in world.notes()} == {"globex"}

    operations.resume("acme", SYSTEM)  # it does not have to wait for the lane's next turn, which is minutes away
    wait_until(lambda: world.deliveries(world.acme, state="done"))
    assert [(row.state, row.attempts) for row in world.deliveries(world.acme)] == [("done", 1)]


def test_the_lane_of_a_tenant_that_is_gone_is_removed(world: World) -> None:
    world.emit(world.acme, "steady", n=1)
    with public_scope(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO public.delivery_lane (tenant_schema, plugin, next_at) VALUES ('t_gone', 'steady', now())"
        )
        cursor.execute(
            "INSERT INTO public.delivery_wake (tenant_schema, plugin, delivery_id) VALUES ('t_other', 'x', 1)"
        )
    world.worker()
    wait_until(lambda: {lane.tenant_schema for lane in world.lanes()} == {world.acme.schema} and not world.wakes())
    world.settle()


def test_a_plugin_that_is_disabled_while_its_lane_runs_gets_not_one_delivery_more(world: World) -> None:
    for do in ("ok", "disable", "ok", "ok"):
        world.emit(world.acme, do=do)
    world.worker("--children", "1")
    wait_until(lambda: not world.deliveries(world.acme, state="due"))
    found = [(row.state, row.attempts) for row in world.deliveries(world.acme)]
    assert found == [("done", 1), ("done", 1), ("cancelled", 0), ("cancelled", 0)]
    assert len(world.notes("begin")) == 2
