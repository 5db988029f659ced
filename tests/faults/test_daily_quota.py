"""The daily limit of deliveries with real workers: exact, however many work at once, and whatever kills one of them."""

from __future__ import annotations

import signal
from functools import partial

from django.db import transaction
from django.db.models.functions import Now

from plugin_framework import quotas
from plugin_framework.catalog import plans
from plugin_framework.delivery import lanes
from plugin_framework.models import Delivery
from plugin_framework.quotas import Kind
from plugin_framework.tenancy import public_scope, tenant_scope
from saas.testing.waiting import wait_until
from tests.faults.world import World
from tests.support.clock import DAY, pass_time
from tests.support.plans import limit

LIMIT, EVENTS = 5, 12
PLUGINS = ("faulty", "steady")
patiently = partial(wait_until, seconds=120.0)


def _emit(world: World) -> None:
    """Twelve deliveries, in two lanes, which two workers take at the same time."""
    limit(world.acme, *PLUGINS, deliveries=LIMIT)
    for number in range(EVENTS // 2):
        world.emit(world.acme, *PLUGINS, n=number)
        world.emit(world.globex, "steady", n=number)


def _begun(world: World) -> int:
    return len({note["key"] for note in world.notes("begin") if note["tenant"] == "acme"})


def _held(world: World) -> int:
    return sum(row.standing.value == "held" for row in world.deliveries(world.acme, state="due"))


def _wait_for_the_limit(world: World) -> None:
    patiently(lambda: len(world.deliveries(world.acme, state="done", plugin__in=PLUGINS)) == LIMIT, what="the limit")
    patiently(lambda: _held(world) == EVENTS - LIMIT, what="the others to be held")
    patiently(lambda: len(world.deliveries(world.globex, state="done")) == EVENTS // 2, what="the neighbour's")
    assert _begun(world) == LIMIT
    assert _used(world) == LIMIT


def test_two_workers_make_as_many_as_the_plan_allows_and_the_others_later(world: World) -> None:
    _emit(world)
    workers = [world.worker(), world.worker()]
    _wait_for_the_limit(world)
    pass_time(world.acme, DAY)
    patiently(lambda: _begun(world) == 2 * LIMIT, what="the next day's")
    patiently(lambda: _held(world) == EVENTS - 2 * LIMIT, what="the others to be held")
    with tenant_scope(world.acme), transaction.atomic():
        plans.assign("")
    patiently(lambda: not world.deliveries(world.acme, state="due"), what="all to arrive")
    for worker in workers:
        assert worker.stop() == 0
    assert set(world.calls().values()) == {1}
    for plugin in PLUGINS:
        numbers = [note["n"] for note in world.notes("begin") if note["plugin"] == plugin and note["tenant"] == "acme"]
        assert numbers == list(range(EVENTS // 2)), "in the order of the events"


def test_workers_killed_in_the_middle_neither_lose_nor_win_a_delivery(world: World) -> None:
    _emit(world)
    killed = world.worker(failpoints="before_send:kill,after_answer:kill@1,after_mark:kill_worker@2")
    assert killed.process.wait(timeout=60) == -signal.SIGKILL
    assert _used(world) <= LIMIT
    world.worker()
    patiently(lambda: _held(world) == EVENTS - LIMIT, what="the others to be held")
    patiently(lambda: _arrived(world) == LIMIT, what="what was begun to arrive")
    assert _begun(world) == _used(world) == LIMIT


def _used(world: World) -> int:
    with tenant_scope(world.acme):
        return quotas.usage(Kind.DELIVERIES).used


def _arrived(world: World) -> int:
    """How many, letting the waits of those that were cut short pass; the held ones stay where they are."""
    with tenant_scope(world.acme):
        hurried = Delivery.objects.filter(state="due", attempts__gt=0, next_at__gt=Now()).update(next_at=Now())
    if hurried:
        with public_scope():
            lanes.hurry(world.acme.schema)
    return len(world.deliveries(world.acme, state="done", plugin__in=PLUGINS))
