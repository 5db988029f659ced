"""Jobs by the clock: once for each time in each tenant that runs the plugin, however many workers there are, and through the gate."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from plugin_framework import activation, lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.catalog.models import Availability
from plugin_framework.delivery import folding, schedule
from plugin_framework.delivery.models import Schedule, Wake
from plugin_framework.models import Delivery
from plugin_framework.registry import JOB_HOOK, registry
from plugin_framework.sdk import PluginInterface, cron, daily, hourly
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from tenants import operations
from tenants.models import Domain, Tenant
from tests.dummies import pages
from tests.support.queue import work_off

RAN: list[str] = []


class Clockwork(PluginInterface):
    """Has a job of each kind."""

    name, version = "clockwork", "1.0.0"

    def initialize(self, config: dict[str, Any]) -> None:
        pass

    def cleanup(self) -> None:
        pass

    @cron("*/15 * * * *")
    def tick(self) -> None:
        RAN.append(f"{self.tenant.slug}.tick")
        if len(RAN) in self.failing:
            raise RuntimeError("planned")

    @daily(at="03:30")
    def sweep(self) -> None:
        RAN.append(f"{self.tenant.slug}.sweep")

    @hourly(minute=5)
    def chime(self) -> None:
        RAN.append(f"{self.tenant.slug}.chime")

    failing: set[int] = set()


class Newer(Clockwork):
    """As of the next release: one job is gone, one comes at other times."""

    version = "2.0.0"
    sweep = None

    @cron("*/20 * * * *")
    def tick(self) -> None:
        pass


@pytest.fixture
def acme(committed_db: str, tenants: Any) -> Iterator[TenantRef]:
    """The test works inside `acme`, where the clockwork is enabled."""
    RAN.clear()
    Clockwork.failing = set()
    with pages.installed(Clockwork), tenant_scope(tenants.acme):
        lifecycle.enable("clockwork", SYSTEM)
        yield tenants.acme


def _times(tenant: TenantRef) -> dict[str, Schedule]:
    with public_scope():
        return {row.job: row for row in Schedule.objects.filter(tenant_schema=tenant.schema, plugin="clockwork")}


def _let_time_come(tenant: TenantRef, job: str, ago: timedelta = timedelta(0)) -> datetime:
    """The job is due now, at a time of its own."""
    at = timezone.now() - ago
    with public_scope():
        Schedule.objects.filter(tenant_schema=tenant.schema, job=job).update(due_at=at, run_at=at)
    return at


def _run_due() -> int:
    with public_scope(), transaction.atomic():
        return schedule.run_due()


def _runs(**filters: Any) -> list[Delivery]:
    return list(Delivery.objects.filter(plugin="clockwork", **filters).order_by("id"))


def test_enabling_puts_each_job_down_for_its_next_time_and_disabling_takes_it_away(acme: TenantRef) -> None:
    found, now = _times(acme), timezone.now()
    assert {job: row.expression for job, row in found.items()} == {
        "tick": "*/15 * * * *",
        "sweep": "30 3 * * *",
        "chime": "5 * * * *",
    }
    assert found["tick"].due_at.minute % 15 == 0
    assert (found["sweep"].due_at.hour, found["sweep"].due_at.minute) == (3, 30)
    assert all(now < row.due_at <= row.run_at for row in found.values())
    lifecycle.disable("clockwork", SYSTEM)
    assert _times(acme) == {}


def test_a_job_runs_once_for_each_time_in_its_tenant_alone(acme: TenantRef) -> None:
    for number in range(3):
        _let_time_come(acme, "tick", timedelta(seconds=3 - number))
        assert _run_due() == 1
        assert _run_due() == 0
        work_off()
    assert RAN == ["acme.tick"] * 3
    assert {(row.state, row.hook, row.handler) for row in _runs()} == {("done", JOB_HOOK, "tick")}


def test_times_that_nobody_was_there_for_are_made_up_for_by_one_run(acme: TenantRef) -> None:
    _let_time_come(acme, "chime", timedelta(days=3))
    _run_due()
    work_off()
    assert RAN == ["acme.chime"]
    assert _times(acme)["chime"].due_at > timezone.now()


def test_a_time_that_has_been_written_already_is_not_written_again(acme: TenantRef) -> None:
    at = _let_time_come(acme, "chime")
    _run_due()
    with public_scope():
        Schedule.objects.filter(job="chime").update(due_at=at, run_at=at)  # as a supervisor with an old snapshot would
    _run_due()
    work_off()
    assert RAN == ["acme.chime"]
    assert len(_runs()) == 1


def test_whoever_dies_before_the_commit_leaves_it_to_the_next(acme: TenantRef) -> None:
    _let_time_come(acme, "tick")
    with pytest.raises(KeyboardInterrupt), public_scope(), transaction.atomic():
        schedule.run_due()
        raise KeyboardInterrupt
    assert _runs() == []
    assert _run_due() == 1
    work_off()
    assert RAN == ["acme.tick"]


def test_eight_supervisors_at_once_write_each_time_once(acme: TenantRef, tenants: Any) -> None:
    with tenant_scope(tenants.globex):
        lifecycle.enable("clockwork", SYSTEM)
    for tenant in (acme, tenants.globex):
        for job in ("tick", "chime", "sweep"):
            _let_time_come(tenant, job)
    barrier = threading.Barrier(8)

    def supervisor() -> None:
        try:
            barrier.wait()
            for _ in range(5):
                _run_due()
        finally:
            connection.close()

    threads = [threading.Thread(target=supervisor) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    work_off()
    assert sorted(RAN) == sorted(f"{slug}.{job}" for slug in ("acme", "globex") for job in ("tick", "chime", "sweep"))


def test_while_one_waits_for_a_job_that_another_has_in_hand_it_takes_the_others(
    acme: TenantRef, committed_db: str
) -> None:
    import psycopg

    _let_time_come(acme, "tick")
    _let_time_come(acme, "chime")
    with psycopg.connect(committed_db) as other:
        other.execute("SELECT FROM public.delivery_schedule WHERE job = 'tick' FOR UPDATE")
        assert _run_due() == 1
    assert [row.handler for row in _runs()] == ["chime"]


def test_a_tenant_that_is_being_migrated_keeps_nobody_else_waiting(
    acme: TenantRef, tenants: Any, committed_db: str
) -> None:
    import psycopg

    with tenant_scope(tenants.globex):
        lifecycle.enable("clockwork", SYSTEM)
    due = [_let_time_come(tenant, "tick", timedelta(seconds=1)) for tenant in (acme, tenants.globex)]
    with psycopg.connect(committed_db) as other:
        other.execute(f"LOCK TABLE {acme.schema}.plugin_framework_delivery")
        assert _run_due() == 2
    assert _runs() == []
    assert (_times(acme)["tick"].due_at, _times(acme)["tick"].run_at > timezone.now()) == (due[0], True), "put off"
    with tenant_scope(tenants.globex):
        assert [row.handler for row in _runs()] == ["tick"]
    with public_scope():
        Schedule.objects.filter(tenant_schema=acme.schema, job="tick").update(run_at=timezone.now())
    _run_due()
    assert [row.idempotency_key for row in _runs()] == [schedule.key_for(acme.schema, "clockwork", "tick", due[0])]


def test_a_job_of_a_plugin_that_does_not_load_today_keeps_its_times(
    acme: TenantRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _times(acme)
    monkeypatch.delitem(registry.specs, "clockwork")
    schedule.sync()
    assert {job: row.due_at for job, row in _times(acme).items()} == {job: row.due_at for job, row in before.items()}


def test_a_run_waits_for_a_plugin_that_failed_to_start(acme: TenantRef, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(self: Any, config: dict[str, Any]) -> None:
        raise RuntimeError("not yet")

    _let_time_come(acme, "tick")
    _run_due()
    monkeypatch.setattr(Clockwork, "initialize", fails)
    activation.cache.clear()
    work_off()
    (row,) = _runs()
    assert (row.state, row.held_since is not None) == ("due", True)


def test_a_run_that_failed_is_tried_again_until_its_next_time_comes(acme: TenantRef) -> None:
    Clockwork.failing = {1}
    _let_time_come(acme, "tick", timedelta(seconds=1))
    _run_due()
    work_off()
    (first,) = _runs()
    assert (first.state, first.attempts) == ("due", 1)
    _let_time_come(acme, "tick")
    _run_due()
    work_off()
    assert [(row.state, row.last_error) for row in _runs()] == [
        ("cancelled", "Not tried again: its next time has come."),
        ("done", ""),
    ]


def test_a_run_that_is_under_way_is_not_joined_by_another(acme: TenantRef) -> None:
    _let_time_come(acme, "tick", timedelta(seconds=1))
    _run_due()
    Delivery.objects.update(started_at=timezone.now(), attempts=1)
    _let_time_come(acme, "tick")
    _run_due()
    assert len(_runs()) == 1


@pytest.mark.parametrize("why", ["paused", "withdrawn"])
def test_a_job_is_left_out_when_the_gate_says_no_and_does_not_pile_up(acme: TenantRef, why: str) -> None:
    if why == "paused":
        lifecycle.pause("clockwork", SYSTEM, reason="It rests.", seconds=600)
    else:
        from plugin_framework.catalog.models import CatalogEntry
        from plugin_framework.catalog.revisions import bump_catalog

        with public_scope(), transaction.atomic():
            CatalogEntry.objects.update_or_create(
                plugin="clockwork", defaults={"availability": Availability.WITHDRAWN, "message": "It leaks."}
            )
            bump_catalog()
    for number in range(3):
        _let_time_come(acme, "tick", timedelta(seconds=3 - number))
        _run_due()
        work_off()
    assert RAN == []
    assert {row.state for row in _runs()} == {"cancelled"}
    assert all(row.last_error.startswith("Left out: ") for row in _runs())


def test_a_suspended_tenant_has_one_run_when_it_is_back(acme: TenantRef) -> None:
    operations.suspend("acme", "Unpaid.", SYSTEM)
    for number in range(3):
        _let_time_come(acme, "tick", timedelta(seconds=3 - number))
        _run_due()
        work_off()
    assert RAN == []
    operations.resume("acme", SYSTEM)
    work_off()
    assert RAN == ["acme.tick"]


def test_a_disabled_plugins_waiting_run_is_cancelled(acme: TenantRef) -> None:
    _let_time_come(acme, "tick")
    _run_due()
    lifecycle.disable("clockwork", SYSTEM)
    work_off()
    assert (RAN, [row.state for row in _runs()]) == ([], ["cancelled"])


def test_a_tenant_that_is_gone_is_forgotten(acme: TenantRef, tenants: Any) -> None:
    with tenant_scope(tenants.globex):
        lifecycle.enable("clockwork", SYSTEM)
    _let_time_come(tenants.globex, "tick")
    _let_time_come(acme, "tick")
    with connection.cursor() as cursor:
        cursor.execute(f'DROP SCHEMA "{tenants.globex.schema}" CASCADE')
    with public_scope():
        Domain.objects.filter(tenant__slug="globex").delete()
        Tenant.objects.filter(slug="globex").delete()
    _run_due()
    assert _times(tenants.globex) == {}
    assert [row.handler for row in _runs()] == ["tick"]


def test_the_jobs_of_one_whose_schema_is_lost_wait_until_it_is_back(acme: TenantRef, tenants: Any) -> None:
    with tenant_scope(tenants.globex):
        lifecycle.enable("clockwork", SYSTEM)
    _let_time_come(tenants.globex, "tick")
    _let_time_come(acme, "tick")
    with connection.cursor() as cursor:
        cursor.execute(f'ALTER SCHEMA "{tenants.globex.schema}" RENAME TO aside')
    before = _times(tenants.globex)
    _run_due()
    after = _times(tenants.globex)
    assert after.keys() == before.keys()
    assert (after["tick"].due_at, after["tick"].run_at > before["tick"].run_at) == (before["tick"].due_at, True)
    assert [row.handler for row in _runs()] == ["tick"]
    with connection.cursor() as cursor:
        cursor.execute(f'ALTER SCHEMA aside RENAME TO "{tenants.globex.schema}"')
    _let_time_come(tenants.globex, "tick")
    _run_due()
    with tenant_scope(tenants.globex):
        assert [row.handler for row in _runs()] == ["tick"]


def test_a_new_release_brings_its_times_and_keeps_those_that_are_as_they_were(acme: TenantRef) -> None:
    before = _times(acme)
    with pages.installed(Newer):
        schedule.sync()
        found = _times(acme)
    assert set(found) == {"tick", "chime"}
    assert found["tick"].expression == "*/20 * * * *"
    assert found["chime"].run_at == before["chime"].run_at


def test_a_rolled_back_change_leaves_the_schedule_as_it_was(acme: TenantRef) -> None:
    before = set(_times(acme))
    with pytest.raises(RuntimeError), transaction.atomic():
        lifecycle.disable("clockwork", SYSTEM)
        raise RuntimeError
    assert set(_times(acme)) == before


def test_nobody_can_call_a_job_as_if_it_were_a_hook(acme: TenantRef) -> None:
    from plugin_framework import hooks
    from plugin_framework.sdk import UnknownHook

    with pytest.raises(UnknownHook):
        hooks.emit(JOB_HOOK)
    with pytest.raises(UnknownHook):
        hooks.call_hook(JOB_HOOK)
    assert RAN == []


def test_a_look_when_nothing_is_due_costs_one_statement(acme: TenantRef, django_assert_num_queries: Any) -> None:
    with public_scope(), connection.cursor() as cursor:
        cursor.execute("SELECT 1")  # and with it the way to the public schema
        with django_assert_num_queries(1):
            assert schedule.run_due() == 0
    with public_scope():
        assert schedule.run_due() == 0


def test_the_wake_up_comes_with_the_delivery(acme: TenantRef) -> None:
    _let_time_come(acme, "tick")
    _run_due()
    with public_scope(), transaction.atomic():
        assert list(Wake.objects.values_list("plugin", flat=True)) == ["clockwork"]
        folding.fold()
    assert _runs()[0].created_at <= timezone.now().astimezone(UTC)
