"""The pages that tell what became of a plugin's events."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from plugin_framework import configuration, lifecycle
from plugin_framework.audit import SYSTEM, person
from plugin_framework.delivery.redeliver import redeliver
from plugin_framework.models import AuditEntry, Delivery, DeliveryAttempt
from plugin_framework.sdk import NotAllowed
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from tests.conftest import Tenants

pytestmark = pytest.mark.usefixtures("plugins")
LIST = "/settings/plugins/pager/deliveries/"


def _deliver(tenant: TenantRef, **values: Any) -> Delivery:
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


def _dead(tenant: TenantRef) -> Delivery:
    at = timezone.now() - timedelta(hours=1)
    row = _deliver(
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


def _run(tenant: TenantRef) -> None:
    """Have the pager running."""
    with tenant_scope(tenant):
        configuration.configure("pager", SYSTEM, {"gateway": "gate.example"})
        lifecycle.enable("pager", SYSTEM)


def _wakes(tenant: TenantRef) -> list[tuple[str, int]]:
    with public_scope(), connection.cursor() as cursor:
        cursor.execute("SELECT plugin, delivery_id FROM public.delivery_wake WHERE tenant_schema = %s", [tenant.schema])
        return cursor.fetchall()


def test_the_list_shows_state_attempts_and_error_in_plain_words(admin: Client, tenants: Tenants) -> None:
    _dead(tenants.acme)
    text = admin.get(LIST).content.decode()
    assert "The gateway answered 410 Gone." in text
    assert "Given up" in text


def test_a_waiting_delivery_says_when_it_is_tried_next(admin: Client, tenants: Tenants) -> None:
    row = _deliver(tenants.acme, attempts=1, last_error="Refused.", next_at=timezone.now() + timedelta(hours=2))
    for page in (LIST, f"{LIST}{row.pk}/"):
        answer = admin.get(page)
        assert str(row.next_at.year) in answer.content.decode() or "hour" in answer.content.decode()


def test_the_list_is_filtered_by_state_and_counts_each(admin: Client, tenants: Tenants) -> None:
    dead, due = _dead(tenants.acme), _deliver(tenants.acme)
    answer = admin.get(f"{LIST}?state=dead")
    assert [row.pk for row in answer.context["deliveries"]] == [dead.pk]
    assert {pill.value: pill.count for pill in answer.context["filters"]} == {
        "": 2,
        "waiting": 1,
        "retrying": 0,
        "held": 0,
        "done": 0,
        "dead": 1,
        "cancelled": 0,
    }
    assert [row.pk for row in admin.get(LIST).context["deliveries"]] == [due.pk, dead.pk]


def test_a_long_list_has_pages(admin: Client, tenants: Tenants) -> None:
    for _ in range(51):
        _deliver(tenants.acme)
    assert len(admin.get(LIST).context["deliveries"]) == 50
    first = admin.get(LIST)
    second = admin.get(first.context["older_url"])
    assert len(second.context["deliveries"]) == 1
    assert second.context["older_url"] == ""
    assert list(admin.get(second.context["newer_url"]).context["deliveries"]) == list(first.context["deliveries"])


def test_a_delivery_shows_its_attempts_and_never_its_payload(admin: Client, tenants: Tenants) -> None:
    row = _dead(tenants.acme)
    text = admin.get(f"{LIST}{row.pk}/").content.decode()
    assert "It refused the connection." in text
    assert "The gateway answered 410 Gone." in text
    assert "what happened" not in text


def test_another_organisations_delivery_is_404(admin: Client, tenants: Tenants) -> None:
    rows = [_dead(tenants.globex) for _ in range(3)]
    assert all(admin.get(f"{LIST}{row.pk}/").status_code == 404 for row in rows)
    assert admin.post(f"{LIST}{rows[0].pk}/redeliver/").status_code == 404


def test_delivering_again_makes_it_due_keeps_its_attempts_and_wakes_a_worker(admin: Client, tenants: Tenants) -> None:
    _run(tenants.acme)
    row = _dead(tenants.acme)
    answer = admin.post(f"{LIST}{row.pk}/redeliver/")
    assert answer["Location"] == f"{LIST}{row.pk}/"
    with tenant_scope(tenants.acme):
        fresh = Delivery.objects.get(pk=row.pk)
        assert (fresh.state, fresh.attempts, fresh.idempotency_key) == ("due", 2, row.idempotency_key)
        assert fresh.next_at <= timezone.now()
        assert fresh.attempt_rows.count() == 2
        entry = AuditEntry.objects.get(action="delivery.redelivered")
    assert (entry.actor, entry.target, entry.detail["delivery"]) == ("admin@acme.example", "pager", row.pk)
    assert ("pager", row.pk) in _wakes(tenants.acme)


def test_a_delivery_that_is_waiting_can_be_tried_at_once(admin: Client, tenants: Tenants) -> None:
    _run(tenants.acme)
    row = _deliver(tenants.acme, next_at=timezone.now() + timedelta(hours=9), held_since=timezone.now())
    admin.post(f"{LIST}{row.pk}/redeliver/")
    with tenant_scope(tenants.acme):
        fresh = Delivery.objects.get(pk=row.pk)
    assert fresh.next_at <= timezone.now()
    assert fresh.held_since is None


def test_what_is_being_delivered_is_left_alone(admin: Client, tenants: Tenants) -> None:
    _run(tenants.acme)
    row = _deliver(tenants.acme, started_at=timezone.now(), next_at=timezone.now() - timedelta(minutes=1))
    answer = admin.post(f"{LIST}{row.pk}/redeliver/", follow=True)
    assert "being delivered right now" in answer.content.decode()
    assert _wakes(tenants.acme) == []


def test_nothing_is_delivered_to_a_plugin_that_does_not_run(admin: Client, tenants: Tenants) -> None:
    row = _dead(tenants.acme)
    assert "does not run here" in admin.post(f"{LIST}{row.pk}/redeliver/", follow=True).content.decode()
    with tenant_scope(tenants.acme):
        assert Delivery.objects.get().state == "dead"
        with pytest.raises(NotAllowed, match="Not enabled"):
            redeliver(row.pk, person("somebody@acme.example"))
