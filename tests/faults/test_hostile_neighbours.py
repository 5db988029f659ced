"""Tenants beside five hostile ones: a receiver that hangs, a handler that sleeps, one that eats memory, one that exits, a backlog."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable

from django.db import connection, transaction

from plugin_framework.audit import SYSTEM
from plugin_framework.catalog.revisions import bump_tenant
from plugin_framework.delivery.breaker import THRESHOLD
from plugin_framework.models import Delivery, PluginState
from plugin_framework.tenancy import TenantRef, tenant_scope
from saas.testing.waiting import wait_until
from tenants.provisioning import create_tenant
from tests.faults.world import World

TENANTS = int(os.environ.get("NEIGHBOURS_TENANTS", "10"))
BACKLOG = int(os.environ.get("NEIGHBOURS_BACKLOG", "500"))
EACH = int(os.environ.get("NEIGHBOURS_EVENTS", "5"))  # for each tenant that is not hostile
HARMS = ("hang", "nap", "memory", "os_exit")
HARMFUL = THRESHOLD  # events with which each does harm: as many as its breaker lets through
_MORE = """
INSERT INTO plugin_framework_delivery (event_id, hook, plugin, handler, payload, idempotency_key, state, attempts, fence, last_error)
SELECT gen_random_uuid(), hook, plugin, handler, payload, gen_random_uuid(), state, attempts, fence, last_error
FROM (SELECT * FROM plugin_framework_delivery ORDER BY id DESC LIMIT 1) AS one, generate_series(2, %s)
"""


def test_nobody_loses_anything_beside_hostile_tenants_and_the_others_are_served(
    world: World, counted: Callable[[str, int], None]
) -> None:
    more = [create_tenant(f"firm{number}", f"Firm {number}", SYSTEM) for number in range(TENANTS - len(world.tenants))]
    for tenant in more:
        _enable(tenant)
    everyone = [*world.tenants, *more]
    hostile, hoarder, peaceful = everyone[: len(HARMS)], everyone[len(HARMS)], everyone[len(HARMS) + 1 :]
    for tenant, harm in zip(hostile, HARMS, strict=True):
        for _ in range(HARMFUL):
            world.emit(tenant, "faulty", do=harm, seconds=600)
    _hoard(world, hoarder)
    for number in range(EACH):
        for tenant in peaceful:
            world.emit(tenant, "steady", n=number)

    worker = world.worker("--soft-limit", "1", "--hard-limit", "2", "--memory", str(256 << 20), LOG_LEVEL="ERROR")
    wait_until(lambda: all(_states(world, tenant) == {"done": EACH} for tenant in peaceful), seconds=300)
    wait_until(lambda: _states(world, hoarder) == {"done": BACKLOG}, seconds=600)
    wait_until(lambda: all(_paused(world, tenant) for tenant in hostile), seconds=120, what="the breakers to open")

    for tenant in hostile:
        assert _states(world, tenant) == {"due": HARMFUL}, "kept, for later"
        assert _tries(world, tenant) == THRESHOLD, "and not more often than a breaker lets them"
    assert set(world.calls("end").values()) == {1}, "nobody else was called twice"
    assert len(world.calls("end")) == EACH * len(peaceful) + BACKLOG
    assert worker.process.poll() is None, worker.text
    counted("tenants", TENANTS)
    counted("deliveries of the peaceful, each once", EACH * len(peaceful))
    counted("deliveries of the backlog, each once", BACKLOG)
    counted("attempts that hung, slept, ate memory or ended the process", THRESHOLD * len(HARMS))


def _enable(tenant: TenantRef) -> None:
    with tenant_scope(tenant), transaction.atomic():
        for plugin in ("faulty", "steady"):
            PluginState.objects.create(plugin=plugin, enabled=True, version="1.0.0")
        bump_tenant()


def _hoard(world: World, tenant: TenantRef) -> None:
    world.emit(tenant, "steady", n=0)
    with tenant_scope(tenant), connection.cursor() as cursor:
        cursor.execute(_MORE, [BACKLOG])


def _states(world: World, tenant: TenantRef) -> dict[str, int]:
    return dict(Counter(row.state for row in _deliveries(world, tenant)))


def _tries(world: World, tenant: TenantRef) -> int:
    return sum(len(world.attempts(tenant, row.pk)) for row in _deliveries(world, tenant))


def _deliveries(world: World, tenant: TenantRef) -> list[Delivery]:
    return world.deliveries(
        tenant, plugin__in=("faulty", "steady")
    )  # and not the platform's own, which tells of a breaker


def _paused(world: World, tenant: TenantRef) -> bool:
    return any(lane.open_since for lane in world.lanes() if lane.tenant_schema == tenant.schema)
