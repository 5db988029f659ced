"""Lanes and rows: folding, claiming, fencing, releasing, holding. One database connection plays all the workers."""

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

from plugin_framework.activation import BoundHandler
from plugin_framework.catalog import revisions
from plugin_framework.delivery import lanes, rows, workers
from plugin_framework.delivery.emit import emit_event
from plugin_framework.delivery.models import Lane, Wake, Worker
from plugin_framework.delivery.outcome import cut_short, delivered, failed
from plugin_framework.delivery.rows import Finished
from plugin_framework.models import Delivery, DeliveryAttempt
from plugin_framework.tenancy import Revisions, TenantRef, public_scope, tenant_scope


@pytest.fixture
def acme(committed_db: str, tenants: Any) -> Iterator[TenantRef]:
    with public_scope():
        yield tenants.acme


def _emit(tenant: TenantRef, *plugins: str) -> list[int]:
    with tenant_scope(tenant):
        emit_event(
            "order", (1,), [BoundHandler(name, "on_order", "order", print, False) for name in plugins or ("mail",)]
        )
        return list(Delivery.objects.order_by("id").values_list("id", flat=True))


def _fold() -> int:
    with transaction.atomic():
        return lanes.fold()


def _claim(owner: str = "me", lease: float = 60) -> lanes.Lane:
    lane = lanes.claim(owner, lease)
    assert lane is not None
    return lane


def _row(tenant: TenantRef, pk: int) -> Delivery:
    with tenant_scope(tenant):
        return Delivery.objects.get(pk=pk)


def _expire_leases() -> None:
    Lane.objects.update(leased_until=timezone.now() - timedelta(seconds=1))


def test_one_lane_is_claimed_at_a_time_though_the_statistics_say_that_there_are_no_more(acme: TenantRef) -> None:
    _emit(acme)
    _fold()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE public.delivery_lane")  # as in a small installation, or one that was restored
    _emit(acme, *(f"plugin{number}" for number in range(6)))
    _fold()
    _claim()
    assert Lane.objects.filter(leased_until__isnull=False).count() == 1


def test_wake_ups_are_folded_into_one_lane_each(acme: TenantRef) -> None:
    for _ in range(3):
        _emit(acme, "mail", "chat")
    assert _fold() == 6
    assert sorted(Lane.objects.values_list("plugin", flat=True)) == ["chat", "mail"]
    assert not Wake.objects.exists()
    assert _fold() == 0


def test_a_wake_up_makes_an_idle_lane_due(acme: TenantRef) -> None:
    _emit(acme)
    _fold()
    assert lanes.release(_claim(), None)
    assert lanes.claim("me", 60) is None
    _emit(acme)
    _fold()
    assert _claim().plugin == "mail"


def test_a_wake_up_is_kept_until_its_delivery_can_be_seen(acme: TenantRef, committed_db: str) -> None:
    with psycopg.connect(committed_db) as slow:  # as on Citus, where the coordinator's part becomes visible first
        row = slow.execute(
            f"""INSERT INTO "{acme.schema}".plugin_framework_delivery
                (event_id, hook, plugin, handler, payload, idempotency_key, state, attempts, fence, last_error)
                VALUES (gen_random_uuid(), 'order', 'mail', 'on_order', '[]', gen_random_uuid(), 'due', 0, 0, '') RETURNING id"""
        ).fetchone()
        assert row is not None
        Wake.objects.create(tenant_schema=acme.schema, plugin="mail", delivery_id=row[0])
        assert _fold() == 1
        assert Wake.objects.count() == 1
        assert not Lane.objects.exists()
        slow.commit()
    Wake.objects.update(look_at=timezone.now())
    assert _fold() == 1
    assert not Wake.objects.exists()
    assert Lane.objects.get().next_at is not None


def test_a_wake_up_whose_delivery_never_comes_is_dropped_after_a_week_and_not_before(acme: TenantRef) -> None:
    Wake.objects.create(tenant_schema=acme.schema, plugin="mail", delivery_id=999)
    for days, left in ((6, 1), (8, 0)):
        Wake.objects.update(look_at=timezone.now(), written_at=timezone.now() - timedelta(days=days))
        _fold()
        assert Wake.objects.count() == left


@pytest.mark.parametrize(("waited", "wait"), [(0, 0.1), (20, 20), (3600, 60)])
def test_a_wake_up_that_cannot_be_seen_is_looked_at_again_after_as_long_as_it_has_waited(
    acme: TenantRef, waited: float, wait: float
) -> None:
    Wake.objects.create(tenant_schema=acme.schema, plugin="mail", delivery_id=999)
    Wake.objects.update(written_at=timezone.now() - timedelta(seconds=waited))
    before = timezone.now()
    _fold()
    again = Wake.objects.get().look_at
    assert before + timedelta(seconds=wait) <= again <= timezone.now() + timedelta(seconds=wait + 5)


def test_the_lane_that_has_waited_longest_is_claimed_first_and_only_once(acme: TenantRef) -> None:
    _emit(acme, "mail", "chat")
    _fold()
    Lane.objects.filter(plugin="mail").update(next_at=timezone.now() - timedelta(minutes=1))
    first, second = _claim(), _claim()
    assert (first.plugin, second.plugin) == ("mail", "chat")
    assert second.fence > first.fence
    assert lanes.claim("me", 60) is None


def test_a_paused_lane_is_not_claimed(acme: TenantRef) -> None:
    _emit(acme)
    _fold()
    Lane.objects.update(paused_until=timezone.now() + timedelta(hours=1))
    assert lanes.claim("me", 60) is None


def test_a_lane_whose_lease_has_run_out_is_claimed_with_a_newer_fence_and_the_older_changes_nothing(
    acme: TenantRef,
) -> None:
    (pk,) = _emit(acme)
    _fold()
    old = _claim("old")
    assert rows.start(old.schema, pk, old.fence) is not None
    _expire_leases()
    new = _claim("new")
    assert new.fence > old.fence
    assert rows.record_interrupted(new.schema, pk, new.fence)
    assert rows.start(new.schema, pk, new.fence) is not None

    assert not rows.finish(old.schema, Finished(pk, delivered(1, None)), old.fence)
    assert rows.start(old.schema, pk, old.fence) is None
    assert rows.hold(old.schema, "mail", old.fence, "no") == 0
    assert rows.cancel(old.schema, "mail", old.fence, "no") == 0
    assert not lanes.release(old, None)
    assert not lanes.postpone(old, 60)
    assert not lanes.drop(old)
    assert lanes.renew("old", [old.fence], 60) == set()

    row = _row(acme, pk)
    assert (row.state, row.attempts, row.fence) == ("due", 2, new.fence)
    assert lanes.renew("new", [new.fence], 60) == {new.fence}
    assert rows.finish(new.schema, Finished(pk, delivered(1, None)), new.fence)
    assert _row(acme, pk).state == "done"


def test_a_mark_can_be_repeated_without_doing_anything_twice(acme: TenantRef) -> None:
    (pk,) = _emit(acme)
    _fold()
    lane = _claim()
    rows.start(lane.schema, pk, lane.fence)
    again = Finished(pk, failed(ValueError("no"), 1, 5))
    assert rows.finish(lane.schema, again, lane.fence)
    before = _row(acme, pk).next_at
    assert not rows.finish(lane.schema, again, lane.fence)
    assert _row(acme, pk).next_at == before
    with tenant_scope(acme):
        assert DeliveryAttempt.objects.count() == 1


def test_a_wake_up_folded_in_while_a_lane_is_being_released_is_not_lost(acme: TenantRef) -> None:
    _emit(acme)
    _fold()
    lane = _claim()
    (due,) = rows.due(lane.schema, lane.plugin, 10)
    rows.start(lane.schema, due.id, lane.fence)
    rows.finish(lane.schema, Finished(due.id, delivered(1, None)), lane.fence)
    next_at = rows.next_due(lane.schema, lane.plugin)
    assert next_at is None
    _emit(acme)  # in the gap between the look and the release
    _fold()
    assert lanes.release(lane, next_at)
    assert Lane.objects.get().next_at is not None
    assert _claim().fence > lane.fence


def test_a_lane_with_more_to_do_goes_to_the_end_of_the_queue(acme: TenantRef) -> None:
    _emit(acme, "mail", "chat")
    _fold()
    Lane.objects.filter(plugin="mail").update(next_at=timezone.now() - timedelta(minutes=2))
    lane = _claim()
    assert lane.plugin == "mail"
    lanes.release(lane, timezone.now() - timedelta(hours=5))
    assert _claim().plugin == "chat"


def test_an_idle_lane_is_due_when_its_next_retry_is(acme: TenantRef) -> None:
    (pk,) = _emit(acme)
    _fold()
    lane = _claim()
    rows.start(lane.schema, pk, lane.fence)
    rows.finish(lane.schema, Finished(pk, failed(ValueError("no"), 1, 5)), lane.fence)
    lanes.release(lane, rows.next_due(lane.schema, lane.plugin))
    assert Lane.objects.get().next_at == _row(acme, pk).next_at
    assert lanes.claim("me", 60) is None


def test_marking_it_as_delivered_leaves_the_time_at_which_it_was_due(acme: TenantRef) -> None:
    (pk,) = _emit(acme)
    _fold()
    lane, was = _claim(), _row(acme, pk).next_at
    rows.start(lane.schema, pk, lane.fence)
    assert rows.finish(lane.schema, Finished(pk, delivered(1, None)), lane.fence)
    assert _row(acme, pk).next_at == was


def _two_of_which_one_runs(tenant: TenantRef) -> tuple[lanes.Lane, Finished, int, Revisions]:
    _emit(tenant)
    first, second = _emit(tenant)
    _fold()
    lane = _claim()
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
    assert found.started.key == _row(acme, second).idempotency_key
    row = _row(acme, before.id)
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
    assert _row(acme, before.id).state == "done"
    assert (_row(acme, second).attempts, _row(acme, second).started_at) == (0, None)
    again = rows.finish_and_start(lane.schema, None, second, lane.fence, gate)
    assert (again.gate_holds, again.started) == (False, None)
    with tenant_scope(acme):
        fresh = revisions.read()
    assert rows.finish_and_start(lane.schema, None, second, lane.fence, fresh).started is not None


def test_a_newer_claim_lets_an_older_one_neither_finish_nor_start(acme: TenantRef) -> None:
    lane, before, second, gate = _two_of_which_one_runs(acme)
    _expire_leases()
    new = _claim("other")
    assert rows.record_interrupted(new.schema, before.id, new.fence)
    assert rows.start(new.schema, second, new.fence) is not None
    found = rows.finish_and_start(lane.schema, before, second, lane.fence, gate)
    assert (found.written, found.gate_holds, found.started) == (False, True, None)
    assert (_row(acme, before.id).state, _row(acme, second).attempts) == ("due", 1)


def test_a_delivery_that_dies_with_its_worker_each_time_is_given_up_after_ten_attempts(acme: TenantRef) -> None:
    (pk,) = _emit(acme)
    _fold()
    for number in range(1, 11):
        lane = _claim()
        started = rows.start(lane.schema, pk, lane.fence)
        assert started is not None
        assert started.attempt == number
        _expire_leases()  # the worker is gone, with its machine
        lane = _claim()
        assert rows.record_interrupted(lane.schema, pk, lane.fence) == ("due" if number < 10 else "dead")
        _expire_leases()
    row = _row(acme, pk)
    assert (row.state, row.attempts) == ("dead", 10)
    with tenant_scope(acme):
        assert (
            list(DeliveryAttempt.objects.order_by("number").values_list("outcome", flat=True)) == ["interrupted"] * 10
        )


def test_holding_uses_up_no_attempt_and_ends_after_75_hours(acme: TenantRef) -> None:
    (pk,) = _emit(acme)
    _fold()
    lane = _claim()
    assert rows.hold(lane.schema, "mail", lane.fence, "It needs setup.") == 1
    row = _row(acme, pk)
    assert (row.state, row.attempts, row.last_error) == ("due", 0, "It needs setup.")
    assert timedelta(seconds=25) < row.next_at - timezone.now() < timedelta(seconds=35)

    for hours, state in ((74, "due"), (76, "dead")):
        with tenant_scope(acme):
            Delivery.objects.update(held_since=timezone.now() - timedelta(hours=hours), next_at=timezone.now())
        rows.hold(lane.schema, "mail", lane.fence, "It needs setup.")
        row = _row(acme, pk)
        assert (row.state, row.attempts) == (state, 0)
    assert row.last_error == "Given up, because for 75 hours: It needs setup."
    assert row.finished_at is not None


@pytest.mark.parametrize(("held", "wait"), [(5, 30), (200, 200), (7200, 900)])
def test_a_held_delivery_comes_back_after_as_long_as_it_has_been_held_within_bounds(
    acme: TenantRef, held: float, wait: float
) -> None:
    (pk,) = _emit(acme)
    _fold()
    lane = _claim()
    since = timezone.now() - timedelta(seconds=held)
    with tenant_scope(acme):
        Delivery.objects.update(held_since=since)
    before = timezone.now()
    assert rows.hold(lane.schema, "mail", lane.fence, "It needs setup.") == 1
    row = _row(acme, pk)
    assert (row.state, row.held_since, row.finished_at) == ("due", since, None)
    assert 0.9 * wait - 1 <= (row.next_at - before).total_seconds() <= 1.1 * (wait + 5)


def test_of_what_is_held_only_what_has_been_for_too_long_is_given_up(acme: TenantRef) -> None:
    first, second = _emit(acme)[-1], _emit(acme)[-1]
    _fold()
    lane = _claim()
    with tenant_scope(acme):
        Delivery.objects.filter(pk=first).update(held_since=timezone.now() - timedelta(hours=76))
    assert rows.hold(lane.schema, "mail", lane.fence, "It needs setup.", second) == 1
    assert _row(acme, first).state == "due", "it was not asked for"
    with tenant_scope(acme):
        Delivery.objects.filter(pk=second).update(next_at=timezone.now())
    assert rows.hold(lane.schema, "mail", lane.fence, "It needs setup.") == 2
    assert [_row(acme, pk).state for pk in (first, second)] == ["dead", "due"]


def test_a_start_that_waited_for_a_redelivery_leaves_it_to_the_next_slice(acme: TenantRef, committed_db: str) -> None:
    """A time within a statement is as old as its wait, so what became due meanwhile is not due yet: it must be due right after."""
    (pk,) = _emit(acme)
    _fold()
    lane = _claim()
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
    assert rows.start(acme.schema, pk, _claim().fence) is not None


def test_what_was_held_comes_in_the_order_of_its_events_once_its_plugin_runs(acme: TenantRef) -> None:
    first, second, third = _emit(acme)[-1:], _emit(acme)[-1:], _emit(acme)[-1:]
    _fold()
    lane = _claim()
    assert rows.hold(lane.schema, "mail", lane.fence, "It needs setup.") == 3
    with tenant_scope(acme):  # the latest one's turn comes first
        Delivery.objects.filter(pk__in=third).update(next_at=timezone.now())
        held = Delivery.objects.values_list("held_since", flat=True)
        assert None not in held
    (due,) = rows.due(lane.schema, "mail", 10)
    assert due.held
    assert rows.release_held(lane.schema, "mail", lane.fence - 1) == 0, "an older claim may not"
    assert rows.release_held(lane.schema, "mail", lane.fence) == 3
    found = rows.due(lane.schema, "mail", 10)
    assert [[each.id] for each in found] == [first, second, third]
    assert [each.held for each in found] == [False] * 3
    with tenant_scope(acme):
        assert None not in Delivery.objects.values_list("held_since", flat=True), "how long it was held still counts"


def test_a_tenant_whose_tables_are_missing_keeps_its_wake_ups_and_nobody_else_waits(
    acme: TenantRef, tenants: Any
) -> None:
    _emit(acme)
    _emit(tenants.globex)
    with connection.cursor() as cursor:
        cursor.execute(f'ALTER TABLE "{acme.schema}".plugin_framework_delivery RENAME TO away')
    assert _fold() == 2
    assert Lane.objects.get().tenant_schema == tenants.globex.schema
    with connection.cursor() as cursor:
        cursor.execute(f'ALTER TABLE "{acme.schema}".away RENAME TO plugin_framework_delivery')
    Wake.objects.update(look_at=timezone.now())
    assert _fold() == 1
    assert Lane.objects.count() == 2


def test_a_postponed_lane_waits_unless_something_came_in_since_its_claim(acme: TenantRef) -> None:
    _emit(acme)
    _fold()
    assert lanes.postpone(_claim(), 300)
    assert lanes.claim("me", 60) is None
    lanes.hurry(acme.schema)
    lane = _claim()
    lanes.hurry(acme.schema)  # between the look at the tenant, which was suspended, and this
    assert lanes.postpone(lane, 300)
    assert _claim().fence > lane.fence


def test_only_dead_workers_of_this_machine_lose_their_lanes_to_their_successor(acme: TenantRef) -> None:
    _emit(acme, "mail", "chat", "push")
    _fold()
    me = workers.myself()
    start = me.process_start
    for name, host, pid, process_start in (
        ("dead", me.host, 2**22 + 1, 5),
        ("pid used again", me.host, me.pid, start + 1),
        ("alive", me.host, me.pid, start),
        ("elsewhere", "another", 2**22 + 1, 5),
    ):
        Worker.objects.create(id=name, host=host, pid=pid, process_start=process_start)
    for owner in ("dead", "alive", "elsewhere"):
        _claim(owner, 600)
    assert workers.bury_predecessors(me) == 1
    assert sorted(Worker.objects.values_list("id", flat=True)) == ["alive", "elsewhere"]
    assert lanes.claim("me", 60) is not None
    assert lanes.claim("me", 60) is None


def test_a_killed_attempt_is_recorded_once_and_only_under_its_own_fence(acme: TenantRef) -> None:
    (pk,) = _emit(acme)
    _fold()
    lane = _claim()
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
