"""A child with a large backlog in hand lets those get on who have little to do."""

from __future__ import annotations

import time
from typing import Any

import pytest
from django.db import transaction

from plugin_framework.activation import BoundHandler
from plugin_framework.delivery import folding, house, lanes
from plugin_framework.delivery.emit import emit_event
from plugin_framework.delivery.lane_run import run_lane
from plugin_framework.delivery.options import Options
from plugin_framework.delivery.slots import allocate
from plugin_framework.models import Delivery
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope

OPTIONS = Options(few=3, few_lately=60, give_way_every=2, slice_seconds=60)


@pytest.fixture
def acme(committed_db: str, tenants: Any, monkeypatch: pytest.MonkeyPatch) -> TenantRef:
    """With a handler of the platform's own that does nothing."""
    monkeypatch.setattr(house, "_handlers", dict(house._handlers))
    house.register("nothing", lambda: None)
    acme: TenantRef = tenants.acme
    return acme


def run(tenant: TenantRef, events: int, *, few_ago: float | None) -> list[int]:
    """Deliver so many events to one handler; at each rest, how many were marked as delivered.

    Args:
        few_ago: seconds since another child has taken up the work of somebody for whom few waited.
    """
    handler = BoundHandler(house.HOUSE, "nothing", "happened", print, False)
    with tenant_scope(tenant), transaction.atomic():
        for _ in range(events):
            emit_event("happened", (), [handler])
    mine, other = allocate(2)
    other.take_lane("t_other", "mail", 1, 0.0, 0.0)
    if few_ago is not None:
        other.has_few(time.monotonic() - few_ago)
    seen: list[int] = []

    def rest(seconds: float) -> None:
        with tenant_scope(tenant):
            seen.append(Delivery.objects.filter(state="done").count())

    with public_scope():
        folding.fold()
        lane = lanes.claim("tests", 600)
        assert lane is not None
        until = time.monotonic() + 600
        mine.take_lane(lane.schema, lane.plugin, lane.fence, until, until)
        run_lane(lane, mine, OPTIONS, lambda: False, rest)
    with tenant_scope(tenant):
        assert set(Delivery.objects.values_list("state", flat=True)) == {"done"}
    return seen


def test_it_rests_now_and_then_with_nothing_left_unmarked(acme: TenantRef) -> None:
    assert run(acme, 7, few_ago=1) == [1, 3, 5]


def test_it_does_not_where_nobody_had_little_to_do_lately(acme: TenantRef) -> None:
    assert run(acme, 7, few_ago=None) == []
    assert run(acme, 7, few_ago=100) == []


def test_it_does_not_where_it_has_little_to_do_itself(acme: TenantRef) -> None:
    assert run(acme, 3, few_ago=1) == []
