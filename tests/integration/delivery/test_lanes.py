"""Lanes: folding, claiming, fencing, releasing. One database connection plays all the workers."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from plugin_framework.delivery import lanes, rows, rows_held, workers
from plugin_framework.delivery.models import Lane, Worker
from plugin_framework.delivery.outcome import delivered, failed
from plugin_framework.delivery.rows import Finished
from plugin_framework.tenancy import TenantRef, public_scope
from tests.support.lanes import claimed, emitted, expire_leases, fold, stored


@pytest.fixture
def acme(committed_db: str, tenants: Any) -> Iterator[TenantRef]:
    with public_scope():
        yield tenants.acme


def test_one_lane_is_claimed_at_a_time_though_the_statistics_say_that_there_are_no_more(acme: TenantRef) -> None:
    emitted(acme)
    fold()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE public.delivery_lane")  # as in a small installation, or one that was restored
    emitted(acme, *(f"plugin{number}" for number in range(6)))
    fold()
    claimed()
    assert Lane.objects.filter(leased_until__isnull=False).count() == 1


def test_the_lane_that_has_waited_longest_is_claimed_first_and_only_once(acme: TenantRef) -> None:
    emitted(acme, "mail", "chat")
    fold()
    Lane.objects.filter(plugin="mail").update(next_at=timezone.now() - timedelta(minutes=1))
    first, second = claimed(), claimed()
    assert (first.plugin, second.plugin) == ("mail", "chat")
    assert second.fence > first.fence
    assert lanes.claim("me", 60) is None


def test_a_paused_lane_is_not_claimed(acme: TenantRef) -> None:
    emitted(acme)
    fold()
    Lane.objects.update(paused_until=timezone.now() + timedelta(hours=1))
    assert lanes.claim("me", 60) is None


@pytest.mark.parametrize("why", [{"failures": 1}, {"open_since": timezone.now()}], ids=["failed", "half open"])
def test_a_lane_whose_last_attempt_failed_is_left_to_those_who_run_suspects_for_a_while(
    acme: TenantRef, why: dict[str, object]
) -> None:
    emitted(acme)
    fold()
    Lane.objects.update(**why)
    assert lanes.claim("me", 60, suspects=False) is None
    assert lanes.release(claimed(), timezone.now(), failures=1)
    assert lanes.claim("me", 60, suspects=False) is None
    Lane.objects.update(next_at=timezone.now() - timedelta(seconds=lanes.SUSPECTS_WAIT), paused_until=timezone.now())
    assert lanes.claim("me", 60, suspects=False) is None, "it was due, but it rested"
    Lane.objects.update(paused_until=timezone.now() - timedelta(seconds=lanes.SUSPECTS_WAIT))
    assert lanes.claim("me", 60, suspects=False) is not None


def test_who_runs_no_suspects_takes_what_has_not_failed(acme: TenantRef) -> None:
    emitted(acme, "mail", "chat")
    fold()
    Lane.objects.filter(plugin="mail").update(failures=1, next_at=timezone.now() - timedelta(seconds=1))
    found = lanes.claim("me", 60, suspects=False)
    assert found is not None
    assert found.plugin == "chat"


def test_a_lane_whose_lease_has_run_out_is_claimed_with_a_newer_fence_and_the_older_changes_nothing(
    acme: TenantRef,
) -> None:
    (pk,) = emitted(acme)
    fold()
    old = claimed("old")
    assert rows.start(old.schema, pk, old.fence) is not None
    expire_leases()
    new = claimed("new")
    assert new.fence > old.fence
    assert rows.record_interrupted(new.schema, pk, new.fence)
    assert rows.start(new.schema, pk, new.fence) is not None

    assert not rows.finish(old.schema, Finished(pk, delivered(1, None)), old.fence)
    assert rows.start(old.schema, pk, old.fence) is None
    assert rows_held.hold(old.schema, "mail", old.fence, "no") == 0
    assert rows_held.cancel(old.schema, "mail", old.fence, "no") == 0
    assert not lanes.release(old, None)
    assert not lanes.postpone(old, 60)
    assert not lanes.drop(old)
    assert lanes.renew("old", [old.fence], 60) == set()

    row = stored(acme, pk)
    assert (row.state, row.attempts, row.fence) == ("due", 2, new.fence)
    assert lanes.renew("new", [new.fence], 60) == {new.fence}
    assert rows.finish(new.schema, Finished(pk, delivered(1, None)), new.fence)
    assert stored(acme, pk).state == "done"


def test_a_wake_up_folded_in_while_a_lane_is_being_released_is_not_lost(acme: TenantRef) -> None:
    emitted(acme)
    fold()
    lane = claimed()
    (due,) = rows.due(lane.schema, lane.plugin, 10)
    rows.start(lane.schema, due.id, lane.fence)
    rows.finish(lane.schema, Finished(due.id, delivered(1, None)), lane.fence)
    next_at = rows.next_due(lane.schema, lane.plugin)
    assert next_at is None
    emitted(acme)  # in the gap between the look and the release
    fold()
    assert lanes.release(lane, next_at)
    assert Lane.objects.get().next_at is not None
    assert claimed().fence > lane.fence


def test_a_lane_with_more_to_do_goes_to_the_end_of_the_queue(acme: TenantRef) -> None:
    emitted(acme, "mail", "chat")
    fold()
    Lane.objects.filter(plugin="mail").update(next_at=timezone.now() - timedelta(minutes=2))
    lane = claimed()
    assert lane.plugin == "mail"
    lanes.release(lane, timezone.now() - timedelta(hours=5))
    assert claimed().plugin == "chat"


def test_an_idle_lane_is_due_when_its_next_retry_is(acme: TenantRef) -> None:
    (pk,) = emitted(acme)
    fold()
    lane = claimed()
    rows.start(lane.schema, pk, lane.fence)
    rows.finish(lane.schema, Finished(pk, failed(ValueError("no"), 1, 5)), lane.fence)
    lanes.release(lane, rows.next_due(lane.schema, lane.plugin))
    assert Lane.objects.get().next_at == stored(acme, pk).next_at
    assert lanes.claim("me", 60) is None


def test_a_postponed_lane_waits_unless_something_came_in_since_its_claim(acme: TenantRef) -> None:
    emitted(acme)
    fold()
    assert lanes.postpone(claimed(), 300)
    assert lanes.claim("me", 60) is None
    lanes.hurry(acme.schema)
    lane = claimed()
    lanes.hurry(acme.schema)  # between the look at the tenant, which was suspended, and this
    assert lanes.postpone(lane, 300)
    assert claimed().fence > lane.fence


def test_only_dead_workers_of_this_machine_lose_their_lanes_to_their_successor(acme: TenantRef) -> None:
    emitted(acme, "mail", "chat", "push")
    fold()
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
        claimed(owner, 600)
    assert workers.bury_predecessors(me) == 1
    assert sorted(Worker.objects.values_list("id", flat=True)) == ["alive", "elsewhere"]
    assert lanes.claim("me", 60) is not None
    assert lanes.claim("me", 60) is None
