"""The breaker: it opens after failures in a row, tries a few, closes by itself, and tells the admins; nothing is lost meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core import mail
from django.db import connection
from pytest_django import Settings

from plugin_framework import activation, configuration, hooks, lifecycle, settings_store
from plugin_framework.audit import SYSTEM, Actor
from plugin_framework.delivery import breaker, house
from plugin_framework.delivery.breaker import PAUSES, THRESHOLD, TRIALS
from plugin_framework.delivery.models import Lane
from plugin_framework.delivery.redeliver import redeliver
from plugin_framework.models import AuditEntry, Delivery, DeliveryAttempt
from plugin_framework.sdk import ErrorReport, PluginInterface, RetryLater, hook
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from saas.testing.people import person
from saas.testing.receivers import WebhookServer, webhook_server
from tests.dummies import pages
from tests.support.queue import work_off

SLACK = "slack_notifications"
ADA = Actor("ada@acme.example")


@pytest.fixture
def receiver() -> Iterator[WebhookServer]:
    with webhook_server() as found:
        yield found


@pytest.fixture
def acme(committed_db: str, tenants: Any, settings: Settings, receiver: WebhookServer) -> Iterator[TenantRef]:
    """The test works inside `acme`, which posts to the receiver."""
    settings.PLUGIN_ALLOW_LOOPBACK = True
    with tenant_scope(tenants.acme):
        configuration.configure(SLACK, SYSTEM, {}, secrets={("webhook_url",): receiver.url})
        lifecycle.enable(SLACK, SYSTEM)
        yield tenants.acme


def _happen(times: int = 1) -> None:
    for number in range(times):
        hooks.emit("system_error", ErrorReport(f"n{number}", "E", "x", "/", "f", "2026-01-01T00:00:00Z"))


def _lane(tenant: TenantRef, plugin: str = SLACK) -> Lane:
    with public_scope():
        return Lane.objects.get(tenant_schema=tenant.schema, plugin=plugin)


def _pass_pause(tenant: TenantRef, due: int = TRIALS) -> None:
    """The pause is over, and a few of those that were held are due again."""
    with public_scope():
        Lane.objects.filter(tenant_schema=tenant.schema, open_since__isnull=False).update(
            paused_until="2026-01-01T00:00:00Z", next_at="2026-01-01T00:00:00Z"
        )
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE plugin_framework_delivery SET next_at = clock_timestamp() WHERE id IN (SELECT id "
            "FROM plugin_framework_delivery WHERE state = 'due' AND plugin = %s ORDER BY attempts, id LIMIT %s)",
            [SLACK, due],
        )


def _open(receiver: WebhookServer, waiting: int = 4) -> None:
    receiver.status = 503
    _happen(THRESHOLD + waiting)
    work_off()


def _attempts() -> int:
    return DeliveryAttempt.objects.filter(delivery__plugin=SLACK).count()


def test_failures_in_a_row_open_it_and_use_up_no_attempt_of_the_others(
    acme: TenantRef, receiver: WebhookServer
) -> None:
    _open(receiver)
    assert len(receiver.posts) == THRESHOLD
    assert _attempts() == THRESHOLD
    rest = breaker.rests()[SLACK]
    assert rest.since is not None
    assert rest.until is not None
    assert rest.paused_by == ""
    assert "503" in rest.trouble
    waiting = Delivery.objects.filter(plugin=SLACK, attempts=0)
    assert {(row.state, row.held_since is not None) for row in waiting} == {("due", True)}
    assert waiting.count() == 4
    _happen()
    work_off()
    assert len(receiver.posts) == THRESHOLD, "what happens meanwhile waits too"


def test_one_success_between_failures_keeps_it_closed(acme: TenantRef, receiver: WebhookServer) -> None:
    for _ in range(3):
        receiver.status = 503
        _happen(THRESHOLD - 1)
        work_off()
        receiver.status = 200
        _happen()
        work_off()
    assert breaker.rests() == {}
    assert _lane(acme).failures == 0


def test_failures_add_up_over_claims_of_the_lane(acme: TenantRef, receiver: WebhookServer) -> None:
    receiver.status = 503
    for number in range(1, THRESHOLD):
        _happen()
        work_off()
        assert _lane(acme).failures == number
    assert breaker.rests() == {}
    _happen()
    work_off()
    assert list(breaker.rests()) == [SLACK]


class Busy(PluginInterface):
    """Has no time now."""

    name, version = "busy", "1.0.0"

    def initialize(self, config: dict[str, Any]) -> None: ...
    def cleanup(self) -> None: ...

    @hook("system_error")
    def on_error(self, error: ErrorReport) -> None:
        raise RetryLater("Busy.", after=60)


def test_what_a_handler_asks_to_do_later_is_no_failure(acme: TenantRef) -> None:
    with pages.installed(Busy):
        lifecycle.enable("busy", SYSTEM)
        _happen(THRESHOLD + 1)
        work_off()
    tried = Delivery.objects.filter(plugin="busy").values_list("attempts", "last_error")
    assert list(tried) == [(1, "Busy.")] * (THRESHOLD + 1)
    assert breaker.rests() == {}


def test_a_trial_that_fails_opens_it_again_for_longer(acme: TenantRef, receiver: WebhookServer) -> None:
    _open(receiver)
    for opened in range(2, len(PAUSES) + 3):
        before = len(receiver.posts)
        _pass_pause(acme)
        work_off()
        assert len(receiver.posts) == before + TRIALS
        lane = _lane(acme)
        assert lane.opened == opened
        wanted = PAUSES[min(opened, len(PAUSES)) - 1]
        with public_scope(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT extract(epoch FROM paused_until - clock_timestamp()) FROM public.delivery_lane WHERE plugin = %s",
                [SLACK],
            )
            assert 0.85 * wanted < cursor.fetchone()[0] <= 1.1 * wanted
        with tenant_scope(acme):
            Delivery.objects.update(attempts=0)
            DeliveryAttempt.objects.all().delete()  # or they would be given up before the pauses have grown
    assert AuditEntry.objects.filter(action="deliveries.paused").count() == 1, "one opening, however many trials"


def test_a_trial_that_works_closes_it_and_all_others_follow_in_order(acme: TenantRef, receiver: WebhookServer) -> None:
    _open(receiver)
    receiver.status = 200
    _pass_pause(acme, due=0)
    receiver.posts.clear()
    _happen()
    work_off()
    assert breaker.rests() == {}
    assert _lane(acme).opened == 0
    fresh = ["n0", *(f"n{number}" for number in range(THRESHOLD, THRESHOLD + 4))]
    assert [post.body["text"].split(": ")[1] for post in receiver.posts] == fresh
    retried = Delivery.objects.filter(plugin=SLACK, attempts=1, state="due")
    assert retried.count() == THRESHOLD, "these keep the waits of their own"
    actions = AuditEntry.objects.filter(action__startswith="deliveries.").order_by("id")
    assert [(entry.action, entry.actor) for entry in actions] == [
        ("deliveries.paused", "Tenantry"),
        ("deliveries.resumed", "Tenantry"),
    ]


def test_its_settings_and_its_state_are_never_touched(acme: TenantRef, receiver: WebhookServer) -> None:
    before = settings_store.stored(SLACK), lifecycle.status(SLACK)
    _open(receiver)
    assert (settings_store.stored(SLACK), lifecycle.status(SLACK)) == before
    assert activation.current().decision(SLACK).runs, "pages and actions go on"


def test_saving_its_settings_tries_at_once(acme: TenantRef, receiver: WebhookServer) -> None:
    _open(receiver)
    receiver.status = 200
    configuration.configure(SLACK, SYSTEM, {"channel": "#other"})
    work_off()
    assert breaker.rests() == {}
    assert not Delivery.objects.filter(state="due", attempts=0).exists()


def test_a_trial_that_fails_after_a_change_is_followed_by_a_short_pause(
    acme: TenantRef, receiver: WebhookServer
) -> None:
    _open(receiver)
    for _ in range(2):
        _pass_pause(acme)
        work_off()
        Delivery.objects.update(attempts=0)
        DeliveryAttempt.objects.all().delete()
    assert _lane(acme).opened == 3
    configuration.configure(SLACK, SYSTEM, {"channel": "#other"})
    work_off()
    assert _lane(acme).opened == 1


def test_delivering_one_again_tries_it_at_once(acme: TenantRef, receiver: WebhookServer) -> None:
    _open(receiver)
    receiver.status = 200
    last = Delivery.objects.filter(attempts=1).latest("id")
    receiver.posts.clear()
    redeliver(last.pk, ADA)
    work_off()
    last.refresh_from_db()
    assert last.state == "done"
    assert breaker.rests() == {}


def test_an_admin_pauses_and_resumes_and_nothing_is_lost(acme: TenantRef, receiver: WebhookServer) -> None:
    breaker.pause(SLACK, ADA)
    breaker.pause(SLACK, Actor("bob@acme.example"))
    _happen(3)
    work_off()
    assert receiver.posts == []
    assert breaker.rests()[SLACK].paused_by == "ada@acme.example", "who was first"
    breaker.resume(SLACK, ADA)
    breaker.resume(SLACK, ADA)
    work_off()
    assert len(receiver.posts) == 3
    assert breaker.rests() == {}
    told = AuditEntry.objects.filter(action__startswith="deliveries.").values_list("action", "actor")
    assert sorted(told) == [("deliveries.paused", ADA.label), ("deliveries.resumed", ADA.label)]


def test_a_pause_outlasts_a_trial_and_a_saved_setting(acme: TenantRef, receiver: WebhookServer) -> None:
    _open(receiver)
    breaker.pause(SLACK, ADA)
    configuration.configure(SLACK, SYSTEM, {"channel": "#other"})
    _pass_pause(acme)
    receiver.posts.clear()
    work_off()
    assert receiver.posts == []


def test_disabling_cancels_what_rests_and_enabling_begins_anew(acme: TenantRef, receiver: WebhookServer) -> None:
    _open(receiver)
    breaker.pause(SLACK, ADA)
    lifecycle.disable(SLACK, ADA)
    work_off()
    assert {row.state for row in Delivery.objects.filter(plugin=SLACK)} == {"cancelled"}
    receiver.status = 200
    lifecycle.enable(SLACK, ADA)
    _happen()
    work_off()
    assert Delivery.objects.filter(plugin=SLACK).latest("id").state == "done"


def test_other_plugins_and_other_tenants_go_on(acme: TenantRef, receiver: WebhookServer, tenants: Any) -> None:
    with tenant_scope(tenants.globex), webhook_server() as theirs:
        configuration.configure(SLACK, SYSTEM, {}, secrets={("webhook_url",): theirs.url})
        lifecycle.enable(SLACK, SYSTEM)
        with tenant_scope(acme):
            _open(receiver)
        _happen()
        work_off()
        assert len(theirs.posts) == 1
        assert breaker.rests() == {}


def test_the_admins_are_told_once_and_by_a_delivery_that_is_kept(
    acme: TenantRef, receiver: WebhookServer, settings: Settings
) -> None:
    for role, email in (("owner", "olga"), ("admin", "ada"), ("member", "mia")):
        person(acme, role, f"{email}@acme.example")
    _open(receiver)
    work_off()
    (message,) = mail.outbox
    assert sorted(message.to) == ["ada@acme.example", "olga@acme.example"]
    assert message.subject == "Slack notifications: deliveries are paused"
    assert "503" in message.body
    assert f"{acme.host}" in message.body
    assert "/settings/plugins/slack_notifications/deliveries/" in message.body
    assert Delivery.objects.get(plugin=house.HOUSE).state == "done"
    _pass_pause(acme)
    work_off()
    assert len(mail.outbox) == 1


def test_a_mail_that_cannot_be_sent_is_tried_again_and_opens_no_breaker_of_its_own_notice(
    acme: TenantRef, receiver: WebhookServer, settings: Settings
) -> None:
    nobody = {"host": "127.0.0.1", "port": 1}
    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": nobody}}
    person(acme, "owner", "olga@acme.example")
    _open(receiver)
    work_off()
    told = Delivery.objects.get(plugin=house.HOUSE)
    assert (told.state, told.attempts) == ("due", 1)
    for _ in range(THRESHOLD):
        with connection.cursor() as cursor:
            cursor.execute("UPDATE plugin_framework_delivery SET next_at = created_at WHERE plugin = %s", [house.HOUSE])
        with public_scope():
            Lane.objects.filter(plugin=house.HOUSE).update(next_at="2026-01-01T00:00:00Z", paused_until=None)
        work_off()
    assert Delivery.objects.filter(plugin=house.HOUSE).count() == 1


def test_no_late_mail_is_sent_once_it_works_again(acme: TenantRef, receiver: WebhookServer) -> None:
    person(acme, "owner", "olga@acme.example")
    house.owe(breaker.NOTICE, SLACK, "The server answered 503.")
    work_off()
    assert mail.outbox == []


def test_a_resting_lane_is_not_even_claimed(acme: TenantRef, receiver: WebhookServer) -> None:
    _open(receiver)
    before = _lane(acme).fence  # each claim gets another one
    _happen(3)
    work_off()
    assert _lane(acme).fence == before
