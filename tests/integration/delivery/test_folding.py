"""Wake-ups become lanes that are due: in one statement, or on Citus with a look whether their deliveries can be seen yet."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from plugin_framework.delivery import folding, lanes
from plugin_framework.delivery.models import Lane, Wake
from plugin_framework.tenancy import TenantRef, public_scope
from tests.support.lanes import claimed, emitted, fold
from tests.support.queue import work_off


@pytest.fixture
def acme(committed_db: str, tenants: Any) -> Iterator[TenantRef]:
    with public_scope():
        yield tenants.acme


@pytest.fixture
def as_on_citus(settings: Any) -> None:
    settings.CITUS = True


@pytest.fixture(params=[False, True], ids=["one server", "as on Citus"])
def either_way(request: pytest.FixtureRequest, settings: Any) -> None:
    settings.CITUS = request.param


@pytest.mark.usefixtures("either_way")
def test_wake_ups_are_folded_into_one_lane_each(acme: TenantRef) -> None:
    for _ in range(3):
        emitted(acme, "mail", "chat")
    assert fold() == 6
    assert sorted(Lane.objects.values_list("plugin", flat=True)) == ["chat", "mail"]
    assert not Wake.objects.exists()
    assert fold() == 0


@pytest.mark.usefixtures("either_way")
def test_a_wake_up_makes_an_idle_lane_due(acme: TenantRef) -> None:
    emitted(acme)
    fold()
    assert lanes.release(claimed(), None)
    assert lanes.claim("me", 60) is None
    emitted(acme)
    fold()
    assert claimed().plugin == "mail"


@pytest.mark.usefixtures("either_way")
def test_a_fold_says_how_many_lanes_have_failed_the_last_time(acme: TenantRef) -> None:
    for _ in range(2):
        emitted(acme, "mail", "chat", "forms")
    assert folding.fold().suspects == 0
    Lane.objects.filter(plugin="mail").update(failures=1)
    Lane.objects.filter(plugin="chat").update(open_since=timezone.now())
    for _ in range(2):
        emitted(acme, "mail", "chat", "forms")
    assert folding.fold() == folding.Folded(looked_at=6, suspects=2)


@pytest.mark.usefixtures("either_way")
def test_a_wake_up_that_is_to_be_looked_at_later_is_left(acme: TenantRef) -> None:
    emitted(acme)
    Wake.objects.update(look_at=timezone.now() + timedelta(minutes=1))
    assert fold() == 0
    assert not Lane.objects.exists()


@pytest.mark.usefixtures("either_way")
def test_a_wake_up_that_another_is_about_to_fold_is_left_to_it(acme: TenantRef, committed_db: str) -> None:
    emitted(acme)
    emitted(acme, "chat")
    with psycopg.connect(committed_db) as other:
        other.execute("SELECT FROM public.delivery_wake WHERE plugin = 'mail' FOR UPDATE")
        assert fold() == 1
    assert [lane.plugin for lane in Lane.objects.all()] == ["chat"]
    assert fold() == 1


@pytest.mark.usefixtures("either_way")
def test_the_wake_up_of_a_tenant_that_is_gone_leaves_nothing(acme: TenantRef) -> None:
    Wake.objects.create(tenant_schema="t_gone", plugin="mail", delivery_id=1)
    work_off()
    assert not Wake.objects.exists()
    assert not Lane.objects.exists()


def test_on_one_server_no_tenant_is_asked_for_its_wake_up(acme: TenantRef) -> None:
    emitted(acme)
    with CaptureQueriesContext(connection) as asked:
        assert fold() == 1
    assert [each["sql"] for each in asked] == []


@pytest.mark.usefixtures("as_on_citus")
def test_a_wake_up_is_kept_until_its_delivery_can_be_seen(acme: TenantRef, committed_db: str) -> None:
    with psycopg.connect(committed_db) as slow:  # as on Citus, where the coordinator's part becomes visible first
        row = slow.execute(
            f"""INSERT INTO "{acme.schema}".plugin_framework_delivery
                (event_id, hook, plugin, handler, payload, idempotency_key, state, attempts, fence, last_error)
                VALUES (gen_random_uuid(), 'order', 'mail', 'on_order', '[]', gen_random_uuid(), 'due', 0, 0, '') RETURNING id"""
        ).fetchone()
        assert row is not None
        Wake.objects.create(tenant_schema=acme.schema, plugin="mail", delivery_id=row[0])
        assert fold() == 1
        assert Wake.objects.count() == 1
        assert not Lane.objects.exists()
        slow.commit()
    Wake.objects.update(look_at=timezone.now())
    assert fold() == 1
    assert not Wake.objects.exists()
    assert Lane.objects.get().next_at is not None


@pytest.mark.usefixtures("as_on_citus")
def test_a_wake_up_whose_delivery_never_comes_is_dropped_after_a_week_and_not_before(acme: TenantRef) -> None:
    Wake.objects.create(tenant_schema=acme.schema, plugin="mail", delivery_id=999)
    for days, left in ((6, 1), (8, 0)):
        Wake.objects.update(look_at=timezone.now(), written_at=timezone.now() - timedelta(days=days))
        fold()
        assert Wake.objects.count() == left


@pytest.mark.usefixtures("as_on_citus")
@pytest.mark.parametrize(("waited", "wait"), [(0, 0.1), (20, 20), (3600, 60)])
def test_a_wake_up_that_cannot_be_seen_is_looked_at_again_after_as_long_as_it_has_waited(
    acme: TenantRef, waited: float, wait: float
) -> None:
    Wake.objects.create(tenant_schema=acme.schema, plugin="mail", delivery_id=999)
    Wake.objects.update(written_at=timezone.now() - timedelta(seconds=waited))
    before = timezone.now()
    fold()
    again = Wake.objects.get().look_at
    assert before + timedelta(seconds=wait) <= again <= timezone.now() + timedelta(seconds=wait + 5)


@pytest.mark.usefixtures("as_on_citus")
def test_a_tenant_whose_tables_are_missing_keeps_its_wake_ups_and_nobody_else_waits(
    acme: TenantRef, tenants: Any
) -> None:
    emitted(acme)
    emitted(tenants.globex)
    with connection.cursor() as cursor:
        cursor.execute(f'ALTER TABLE "{acme.schema}".plugin_framework_delivery RENAME TO away')
    assert fold() == 2
    assert Lane.objects.get().tenant_schema == tenants.globex.schema
    with connection.cursor() as cursor:
        cursor.execute(f'ALTER TABLE "{acme.schema}".away RENAME TO plugin_framework_delivery')
    Wake.objects.update(look_at=timezone.now())
    assert fold() == 1
    assert Lane.objects.count() == 2
