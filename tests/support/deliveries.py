"""Deliveries as they stand in the table, made without a worker."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.utils import timezone

from plugin_framework.models import Delivery, DeliveryAttempt
from plugin_framework.tenancy import TenantRef, tenant_scope

SECOND = timedelta(seconds=1)


def a_delivery(state: str, **values: Any) -> Delivery:
    """One that is not saved: in a state of the table, or `running`, `retrying` or `held`."""
    now = timezone.now()
    ended = {"attempts": 1, "started_at": now - 2 * SECOND, "finished_at": now - SECOND, "duration_ms": 12}
    as_it_is: dict[str, dict[str, Any]] = {
        "running": {"attempts": 1, "started_at": now},
        "retrying": {**ended, "next_at": now + timedelta(hours=2), "last_error": "It refused."},
        "held": {"held_since": now, "next_at": now + timedelta(minutes=5), "last_error": "It needs setup."},
        "dead": {**ended, "attempts": 10, "last_error": "Given up after 10 attempts. The last one: It refused."},
        "done": {**ended, "response_status": 200},
        "cancelled": {"finished_at": now, "last_error": "The plugin was disabled."},
    }
    return Delivery(
        **{
            "event_id": uuid.uuid4(),
            "idempotency_key": uuid.uuid4(),
            "hook": "alarm",
            "plugin": "pager",
            "handler": "on_alarm",
            "payload": [{"what": "fire"}],
            "state": "due" if state in ("running", "waiting", "retrying", "held") else state,
            **as_it_is.get(state, {}),
            **values,
        }
    )


def deliveries(tenant: TenantRef, *states: str, **values: Any) -> list[Delivery]:
    """Save one for each state, in this order."""
    with tenant_scope(tenant):
        return Delivery.objects.bulk_create(a_delivery(state, **values) for state in states)


def attempts(tenant: TenantRef, rows: list[Delivery]) -> None:
    """As many rows of attempts as these deliveries had."""
    with tenant_scope(tenant):
        DeliveryAttempt.objects.bulk_create(
            DeliveryAttempt(
                delivery=row, number=number, started_at=timezone.now(), outcome="failed", error="It refused."
            )
            for row in rows
            for number in range(1, row.attempts + 1)
        )
