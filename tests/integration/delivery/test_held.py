"""What holds deliveries back lets go of them as soon as it is changed: nobody waits for their next turn."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from django.db.models.functions import Now

from plugin_framework import configuration, lifecycle
from plugin_framework.activation import BoundHandler
from plugin_framework.audit import SYSTEM
from plugin_framework.delivery import folding, lanes, rows, rows_held
from plugin_framework.delivery.emit import emit_event
from plugin_framework.delivery.models import Wake
from plugin_framework.models import Delivery
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope

MAIL, SLACK = "email_notifications", "slack_notifications"


@pytest.fixture
def acme(committed_db: str, tenants: Any) -> TenantRef:
    """A tenant with a delivery that is held, for each of two plugins."""
    ref: TenantRef = tenants.acme
    with tenant_scope(ref):
        emit_event("order", (1,), [BoundHandler(name, "on_order", "order", print, False) for name in (MAIL, SLACK)])
    with public_scope():
        folding.fold()
        for _ in (MAIL, SLACK):
            lane = lanes.claim("me", 60)
            assert lane is not None
            assert rows_held.hold(lane.schema, lane.plugin, lane.fence, "It needs setup.") == 1
            lanes.release(lane, rows.next_due(lane.schema, lane.plugin))
    return ref


def _due(tenant: TenantRef) -> list[str]:
    with tenant_scope(tenant):
        return list(Delivery.objects.filter(state="due", next_at__lte=Now()).values_list("plugin", flat=True))


def _wakes() -> list[str]:
    with public_scope():
        return list(Wake.objects.values_list("plugin", flat=True))


def test_enabling_a_plugin_lets_go_of_what_was_held_for_it_alone(acme: TenantRef) -> None:
    with tenant_scope(acme):
        lifecycle.enable(MAIL, SYSTEM)
    assert _due(acme) == [MAIL]
    assert _wakes() == [MAIL]


def test_saving_its_settings_does_too(acme: TenantRef) -> None:
    with tenant_scope(acme):
        configuration.configure(MAIL, SYSTEM, {"smtp_host": "mail.example", "sender": "a@acme.example"})
    assert _due(acme) == [MAIL]
    assert _wakes() == [MAIL]


def test_a_change_that_is_rolled_back_lets_go_of_nothing(acme: TenantRef) -> None:
    with tenant_scope(acme), transaction.atomic():
        lifecycle.enable(MAIL, SYSTEM)
        transaction.set_rollback(True)
    assert _due(acme) == []
    assert _wakes() == []
