"""What ended long ago goes, with its attempts; everything else stays."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest
from django.utils import timezone
from pytest_django import Settings

from plugin_framework.delivery import retention
from plugin_framework.delivery.retention import sweep
from plugin_framework.models import Delivery, DeliveryAttempt
from plugin_framework.sdk import NoTenant
from plugin_framework.tenancy import TenantRef, tenant_scope
from tests.conftest import Tenants
from tests.support.deliveries import attempts, deliveries


def _ended(tenant: TenantRef, state: str, days: float, count: int = 1) -> list[int]:
    at = timezone.now() - timedelta(days=days)
    rows = deliveries(tenant, *[state] * count, created_at=at, started_at=at, finished_at=at)
    attempts(tenant, rows)
    return [row.pk for row in rows]


def _left(tenant: TenantRef) -> set[int]:
    with tenant_scope(tenant):
        return set(Delivery.objects.values_list("pk", flat=True))


def _sweep(tenant: TenantRef, limit: int = 1000) -> int:
    with tenant_scope(tenant):
        return sweep(limit)


@pytest.mark.parametrize(("state", "days"), [("done", 30), ("cancelled", 30), ("dead", 90)])
def test_each_state_is_kept_as_long_as_is_said_and_no_longer(tenants: Tenants, state: str, days: int) -> None:
    (old,), (young,) = _ended(tenants.acme, state, days + 0.01), _ended(tenants.acme, state, days - 0.01)
    assert _sweep(tenants.acme) == 1
    assert _left(tenants.acme) == {young}
    with tenant_scope(tenants.acme):
        assert set(DeliveryAttempt.objects.values_list("delivery_id", flat=True)) <= {young}
    assert old != young


@pytest.mark.parametrize("state", ["waiting", "running", "retrying", "held"])
def test_what_is_still_to_be_delivered_is_never_touched(tenants: Tenants, state: str) -> None:
    rows = deliveries(tenants.acme, state, created_at=timezone.now() - timedelta(days=4000))
    with tenant_scope(tenants.acme):
        Delivery.objects.filter(finished_at__isnull=False).update(finished_at=timezone.now() - timedelta(days=4000))
    assert _sweep(tenants.acme) == 0
    assert _left(tenants.acme) == {rows[0].pk}


def test_it_counts_from_the_end_and_not_from_the_event(tenants: Tenants) -> None:
    rows = deliveries(tenants.acme, "done", created_at=timezone.now() - timedelta(days=33))
    assert _sweep(tenants.acme) == 0
    assert _left(tenants.acme) == {rows[0].pk}


def test_the_periods_can_be_set(tenants: Tenants, settings: Settings) -> None:
    settings.DELIVERIES_KEEP_DAYS, settings.DEAD_DELIVERIES_KEEP_DAYS = 2, 1
    _ended(tenants.acme, "done", 3)
    _ended(tenants.acme, "dead", 1.5)
    kept = _ended(tenants.acme, "done", 1.5)
    assert _sweep(tenants.acme) == 2
    assert _left(tenants.acme) == set(kept)


def test_no_more_than_the_limit_goes_oldest_first_in_batches(tenants: Tenants, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 4)
    pks = _ended(tenants.acme, "done", 31, count=12)
    assert _sweep(tenants.acme, limit=10) == 10
    assert _left(tenants.acme) == set(pks[10:])
    assert _sweep(tenants.acme, limit=10) == 2
    assert _sweep(tenants.acme, limit=10) == 0


def test_other_organisations_keep_theirs(tenants: Tenants) -> None:
    _ended(tenants.acme, "done", 31)
    kept = _ended(tenants.globex, "done", 31)
    assert _sweep(tenants.acme) == 1
    assert _left(tenants.globex) == set(kept)


def test_outside_of_a_tenant_nothing_is_deleted(tenants: Tenants) -> None:
    with pytest.raises(NoTenant):
        sweep(10)


def test_one_that_is_just_being_delivered_again_is_neither_waited_for_nor_deleted(
    committed_db: str, tenants: Tenants
) -> None:
    locked, free = _ended(tenants.acme, "dead", 91, count=2)
    with psycopg.connect(committed_db) as other:
        table = f'"{tenants.acme.schema}".plugin_framework_delivery'
        other.execute(f"SELECT 1 FROM {table} WHERE id = %s FOR UPDATE", [locked])  # type: ignore[arg-type]  # psycopg wants literals
        assert _sweep(tenants.acme) == 1
        assert _left(tenants.acme) == {locked}
    assert free != locked
