"""Deliveries of a claimed lane: starting, finishing, holding. One database connection plays all the workers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from django.utils import timezone

from plugin_framework.catalog import revisions
from plugin_framework.delivery import lanes, rows, rows_held
from plugin_framework.delivery.outcome import cut_short, delivered, failed
from plugin_framework.delivery.rows import Finished
from plugin_framework.models import Delivery, DeliveryAttempt
from plugin_framework.tenancy import Revisions, TenantRef, public_scope, tenant_scope
from tests.support.lanes import claimed, emitted, expire_leases, fold, stored


@pytest.fixture
def acme(committed_db: str, tenants: Any) -> Iterator[TenantRef]:
    with public_scope():
        yield tenants.acme


def test_a_mark_can_be_repeated_without_doing_anything_twice(acme: TenantRef) -> None:
    (pk,) = emitted(acme)
    fold()
    lane = claimed()
    rows.start(lane.schema, pk, lane.fence)
    again = Finished(pk, failed(ValueError("no"), 1, 5))
    assert rows.finish(lane.schema, again, lane.fence)
    before = stored(acme, pk).next_at
    assert not rows.finish(lane.schema, again, lane.fence)
    assert stored(acme, pk).next_at == before
    with tenant_scope(acme):
        assert DeliveryAttempt.objects.count() == 1


def test_marking_it_as_delivered_leaves_the_time_at_which_it_was_due(acme: TenantRef) -> None:
    (pk,) = emitted(acme)
    fold()
    lane, was = claimed(), stored(acme, pk).next_at
    rows.start(lane.schema, pk, lane.fence)
    assert rows.finish(lane.schema, Finished(pk, delivered(1, None)), lane.fence)
    assert stored(acme, pk).next_at == was


def test_a_mark_within_a_transaction_ends_with_it(acme: TenantRef) -> None:
    (pk,) = emitted(acme)
    fold()
    lane = claimed()
    rows.start(lane.schema, pk, lane.fence)
    with transaction.atomic():
        assert rows.finish(lane.schema, Finished(pk, delivered(1, None)), lane.fence)
        transaction.set_rollback(True)
    assert stored(acme, pk).state == "due"


def test_the_last_mark_of_a_slice_tells_when_the_next_is_due(acme: TenantRef) -> None:
    emitted(acme)
    first, second = emitted(acme)
    fold()
    lane = claimed()
    rows.start(lane.schema, first, lane.fence)
    done = Finished(first, delivered(1, None))
    assert rows.finish_and_next(lane.schema, lane.plugin, done, lane.fence) == (True, stored(acme, second).next_at)
    assert rows.finish_and_next(lane.schema, lane.plugin, done, lane.fence) == (False, stored(acme, second).next_at)
    rows.start(lane.schema, second, lane.fence)
    again = Finished(second, failed(ValueError("no"), 1, 5))
    not_ours = rows.finish_and_next(lane.schema, lane.plugin, again, lane.fence - 1)
    assert not_ours == (False, stored(acme, second).next_at)
    written, next_at = rows.finish_and_next(lane.schema, lane.plugin, again, lane.fence, begun=2)
    assert (written, next_at) == (True, stored(acme, second).next_at)
    assert next_at is not None
    assert next_at > timezone.now()
    assert rows.begun_today(lane.schema) == 2
    assert rows.finish_and_next(lane.schema, "other", again, lane.fence)[1] is None


def _two_of_which_one_runs(tenant: TenantRef) -> tuple[lanes.Lane, Finished, int, Revisions]:
    emitted(tenant)
    first, second = emitted(tenant)
    fold()
    lane = claimed()
    rows.start(lane.schema, first, lane.fence)
    with tenant_scope(tenant):
        return lane, Finished(first, delivered(7, 204)), second, revisions.read()


def test_finishing_one_and_starting_the_next_is_one_commit(acme: TenantRef) -> None:
    lane, before, second, gate = _two_of_which_one_runs(acme)
    found = rows.finish_and_start(lane.schema, before, second, lane.fence, gate)
    assert found.written
    assert found.gate_holds
    assert found.started is not None
    assert (found.started.id, found.started.attempt, found.started.payload) == (second, 1, "[1]")
    assert found.started.key == stored(acme, second).idempotency_key
    row = stored(acme, before.id)
    assert (row.state, row.duration_ms, row.response_status) == ("done", 7, 204)
    with tenant_scope(acme):
        attempt = DeliveryAttempt.objects.get(delivery=row)
    assert (attempt.number, attempt.outcome, attempt.duration_ms) == (1, "done", 7)


@pytest.mark.parametrize("bump", [revisions.bump_tenant, revisions.bump_catalog])
def test_nothing_starts_once_what_the_gate_was_asked_with_has_changed(acme: TenantRef, bump: Callable[[], int]) -> None:
    lane, before, second, gate = _two_of_which_one_runs(acme)
    with tenant_scope(acme), transaction.atomic():
        bump()
    found = rows.finish_and_start(lane.schema, before, second, lane.fence, gate)
    assert (found.written, found.gate_holds, found.started) == (True, False, None)
    assert stored(acme, before.id).state == "done"
    assert (stored(acme, second).attempts, stored(acme, second).started_at) == (0, None)
    again = rows.finish_and_start(lane.schema, None, second, lane.fence, gate)
    assert (again.gate_holds, again.started) == (False, None)
    with tenant_scope(acme):
        fresh = revisions.read()
    assert rows.finish_and_start(lane.schema, None, second, lane.fence, fresh).started is not None


def test_a_newer_claim_lets_an_older_one_neither_finish_nor_start(acme: TenantRef) -> None:
    lane, before, second, gate = _two_of_which_one_runs(acme)
    expire_leases()
    new = claimed("other")
    assert rows.record_interrupted(new.schema, before.id, new.fence)
    assert rows.start(new.schema, second, new.fence) is not None
    found = rows.finish_and_start(lane.schema, before, second, lane.fence, gate)
    assert (found.written, found.gate_holds, found.started) == (False, True, None)
    assert (stored(acme, before.id).state, stored(acme, second).attempts) == ("due", 1)


def test_a_delivery_that_dies_with_its_worker_each_time_is_given_up_after_ten_attempts(acme: TenantRef) -> None:
    (pk,) = emitted(acme)
    fold()
    for number in range(1, 11):
        lane = claimed()
        started = rows.start(lane.schema, pk, lane.fence)
        assert started is not None
        assert started.attempt == number
        expire_leases()  # the worker is gone, with its machine
        lane = claimed()
        assert rows.record_interrupted(lane.schema, pk, lane.fence) == ("due" if number < 10 else "dead")
        expire_leases()
    row = stored(acme, pk)
    assert (row.state, row.attempts) == ("dead", 10)
    with tenant_scope(acme):
        assert (
            list(DeliveryAttempt.objects.order_by("number").values_list("outcome", flat=True)) == ["interrupted"] * 10
        )


def test_holding_uses_up_no_attempt_and_ends_after_75_hours(acme: TenantRef) -> None:
    (pk,) = emitted(acme)
    fold()
    lane = claimed()
    assert rows_held.hold(lane.schema, "mail", lane.fence, "It needs setup.") == 1
    row = stored(acme, pk)
    assert (row.state, row.attempts, row.last_error) == ("due", 0, "It needs setup.")
    assert timedelta(seconds=25) < row.next_at - timezone.now() < timedelta(seconds=35)

    for hours, state in ((74, "due"), (76, "dead")):
        with tenant_scope(acme):
            Delivery.objects.update(held_since=timezone.now() - timedelta(hours=hours), next_at=timezone.now())
        rows_held.hold(lane.schema, "mail", lane.fence, "It needs setup.")
        row = stored(acme, pk)
        assert (row.state, row.attempts) == (state, 0)
    assert row.last_error == "Given up, because for 75 hours: It needs setup."
    assert row.finished_at is not None


@pytest.mark.parametrize(("held", "wait"), [(5, 30), (200, 200), (7200, 900)])
def test_a_held_delivery_comes_back_after_as_long_as_it_has_been_held_within_bounds(
    acme: TenantRef, held: float, wait: float
) -> None:
    (pk,) = emitted(acme)
    fold()
    lane = claimed()
    since = timezone.now() - timedelta(seconds=held)
    with tenant_scope(acme):
        Delivery.objects.update(held_since=since)
    before = timezone.now()
    assert rows_held.hold(lane.schema, "mail", lane.fence, "It needs setup.") == 1
    row = stored(acme, pk)
    assert (row.state, row.held_since, row.finished_at) == ("due", since, None)
    assert 0.9 * wait - 1 <= (row.next_at - before).total_seconds() <= 1.1 * (wait + 5)


def test_of_what_is_held_only_what_has_been_for_too_long_is_given_up(acme: TenantRef) -> None:
    first, second = emitted(acme)[-1], emitted(acme)[-1]
    fold()
    lane = claimed()
    with tenant_scope(acme):
        Delivery.objects.filter(pk=first).update(held_since=timezone.now() - timedelta(hours=76))
    assert rows_held.hold(lane.schema, "mail", lane.fence, "It needs setup.", second) == 1
    assert stored(acme, first).state == "due", "it was not asked for"
    with tenant_scope(acme):
        Delivery.objects.filter(pk=second).update(next_at=timezone.now())
    assert rows_held.hold(lane.schema, "mail", lane.fence, "It needs setup.") == 2
    assert [stored(acme, pk).state for pk in (first, second)] == ["dead", "due"]


def test_a_start_that_waited_for_a_redelivery_leaves_it_to_the_next_slice(acme: TenantRef, committed_db: str) -> None:
    """A time within a statement is as old as its wait, so what became due meanwhile is not due yet: it must be due right after."""
    (pk,) = emitted(acme)
    fold()
    lane = claimed()
    delivery = f'"{acme.schema}".plugin_framework_delivery'
    with psycopg.connect(committed_db) as admin, psycopg.connect(committed_db, autocommit=True) as watcher:
        admin.execute(f"SELECT FROM {delivery} WHERE id = %s FOR UPDATE", [pk])
        backend = connection.connection.info.backend_pid

        def redeliver() -> None:
            waits = "SELECT pid FROM pg_locks WHERE pid = %s AND NOT granted"
            until = time.monotonic() + 10  # nobody waits for ever, should the start not wait
            while watcher.execute(waits, [backend]).fetchone() is None and time.monotonic() < until:
                pass
            admin.execute(f"UPDATE {delivery} SET next_at = statement_timestamp() WHERE id = %s", [pk])
            admin.commit()

        beside = threading.Thread(target=redeliver)
        beside.start()
        started = rows.start(lane.schema, pk, lane.fence)
        beside.join()
    assert started is None
    assert [each.id for each in rows.due(lane.schema, "mail", 10)] == [pk]
    lanes.release(lane, rows.next_due(lane.schema, "mail"))
    assert rows.start(acme.schema, pk, claimed().fence) is not None


def test_what_was_held_comes_in_the_order_of_its_events_once_its_plugin_runs(acme: TenantRef) -> None:
    first, second, third = emitted(acme)[-1:], emitted(acme)[-1:], emitted(acme)[-1:]
    fold()
    lane = claimed()
    assert rows_held.hold(lane.schema, "mail", lane.fence, "It needs setup.") == 3
    with tenant_scope(acme):  # the latest one's turn comes first
        Delivery.objects.filter(pk__in=third).update(next_at=timezone.now())
        held = Delivery.objects.values_list("held_since", flat=True)
        assert None not in held
    (due,) = rows.due(lane.schema, "mail", 10)
    assert due.held
    assert rows_held.release_held(lane.schema, "mail", lane.fence - 1) == 0, "an older claim may not"
    assert rows_held.release_held(lane.schema, "mail", lane.fence) == 3
    found = rows.due(lane.schema, "mail", 10)
    assert [[each.id] for each in found] == [first, second, third]
    assert [each.held for each in found] == [False] * 3
    with tenant_scope(acme):
        assert None not in Delivery.objects.values_list("held_since", flat=True), "how long it was held still counts"


def test_a_killed_attempt_is_recorded_once_and_only_under_its_own_fence(acme: TenantRef) -> None:
    (pk,) = emitted(acme)
    fold()
    lane = claimed()
    assert rows.look(lane.schema, pk, lane.fence) == (0, False, None, False)
    rows.start(lane.schema, pk, lane.fence)
    found = rows.look(lane.schema, pk, lane.fence)
    assert found is not None
    assert found[:2] == (1, True)
    finished = Finished(pk, cut_short("It did not end.", 1, 45000))
    assert not rows.finish(lane.schema, finished, lane.fence - 1)
    assert rows.finish(lane.schema, finished, lane.fence)
    with tenant_scope(acme):
        attempt = DeliveryAttempt.objects.get()
    assert (attempt.outcome, attempt.error, attempt.duration_ms) == ("killed", "It did not end.", 45000)


def test_the_queries_of_a_lane_use_the_index_of_due_rows(acme: TenantRef) -> None:
    with tenant_scope(acme), connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        cursor.execute(
            "EXPLAIN SELECT id FROM plugin_framework_delivery "
            "WHERE plugin = 'x' AND state = 'due' AND next_at <= now() ORDER BY next_at, id LIMIT 5"
        )
        assert "delivery_due" in str(cursor.fetchall())
