"""Emitting: all of an event is in the business transaction, nothing waits for anybody, and the notification comes after the commit."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any
from uuid import uuid5

import psycopg
import pytest
from django.db import connection, transaction

from plugin_framework.activation import BoundHandler
from plugin_framework.delivery.emit import CHANNEL, emit_event
from plugin_framework.delivery.models import Wake
from plugin_framework.models import AuditEntry, Delivery
from plugin_framework.sdk import NoTenant
from plugin_framework.tenancy import TenantRef, bound, public_scope, tenant_scope

HANDLERS = [
    BoundHandler("mail", "on_order", "order", print, False),
    BoundHandler("mail", "count_order", "order", print, False),
    BoundHandler("chat", "on_order", "order", print, False),
]


@pytest.fixture
def acme(committed_db: str, tenants: Any) -> Iterator[TenantRef]:
    with tenant_scope(tenants.acme):
        yield tenants.acme


def _wakes() -> list[tuple[str, str, int]]:
    with public_scope():
        return list(Wake.objects.order_by("id").values_list("tenant_schema", "plugin", "delivery_id"))


def test_an_event_is_a_delivery_per_handler_and_a_wake_up_per_plugin(acme: TenantRef) -> None:
    event_id = emit_event("order", ({"total": 3},), HANDLERS)
    rows = list(Delivery.objects.order_by("id"))
    assert [(row.plugin, row.handler, row.state, row.payload) for row in rows] == [
        ("mail", "on_order", "due", [{"total": 3}]),
        ("mail", "count_order", "due", [{"total": 3}]),
        ("chat", "on_order", "due", [{"total": 3}]),
    ]
    assert {row.event_id for row in rows} == {event_id}
    assert [row.idempotency_key for row in rows] == [uuid5(event_id, f"{row.plugin}:{row.handler}") for row in rows]
    assert _wakes() == [(acme.schema, "mail", rows[1].id), (acme.schema, "chat", rows[2].id)]


def test_a_transaction_rolled_back_leaves_no_delivery_and_no_wake_up(acme: TenantRef) -> None:
    with transaction.atomic():
        AuditEntry.objects.create(actor="test", action="order")
        emit_event("order", (1,), HANDLERS)
        transaction.set_rollback(True)
    assert Delivery.objects.count() == AuditEntry.objects.filter(action="order").count() == 0
    assert _wakes() == []


def test_a_savepoint_rolled_back_takes_its_event_along_and_no_other(acme: TenantRef) -> None:
    with transaction.atomic():
        emit_event("order", (1,), HANDLERS[:1])
        with transaction.atomic():
            emit_event("order", (2,), HANDLERS[:1])
            transaction.set_rollback(True)
    assert [row.payload for row in Delivery.objects.all()] == [[1]]
    assert len(_wakes()) == 1


def test_an_event_without_handlers_writes_nothing(acme: TenantRef) -> None:
    emit_event("order", (1,), [])
    assert Delivery.objects.count() == 0
    assert _wakes() == []


def test_an_argument_that_cannot_be_kept_leaves_the_transaction_usable(acme: TenantRef) -> None:
    with transaction.atomic():
        with pytest.raises(TypeError, match="argument 1 is a set"):
            emit_event("order", ({1},), HANDLERS)
        AuditEntry.objects.create(actor="test", action="order")
    assert AuditEntry.objects.filter(action="order").count() == 1
    assert Delivery.objects.count() == 0


def test_outside_of_a_tenant_nothing_is_emitted(committed_db: str, tenants: Any) -> None:
    with pytest.raises(NoTenant):
        emit_event("order", (1,), HANDLERS)
    with public_scope(), pytest.raises(NoTenant):
        emit_event("order", (1,), HANDLERS)


def test_the_notification_goes_out_after_the_commit_in_a_statement_of_its_own(
    acme: TenantRef, committed_db: str
) -> None:
    sent: list[tuple[str, bool]] = []

    def watch(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        sent.append((sql.split()[0], connection.in_atomic_block))
        return execute(sql, params, many, context)

    with (
        psycopg.connect(committed_db, autocommit=True) as listener,
        psycopg.connect(committed_db, autocommit=True) as other,
    ):
        listener.execute(f"LISTEN {CHANNEL}")
        with connection.execute_wrapper(watch), transaction.atomic():
            emit_event("order", (1,), HANDLERS)
            emit_event("order", (2,), HANDLERS)
            other.execute(f"NOTIFY {CHANNEL}, 'while it was open'")
        heard = [each.payload for each in listener.notifies(timeout=30, stop_after=2)]
    assert heard == ["while it was open", ""]
    assert [each for each in sent if each[0] == "NOTIFY"] == [("NOTIFY", False)], "once, and outside of the transaction"


def test_a_rolled_back_event_notifies_nobody(acme: TenantRef, committed_db: str) -> None:
    with (
        psycopg.connect(committed_db, autocommit=True) as listener,
        psycopg.connect(committed_db, autocommit=True) as other,
    ):
        listener.execute(f"LISTEN {CHANNEL}")
        with transaction.atomic():
            emit_event("order", (1,), HANDLERS)
            transaction.set_rollback(True)
        other.execute(f"NOTIFY {CHANNEL}, 'the end'")
        assert [each.payload for each in listener.notifies(timeout=30, stop_after=1)] == ["the end"]


def test_emitters_of_one_tenant_and_plugin_never_wait_for_each_other(acme: TenantRef) -> None:
    met: list[object] = []

    def emit_beside() -> None:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET lock_timeout = '5s'")
            emit_event("order", ("beside",), HANDLERS)
            met.append("done")
        except Exception as error:
            met.append(error)
        finally:
            connection.close()

    with transaction.atomic():
        emit_event("order", ("open",), HANDLERS)
        beside = threading.Thread(target=bound(emit_beside))
        beside.start()
        beside.join(timeout=60)
        assert met == ["done"]
    assert Delivery.objects.count() == 6
    assert len(_wakes()) == 4
