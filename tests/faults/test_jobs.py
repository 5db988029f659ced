"""Jobs by the clock with real workers: once for each time, also when several of them look at once and one is killed at it."""

from __future__ import annotations

import signal

from django.db import transaction
from django.db.models.functions import Now

from plugin_framework.catalog.revisions import bump_tenant
from plugin_framework.delivery.models import Schedule, Worker
from plugin_framework.models import PluginState
from plugin_framework.tenancy import public_scope, tenant_scope
from saas.testing.waiting import wait_until
from tests.faults.world import World


def _let_times_come(world: World) -> None:
    """Both tenants have a job whose time is now, and no other within the test."""
    for tenant in world.tenants:
        with tenant_scope(tenant), transaction.atomic():
            PluginState.objects.create(plugin="clockwork", enabled=True, version="1.0.0")
            bump_tenant()
    with public_scope():
        for tenant in world.tenants:
            Schedule.objects.update_or_create(
                tenant_schema=tenant.schema,
                plugin="clockwork",
                job="tick",
                defaults={"expression": "0 0 1 1 *", "due_at": Now(), "run_at": Now()},
            )


def _at_work() -> int:
    with public_scope():
        return Worker.objects.count()


def test_of_two_workers_one_writes_each_run_and_it_runs_once(world: World) -> None:
    workers = [world.worker(), world.worker()]
    wait_until(lambda: _at_work() == 2, what="both workers to be at work")
    _let_times_come(world)
    wait_until(lambda: len(world.all_deliveries(plugin="clockwork", state="done")) == 2)
    for worker in workers:
        assert worker.stop() == 0
    assert sorted(note["tenant"] for note in world.notes("tick")) == ["acme", "globex"]


def test_a_worker_killed_while_it_writes_runs_leaves_them_to_the_next(world: World) -> None:
    _let_times_come(world)
    killed = world.worker(failpoints="scheduling_job:kill")
    assert killed.process.wait(timeout=60) == -signal.SIGKILL
    assert world.all_deliveries(plugin="clockwork") == []
    world.worker()
    wait_until(lambda: len(world.all_deliveries(plugin="clockwork", state="done")) == 2)
    assert sorted(note["tenant"] for note in world.notes("tick")) == ["acme", "globex"]


def test_times_that_cannot_be_read_end_no_worker_and_the_other_jobs_run(world: World) -> None:
    _let_times_come(world)
    with public_scope():
        Schedule.objects.filter(tenant_schema=world.acme.schema, job="tick").update(expression="every full moon")
    worker = world.worker()
    wait_until(lambda: len(world.all_deliveries(plugin="clockwork", state="done")) == 1)
    assert [note["tenant"] for note in world.notes("tick")] == ["globex"]
    assert f"clockwork.tick does not run in {world.acme.schema}: " in worker.text
    assert worker.stop() == 0
