"""Deliveries as they stand in the table, in every state."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from plugin_framework import configuration, lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.models import Delivery, DeliveryAttempt
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope


def kept_delivery(tenant: TenantRef, **values: Any) -> Delivery:
    """One that waits, or with other `values`."""
    with tenant_scope(tenant):
        return Delivery.objects.create(
            **{
                "event_id": uuid.uuid4(),
                "idempotency_key": uuid.uuid4(),
                "hook": "alarm",
                "plugin": "pager",
                "handler": "on_alarm",
                "payload": [{"secret": "what happened"}],
                **values,
            }
        )


def dead_delivery(tenant: TenantRef) -> Delivery:
    """One that was given up after two attempts."""
    at = timezone.now() - timedelta(hours=1)
    row = kept_delivery(
        tenant,
        state="dead",
        attempts=2,
        last_error="The gateway answered 410 Gone.",
        response_status=410,
        started_at=at,
        finished_at=at,
        duration_ms=840,
    )
    with tenant_scope(tenant):
        for number, error in enumerate(["It refused the connection.", "The gateway answered 410 Gone."], 1):
            DeliveryAttempt.objects.create(
                delivery=row, number=number, started_at=at, duration_ms=420, outcome="failed", error=error
            )
    return row


def let_run(tenant: TenantRef) -> None:
    """Have the pager running."""
    with tenant_scope(tenant):
        configuration.configure("pager", SYSTEM, {"gateway": "gate.example"})
        lifecycle.enable("pager", SYSTEM)


def wakes(tenant: TenantRef) -> list[tuple[str, int]]:
    """The plugins and deliveries for which a worker is woken."""
    with public_scope(), connection.cursor() as cursor:
        cursor.execute("SELECT plugin, delivery_id FROM public.delivery_wake WHERE tenant_schema = %s", [tenant.schema])
        return cursor.fetchall()
