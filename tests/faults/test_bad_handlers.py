"""Handlers that raise, hang, exit, crash or eat memory: each is recorded with its reason, and the others never notice."""

from __future__ import annotations

from django.db import connection

from plugin_framework.delivery.breaker import THRESHOLD
from plugin_framework.delivery.models import Lane
from plugin_framework.tenancy import public_scope, tenant_scope
from saas.testing.waiting import wait_until
from tests.faults.world import World

IMPATIENT = ("--soft-limit", "1.5", "--hard-limit", "3")
BAD = {
    "raise": ("failed", "due", "ZeroDivisionError: one by none"),
    "sys_exit": ("failed", "due", "SystemExit: 7"),
    "os_exit": ("killed", "due", "Its worker process died while it ran (exit status 7)."),
    "segfault": ("killed", "due", "Its worker process died while it ran (SIGSEGV)."),
    "memory": ("failed", "due", "MemoryError"),
    "hang": ("failed", "due", "It took longer than 1.5 s and was stopped."),
    "hang_in_sql": ("failed", "due", "It took longer than 1.5 s and was stopped."),
    "hang_deaf": ("killed", "due", "It did not end within 3 s and its process was killed."),
    "dead": ("failed", "dead", "The channel was deleted."),
    "gone": ("failed", "dead", "The address is gone for good."),
    "later": ("failed", "due", "Busy."),
    "leave_open": ("failed", "due", "The handler left a transaction or a query open; it was undone."),
}


def test_every_bad_handler_ends_in_one_attempt_with_a_plain_reason(world: World) -> None:
    for n, kind in enumerate(BAD):
        world.emit(world.tenants[n % 2], "faulty", do=kind)
    for n in range(20):
        world.emit(world.globex, "steady", n=n)
        world.emit(world.acme, "steady", n=n)
    worker = world.worker(*IMPATIENT)
    for n, (outcome, state, reason) in enumerate(BAD.values()):
        tenant = world.tenants[n % 2]
        row = world.deliveries(tenant, plugin="faulty")[n // 2]
        # The second attempt of the first ones may come while the test looks at the last ones.
        attempt, *_ = wait_until(lambda tenant=tenant, row=row: world.attempts(tenant, row.id))
        assert (attempt.number, attempt.outcome) == (1, outcome), attempt.error
        assert attempt.error.startswith(reason)
        assert [each.state for each in world.deliveries(tenant, id=row.id)] == [state]
    wait_until(lambda: {row.state for row in world.all_deliveries(plugin="steady")} == {"done"})
    good = world.all_deliveries(plugin="steady")
    assert {(row.state, row.attempts) for row in good} == {("done", 1)}
    assert len(good) == 40
    assert worker.process.poll() is None


def test_a_payload_that_cannot_be_read_is_a_failed_attempt_and_what_comes_after_it_is_delivered(world: World) -> None:
    spoilt = ["null", "{}", "[1, 2]", '[{"$datetime": "noon"}]', '[{"$model": "gone.Thing", "pk": 1}]']
    spoilt.append("[" * 3000 + "]" * 3000)
    for n in range(len(spoilt) + 1):
        world.emit(world.acme, "steady", n=n)
    with tenant_scope(world.acme):
        for row, payload in zip(world.deliveries(world.acme), spoilt, strict=False):
            with connection.cursor() as cursor:
                cursor.execute("UPDATE plugin_framework_delivery SET payload = %s WHERE id = %s", [payload, row.id])
    world.worker()
    wait_until(lambda: world.deliveries(world.acme, state="done"))
    *bad, good = world.deliveries(world.acme)
    assert [row.attempts for row in bad] == [1] * len(spoilt)
    assert all(row.last_error for row in bad)
    assert "gone.Thing" in bad[4].last_error
    assert {row.state for row in bad} == {"due"}, "another worker may be of a release that can read it"
    assert world.calls() == {str(good.idempotency_key): 1}


def test_a_permanent_answer_is_kept_with_its_status(world: World) -> None:
    world.emit(world.acme, do="gone")
    world.worker()
    world.settle()
    (row,) = world.deliveries(world.acme)
    assert (row.state, row.response_status) == ("dead", 410)


def test_retry_later_is_obeyed(world: World) -> None:
    world.emit(world.acme, do="later")
    world.worker()
    (row,) = wait_until(lambda: world.deliveries(world.acme, attempts=1, finished_at__isnull=False))
    assert 1000 <= (row.next_at - row.finished_at).total_seconds() <= 1101


def test_others_are_served_while_every_child_hangs(world: World) -> None:
    for tenant in world.tenants:
        for plugin in ("faulty", "steady"):
            world.emit(tenant, plugin, do="hang_deaf")
    world.worker("--soft-limit", "100", "--hard-limit", "300")
    wait_until(lambda: len(world.notes("begin")) == 4)
    wait_until(lambda: {row.state for row in world.all_deliveries(plugin="steady")} == {"done"})
    assert {row.finished_at for row in world.all_deliveries(plugin="faulty")} == {None}


def test_a_handler_that_computes_goes_behind_all_others_and_its_process_ends_with_it(world: World) -> None:
    world.emit(world.acme, do="compute")
    worker = world.worker()
    (slowed,) = wait_until(lambda: world.notes("slowed"))
    assert slowed["priority"] == 19
    world.settle()
    wait_until(lambda: slowed["pid"] not in worker.children(), what="the slowed process to end")
    (row,) = world.deliveries(world.acme)
    assert (row.state, row.attempts) == ("done", 1)


def test_a_child_that_stood_by_takes_the_place_of_one_that_hangs(world: World) -> None:
    worker = world.worker("--children", "1", "--soft-limit", "100", "--hard-limit", "300")
    before = set(wait_until(lambda: worker.children() if len(worker.children()) == 5 else [], what="the children"))
    world.emit(world.acme, do="hang")
    (hung,) = wait_until(lambda: world.notes("begin"))
    for _ in range(2):
        world.emit(world.globex, "steady")
        wait_until(lambda: {row.state for row in world.all_deliveries(plugin="steady")} == {"done"})
    served = {each["pid"] for each in world.notes("begin")} - {hung["pid"]}
    assert served
    assert served < before, "it was there before anything happened"
    assert "does not answer" not in worker.text, "making children cost nobody's connection"


def test_the_tenth_failure_is_a_dead_letter_with_the_last_reason(world: World) -> None:
    world.emit(world.acme, do="raise")
    world.worker()
    world.settle(seconds=90)
    (row,) = world.deliveries(world.acme, plugin="faulty")
    assert (row.state, row.attempts) == ("dead", 10)
    assert row.last_error == "Given up after 10 attempts. The last one: ZeroDivisionError: one by none"
    assert [attempt.number for attempt in world.attempts(world.acme, row.id)] == list(range(1, 11))
    assert set(world.calls("begin").values()) == {10}


def test_a_plugin_that_hangs_while_it_starts_is_held_and_uses_up_no_attempt(world: World) -> None:
    world.emit(world.acme, "steady", n=1)
    world.worker(*IMPATIENT, TENANTRY_FAULT_START="hang")
    (row,) = wait_until(lambda: world.deliveries(world.acme, held_since__isnull=False))
    assert (row.state, row.attempts) == ("due", 0)
    assert row.last_error.startswith("The plugin did not start in time.")


def test_it_is_held_where_others_wait_for_another_day_too_and_no_process_dies_of_it(world: World) -> None:
    with public_scope():
        Lane.objects.create(tenant_schema=world.acme.schema, plugin="steady", over_quota=True)
    world.emit(world.acme, "steady", n=1)
    worker = world.worker(*IMPATIENT, TENANTRY_FAULT_START="hang")
    (row,) = wait_until(lambda: world.deliveries(world.acme, held_since__isnull=False))
    assert row.last_error.startswith("The plugin did not start in time.")
    assert "A worker process failed" not in worker.text


def test_a_plugin_that_exits_while_it_starts_is_held_and_the_others_run(world: World) -> None:
    world.emit(world.acme, "faulty", "steady", n=1)
    worker = world.worker(TENANTRY_FAULT_START="exit")
    wait_until(lambda: world.deliveries(world.acme, plugin="steady", state="done"))
    (row,) = wait_until(lambda: world.deliveries(world.acme, held_since__isnull=False))
    assert (row.plugin, row.state, row.attempts) == ("faulty", "due", 0)
    assert row.last_error == "Held back: It failed to start: SystemExit."
    assert "A worker process failed" not in worker.text


def test_a_handler_that_keeps_killing_its_process_opens_the_breaker_and_the_rest_waits_unharmed(world: World) -> None:
    for n in range(9):
        world.emit(world.acme, "faulty", do="os_exit", n=n)
    worker = world.worker()
    wait_until(lambda: any(lane.open_since for lane in world.lanes()), what="the breaker to open")
    rows = world.deliveries(world.acme, plugin="faulty")
    assert sum(row.attempts for row in rows) == THRESHOLD
    assert [(row.state, row.held_since is not None) for row in rows if not row.attempts] == [("due", True)] * 4
    assert worker.process.poll() is None


def test_a_handler_that_keeps_killing_its_process_does_not_take_those_with_it_that_know_the_others(
    world: World,
) -> None:
    worker = world.worker()
    working = wait_until(lambda: worker.children() if len(worker.children()) == 6 else [], what="the children")[:2]
    for times in range(1, THRESHOLD + 1):
        world.emit(world.acme, do="os_exit")
        wait_until(lambda: len(world.notes("begin")) == times)  # noqa: B023  # called before the next round
    wait_until(lambda: any(lane.open_since for lane in world.lanes()), what="the breaker to open")
    died = [note["pid"] for note in world.notes("begin")]
    assert len(set(died) & set(working)) <= 1, "whom its first event struck; nobody knew it then"
