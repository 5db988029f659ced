"""Deliveries and a plan's daily limit: those beyond it wait for the next day or a larger plan, and every one of them arrives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core import mail
from django.db import connection, transaction
from pytest_django import Settings

from plugin_framework import configuration, hooks, lifecycle, quotas
from plugin_framework.audit import SYSTEM, Actor
from plugin_framework.catalog import plans
from plugin_framework.catalog.plans import Limits
from plugin_framework.delivery import house
from plugin_framework.delivery.models import Lane
from plugin_framework.delivery.redeliver import redeliver
from plugin_framework.delivery.retry import HOLD_LIMIT
from plugin_framework.models import Delivery
from plugin_framework.models.delivery import Standing
from plugin_framework.quotas import Kind, Level
from plugin_framework.registry import registry
from plugin_framework.sdk import ErrorReport
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from saas.testing.people import person
from saas.testing.receivers import WebhookServer, webhook_server
from tenants import operations
from tests.support.clock import DAY, pass_time
from tests.support.plans import limit
from tests.support.queue import work_off

SLACK = "slack_notifications"


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


def happen(*numbers: int) -> None:
    for number in numbers:
        hooks.emit("system_error", ErrorReport(f"n{number}.", "E", "x", "/", "f", "2026-01-01T00:00:00Z"))


def arrived(receiver: WebhookServer) -> list[int]:
    """The numbers of the events, in the order in which they came."""
    bodies = [str(post.body) for post in receiver.posts]
    return [next(number for number in range(1000) if f"n{number}." in body) for body in bodies]


def work() -> None:
    """Work off what is queued, and what the platform owes because of that."""
    work_off()
    work_off()


def standings() -> list[str]:
    return [row.standing.value for row in Delivery.objects.exclude(plugin=house.HOUSE).order_by("id")]


def used() -> int:
    return quotas.usage(Kind.DELIVERIES).used


def over_quota(tenant: TenantRef) -> bool:
    with public_scope():
        return Lane.objects.get(tenant_schema=tenant.schema, plugin=SLACK).over_quota


def test_those_beyond_the_limit_are_held_with_the_reason_and_go_out_day_by_day(
    acme: TenantRef, receiver: WebhookServer
) -> None:
    limit(acme, deliveries=5)
    happen(*range(12))
    work()
    assert arrived(receiver) == [0, 1, 2, 3, 4]
    assert standings() == ["done"] * 5 + ["held"] * 7
    reasons = set(Delivery.objects.filter(state="due", plugin=SLACK).values_list("last_error", flat=True))
    (reason,) = reasons
    assert reason == "The plan Small includes 5 deliveries a day: it waits for midnight UTC, or a larger plan."
    happen(12)
    work()
    assert used() == 5
    assert len(receiver.posts) == 5, "what happens meanwhile waits too"
    pass_time(acme, DAY)
    happen(13)
    work()
    assert arrived(receiver) == list(range(10)), "the oldest come first the next day"
    pass_time(acme, DAY)
    work()
    assert arrived(receiver) == list(range(14))
    assert set(standings()) == {"done"}
    assert not over_quota(acme)


@pytest.mark.parametrize("meanwhile", [[], [6]])
@pytest.mark.parametrize("how", ["define", "assign", "take away"])
def test_a_plan_that_allows_more_lets_them_go_at_once_and_in_order(
    acme: TenantRef, receiver: WebhookServer, how: str, meanwhile: list[int]
) -> None:
    limit(acme, deliveries=2)
    happen(*range(6))
    work()
    assert (len(receiver.posts), over_quota(acme)) == (2, True)
    happen(*meanwhile)  # which must not overtake them
    with transaction.atomic():
        if how == "define":
            plans.define("small", "Small", list(registry.specs), Limits(deliveries=100))
        elif how == "assign":
            plans.define("large", "Large", list(registry.specs))
            operations.change_plan("acme", "large", Actor("x"))
        else:
            operations.change_plan("acme", "", Actor("x"))
    work()
    assert arrived(receiver) == [*range(6), *meanwhile]


def test_a_plan_that_is_rolled_back_lets_nothing_go(acme: TenantRef, receiver: WebhookServer) -> None:
    limit(acme, deliveries=2)
    happen(*range(4))
    work()
    with transaction.atomic():
        operations.change_plan("acme", "", Actor("x"))
        transaction.set_rollback(True)
    work()
    assert len(receiver.posts) == 2


def test_a_lowered_limit_is_shown_as_exceeded_and_begins_nothing_more(acme: TenantRef, receiver: WebhookServer) -> None:
    limit(acme, deliveries=10)
    happen(*range(4))
    work()
    limit(acme, deliveries=3)
    happen(4)
    work()
    assert len(receiver.posts) == 4
    usage = quotas.usage(Kind.DELIVERIES)
    assert (usage.used, usage.limit, usage.level) == (4, 3, Level.OVER)


def test_trying_again_is_not_counted_and_not_held(acme: TenantRef, receiver: WebhookServer) -> None:
    limit(acme, deliveries=2)
    receiver.status = 503
    happen(0)
    work()
    happen(1, 2)
    work()
    assert standings() == ["retrying", "retrying", "held"]
    receiver.status = 200
    Delivery.objects.filter(attempts=1).update(next_at="2026-01-01T00:00Z")
    with public_scope():
        Lane.objects.update(next_at="2026-01-01T00:00Z")
    work()
    assert standings() == ["done", "done", "held"]
    assert used() == 2


def test_one_that_is_only_tried_again_meanwhile_keeps_no_other_from_a_larger_plan(
    acme: TenantRef, receiver: WebhookServer
) -> None:
    limit(acme, deliveries=1)
    receiver.status = 503
    happen(0)
    work()
    happen(1)
    work()
    receiver.status = 200
    Delivery.objects.filter(attempts=1).update(next_at="2026-01-01T00:00Z")
    with public_scope():
        Lane.objects.update(next_at="2026-01-01T00:00Z")
    work()
    assert standings() == ["done", "held"]
    assert over_quota(acme)
    limit(acme, deliveries=2)
    work()
    assert standings() == ["done", "done"]
    assert not over_quota(acme)


def test_what_an_admin_has_made_again_counts_and_waits_like_a_new_one(acme: TenantRef, receiver: WebhookServer) -> None:
    limit(acme, deliveries=1)
    happen(0)
    work()
    redeliver(Delivery.objects.get(plugin=SLACK).pk, Actor("ada@acme.example"))
    work()
    assert (standings(), used()) == (["held"], 1)
    pass_time(acme, DAY)
    work()
    assert (standings(), used()) == (["done"], 1)


def test_what_the_platform_itself_owes_is_neither_counted_nor_held(acme: TenantRef, receiver: WebhookServer) -> None:
    person(acme, "owner", "ada@acme.example")
    limit(acme, deliveries=1)
    happen(0, 1)
    work()
    assert used() == 1
    assert [message.to for message in mail.outbox] == [["ada@acme.example"]]


def test_deliveries_are_counted_where_there_is_no_limit_too(acme: TenantRef, receiver: WebhookServer) -> None:
    happen(0, 1, 2)
    work()
    assert used() == 3
    limit(acme, deliveries=4)
    happen(3, 4)
    work()
    assert (len(receiver.posts), used()) == (4, 4)
    pass_time(acme, DAY)
    assert used() == 0


def test_waiting_for_days_makes_no_delivery_be_given_up(acme: TenantRef, receiver: WebhookServer) -> None:
    days = int(HOLD_LIMIT // DAY) + 3
    limit(acme, deliveries=1)
    happen(*range(days))
    for day in range(1, days + 1):
        work()
        assert len(receiver.posts) == day
        pass_time(acme, DAY)
    assert set(standings()) == {"done"}


def test_the_admins_get_one_mail_when_it_is_near_and_one_when_it_is_reached(
    acme: TenantRef, receiver: WebhookServer
) -> None:
    person(acme, "admin", "ada@acme.example")
    person(acme, "member", "eve@acme.example")
    limit(acme, deliveries=10)
    subjects: list[str] = []
    for number in range(14):
        happen(number)
        work()
        subjects += [message.subject for message in mail.outbox]
        mail.outbox.clear()
        assert len(subjects) == (number >= 7) + (number >= 9)
    assert subjects == ["Deliveries today: the limit is near", "Deliveries today: the limit is reached"]
    pass_time(acme, DAY)
    happen(*range(14, 30))
    work()
    assert [message.subject for message in mail.outbox] == ["Deliveries today: the limit is reached"]
    assert mail.outbox[0].to == ["ada@acme.example"]
    body = str(mail.outbox[0].body)
    assert "10 of 10" in body
    assert "acme.localhost:8000/settings/plan/" in body


def test_a_mail_that_comes_too_late_is_not_sent(acme: TenantRef, receiver: WebhookServer) -> None:
    person(acme, "admin", "ada@acme.example")
    limit(acme, deliveries=1)
    happen(0)
    with public_scope(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO delivery_lane (tenant_schema, plugin, paused_by) VALUES (%s, %s, 'x')",
            [acme.schema, house.HOUSE],
        )
    work()
    limit(acme, deliveries=100)
    with public_scope():
        Lane.objects.update(paused_by="")
    work()
    assert mail.outbox == []
    assert not Delivery.objects.filter(plugin=house.HOUSE, state="due").exists()


def test_held_deliveries_are_found_on_the_page_as_held(acme: TenantRef, receiver: WebhookServer) -> None:
    limit(acme, deliveries=1)
    happen(0, 1)
    work()
    assert Delivery.objects.get(state="due", plugin=SLACK).standing is Standing.HELD
