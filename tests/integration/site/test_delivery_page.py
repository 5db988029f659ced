"""The page of one delivery, and delivering it again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import JSONField, Value
from django.test import Client
from django.utils import timezone

from plugin_framework import masking
from plugin_framework.audit import Actor, person
from plugin_framework.delivery.redeliver import redeliver
from plugin_framework.models import AuditEntry, Delivery, DeliveryAttempt
from plugin_framework.sdk import NotAllowed
from plugin_framework.tenancy import tenant_scope
from tests.conftest import Tenants
from tests.support.delivery_rows import dead_delivery, kept_delivery, let_run, wakes

pytestmark = pytest.mark.usefixtures("plugins")
LIST = "/settings/plugins/pager/deliveries/"


def test_a_delivery_shows_its_attempts_and_never_its_payload(admin: Client, tenants: Tenants) -> None:
    row = dead_delivery(tenants.acme)
    text = admin.get(f"{LIST}{row.pk}/").content.decode()
    assert "It refused the connection." in text
    assert "The gateway answered 410 Gone." in text
    assert "what happened" not in text


def test_another_organisations_delivery_is_404(admin: Client, tenants: Tenants) -> None:
    rows = [dead_delivery(tenants.globex) for _ in range(3)]
    assert all(admin.get(f"{LIST}{row.pk}/").status_code == 404 for row in rows)
    assert admin.post(f"{LIST}{rows[0].pk}/redeliver/").status_code == 404


def test_delivering_again_makes_it_due_keeps_its_attempts_and_wakes_a_worker(admin: Client, tenants: Tenants) -> None:
    let_run(tenants.acme)
    row = dead_delivery(tenants.acme)
    answer = admin.post(f"{LIST}{row.pk}/redeliver/")
    assert answer["Location"] == f"{LIST}{row.pk}/"
    with tenant_scope(tenants.acme):
        fresh = Delivery.objects.get(pk=row.pk)
        assert (fresh.state, fresh.attempts, fresh.idempotency_key) == ("due", 2, row.idempotency_key)
        assert fresh.next_at <= timezone.now()
        assert fresh.attempt_rows.count() == 2
        entry = AuditEntry.objects.get(action="delivery.redelivered")
    assert (entry.actor, entry.target, entry.detail["delivery"]) == ("admin@acme.example", "pager", row.pk)
    assert ("pager", row.pk) in wakes(tenants.acme)


def test_a_delivery_that_is_waiting_can_be_tried_at_once(admin: Client, tenants: Tenants) -> None:
    let_run(tenants.acme)
    row = kept_delivery(tenants.acme, next_at=timezone.now() + timedelta(hours=9), held_since=timezone.now())
    admin.post(f"{LIST}{row.pk}/redeliver/")
    with tenant_scope(tenants.acme):
        fresh = Delivery.objects.get(pk=row.pk)
    assert fresh.next_at <= timezone.now()
    assert fresh.held_since is None


def test_what_is_being_delivered_is_left_alone(admin: Client, tenants: Tenants) -> None:
    let_run(tenants.acme)
    row = kept_delivery(tenants.acme, started_at=timezone.now(), next_at=timezone.now() - timedelta(minutes=1))
    answer = admin.post(f"{LIST}{row.pk}/redeliver/", follow=True)
    assert "being delivered right now" in answer.content.decode()
    assert wakes(tenants.acme) == []


def test_nothing_is_delivered_to_a_plugin_that_does_not_run(admin: Client, tenants: Tenants) -> None:
    row = dead_delivery(tenants.acme)
    assert "does not run here" in admin.post(f"{LIST}{row.pk}/redeliver/", follow=True).content.decode()
    with tenant_scope(tenants.acme):
        assert Delivery.objects.get().state == "dead"
        with pytest.raises(NotAllowed, match="Not enabled"):
            redeliver(row.pk, person("somebody@acme.example"))


ALL = "/settings/deliveries/"


def test_a_delivery_shows_what_it_carries_rows_as_references_and_secrets_hidden(
    admin: Client, tenants: Tenants
) -> None:
    let_run(tenants.acme)
    with tenant_scope(tenants.acme):
        masking.know(["open-sesame-42"])
    carried = {
        "who": {"$model": "accounts.User", "pk": 7},
        "total": {"$decimal": "12.50"},
        "note": "it said open-sesame-42 to the gate",
        "Api_Key": "planted-1",
        "nested": [{"x-auth-token": {"deep": "planted-2"}}, {"$tuple": [{"password2": "planted-3"}]}],
        "file": {"$bytes": "b3Blbi1zZXNhbWUtNDI="},
        "$$odd": "<script>alert(1)</script>",
    }
    row = kept_delivery(tenants.acme, payload=[carried])
    text = admin.get(f"{LIST}{row.pk}/").content.decode()
    assert "accounts.User 7" in text
    assert "12.50" in text
    assert "14 bytes" in text
    assert "&lt;script&gt;" in text
    assert "&quot;what&quot;" in text, "the argument has its name"
    for secret in ("open-sesame-42", "b3Blbi1zZXNhbWUtNDI", "planted-1", "planted-2", "planted-3", "<script>alert"):
        assert secret not in text
    assert str(row.idempotency_key) in text


@pytest.mark.parametrize("payload", [[], {}, None, 7, [[[]]], [{"$bytes": 3}], [{"$timedelta": None}], [{"$model": 1}]])
def test_a_payload_that_another_version_wrote_is_shown_as_well_as_can_be(
    admin: Client, tenants: Tenants, payload: Any
) -> None:
    row = kept_delivery(tenants.acme, payload=Value(payload, JSONField()))
    assert admin.get(f"{LIST}{row.pk}/").status_code == 200


def test_of_a_huge_payload_the_beginning_is_shown(admin: Client, tenants: Tenants) -> None:
    row = kept_delivery(tenants.acme, payload=["x" * 200_000])
    text = admin.get(f"{LIST}{row.pk}/").content.decode()
    assert len(text) < 60_000
    assert "there is more of it" in text


def test_an_attempt_shows_where_it_went_and_what_was_answered(admin: Client, tenants: Tenants) -> None:
    row = dead_delivery(tenants.acme)
    with tenant_scope(tenants.acme):
        row.attempt_rows.filter(number=2).update(
            method="POST", host="gate.example", answer="<b>no</b> such\nchannel", response_status=410
        )
    text = admin.get(f"{LIST}{row.pk}/").content.decode()
    for words in ("POST", "gate.example", "&lt;b&gt;no&lt;/b&gt; such\nchannel", "410", "420 ms"):
        assert words in text


def test_one_whose_time_is_up_between_two_looks_is_404(
    admin: Client, tenants: Tenants, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_run(tenants.acme)
    row = dead_delivery(tenants.acme)

    def swept(number: int, actor: Actor) -> None:
        DeliveryAttempt.objects.all().delete()
        Delivery.objects.all().delete()
        redeliver(number, actor)

    monkeypatch.setattr("saas.site.delivery_pages.redeliver", swept)
    assert admin.post(f"{LIST}{row.pk}/redeliver/").status_code == 404


def test_one_that_is_delivered_again_says_so_and_not_why_it_had_failed(admin: Client, tenants: Tenants) -> None:
    let_run(tenants.acme)
    row = dead_delivery(tenants.acme)
    answer = admin.post(f"{LIST}{row.pk}/redeliver/", follow=True)
    assert answer.context["delivery"].standing == "waiting"
    assert "alert-error" not in answer.content.decode()
