"""The whole life of deliveries on a clock that the test turns: real rows, real lanes, a real plugin and a real receiver."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from django.db import connection, transaction
from pytest_django import Settings

from plugin_framework import configuration, hooks, lifecycle
from plugin_framework.audit import SYSTEM, person
from plugin_framework.delivery import folding, lanes, rows
from plugin_framework.delivery.house import HOUSE
from plugin_framework.delivery.models import Lane
from plugin_framework.delivery.redeliver import redeliver
from plugin_framework.delivery.retry import MAX_ATTEMPTS, WAITS
from plugin_framework.models import Delivery, DeliveryAttempt
from plugin_framework.sdk import ConfigurablePlugin, ErrorReport, delivery_answered, event, hook
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from saas.testing.receivers import WebhookServer, webhook_server
from tests.conftest import Tenants
from tests.dummies.pages import installed
from tests.support.clock import pass_time
from tests.support.queue import work_off

SLACK = "slack_notifications"
REPORT = ErrorReport("ValueError in views", "ValueError", "views:get:12", "/x/", "f" * 16, "2026-01-01T00:00:00Z")
ADMIN = person("admin@acme.example")


class Caller(ConfigurablePlugin):
    """Leaves it to the SDK to say what an answer means."""

    name, version, title = "caller", "1.0.0", "Caller"
    declares = (event("called", "address", doc="A test calls.", when="When it says so."),)

    def get_config_schema(self) -> dict[str, Any]:
        return {"type": "object", "properties": {}}

    def initialize(self, config: dict[str, Any]) -> None:
        pass

    def cleanup(self) -> None:
        pass

    @hook("called")
    def on_called(self, address: str) -> None:
        response = self.http.post(address, json={})
        delivery_answered(response.status)
        response.raise_for_status()


@dataclass(eq=False)
class World:
    """One delivery to a receiver that answers as it is told."""

    tenant: TenantRef
    server: WebhookServer

    def row(self) -> Delivery:
        with tenant_scope(self.tenant):
            return Delivery.objects.exclude(plugin=HOUSE).get()

    def attempts(self) -> list[DeliveryAttempt]:
        with tenant_scope(self.tenant):
            return list(DeliveryAttempt.objects.exclude(delivery__plugin=HOUSE).order_by("number"))

    def wait(self) -> float:
        """Seconds between the end of the last attempt and the next."""
        row = self.row()
        assert row.finished_at is not None
        return (row.next_at - row.finished_at).total_seconds()

    def attempt(self) -> Delivery:
        """Turn the clock to just before the next attempt, where nothing happens, and to the attempt.

        After failures in a row the lane rests for a while; of one delivery alone, each attempt is then a trial.
        """
        row, before = self.row(), len(self.server.posts)
        with public_scope():
            paused = Lane.objects.filter(plugin=row.plugin).values_list("paused_until", flat=True).get()
        ahead = (max(row.next_at, paused or row.next_at) - datetime.now(UTC)).total_seconds()
        pass_time(self.tenant, ahead - 2)
        work_off()
        assert len(self.server.posts) == before, "it came before its time"
        pass_time(self.tenant, 3)
        work_off()
        assert len(self.server.posts) == before + 1
        return self.row()

    def kept(self) -> tuple[str, str]:
        """Payload and key, byte by byte."""
        with tenant_scope(self.tenant), connection.cursor() as cursor:
            cursor.execute(
                "SELECT payload::text, idempotency_key::text FROM plugin_framework_delivery WHERE plugin = %s", [SLACK]
            )
            found: tuple[str, str] = cursor.fetchone()
            return found


@pytest.fixture
def world(committed_db: str, tenants: Tenants, settings: Settings) -> Iterator[World]:
    """The first attempt has not been made yet."""
    settings.PLUGIN_ALLOW_LOOPBACK = True
    with webhook_server() as server:
        with tenant_scope(tenants.acme):
            configuration.configure(SLACK, SYSTEM, {}, secrets={("webhook_url",): server.url})
            lifecycle.enable(SLACK, SYSTEM)
            with transaction.atomic():
                hooks.emit("system_error", REPORT)
        yield World(tenants.acme, server)


def test_a_receiver_that_is_down_is_asked_ten_times_in_75_hours_and_then_no_more(world: World) -> None:
    world.server.status = 503
    work_off()
    total = 0.0
    for number, expected in enumerate(WAITS, 1):
        row = world.row()
        assert (row.state, row.attempts, len(world.server.posts)) == ("due", number, number)
        wait = world.wait()
        assert 0.9 * expected - 0.1 <= wait <= 1.1 * expected + 0.1
        total += wait
        world.attempt()
    assert 0.9 * 75.58 * 3600 <= total <= 1.1 * 75.59 * 3600
    row = world.row()
    assert (row.state, row.attempts) == ("dead", MAX_ATTEMPTS)
    assert row.last_error == "Given up after 10 attempts. The last one: 127.0.0.1 answered 503 (Service Unavailable)"
    assert [each.number for each in world.attempts()] == list(range(1, 11))
    pass_time(world.tenant, 365 * 86400)
    work_off()
    assert len(world.server.posts) == MAX_ATTEMPTS


def test_all_attempts_carry_the_same_key(world: World) -> None:
    world.server.status = 500
    work_off()
    for _ in range(3):
        world.attempt()
    assert {post.headers["idempotency-key"] for post in world.server.posts} == {str(world.row().idempotency_key)}


def test_one_that_arrives_in_the_end_is_not_tried_again(world: World) -> None:
    world.server.status = 500
    work_off()
    world.server.status = 200
    assert world.attempt().state == "done"
    pass_time(world.tenant, 80 * 3600)
    work_off()
    assert len(world.server.posts) == 2


def _date(seconds: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [
        ("600", 600, 660),
        ("date 600", 598, 660),
        ("0", 4.4, 5.6),
        ("date -600", 4.4, 5.6),
        ("31536000", 86400, 95040),
        ("date 31536000", 86400, 95040),
        ("soon", 4.4, 5.6),
    ],
)
def test_retry_after_is_obeyed_in_both_forms_up_to_a_day(world: World, asked: str, least: float, most: float) -> None:
    world.server.status = 429
    value = _date(float(asked.removeprefix("date "))) if asked.startswith("date ") else asked
    world.server.headers = {"Retry-After": value}
    work_off()
    assert world.row().response_status == 429
    assert least - 0.1 <= world.wait() <= most + 0.1


def test_asking_for_more_time_gives_no_more_attempts(world: World) -> None:
    world.server.status, world.server.headers = 503, {"Retry-After": "86400"}
    work_off()
    for _ in range(MAX_ATTEMPTS - 1):
        world.attempt()
    assert world.row().state == "dead"


def test_410_stops_at_once_and_says_why(world: World) -> None:
    world.server.status = 410
    work_off()
    row = world.row()
    assert (row.state, row.attempts, row.response_status) == ("dead", 1, 410)
    assert row.last_error
    assert "Given up after" not in row.last_error


@pytest.mark.parametrize(("status", "state"), [(410, "dead"), (404, "due"), (429, "due"), (500, "due"), (301, "due")])
def test_only_what_can_never_work_is_given_up_at_once(world: World, status: int, state: str) -> None:
    world.server.status = status
    with installed(Caller), tenant_scope(world.tenant):
        Delivery.objects.all().delete()
        lifecycle.enable("caller", SYSTEM)
        hooks.emit("called", world.server.url)
        work_off()
    row, (attempt,) = world.row(), world.attempts()
    assert (row.plugin, row.state, row.response_status) == ("caller", state, status)
    assert f"answered {status}" in row.last_error
    assert (attempt.method, attempt.host, attempt.answer) == ("", "", ""), "it passed on the status alone"


def _give_up(world: World) -> None:
    world.server.status = 500
    work_off()
    while world.row().state == "due":
        world.attempt()


def test_a_dead_letter_that_is_delivered_again_gets_the_whole_schedule_anew(world: World) -> None:
    _give_up(world)
    before = world.kept()
    with tenant_scope(world.tenant):
        redeliver(world.row().pk, ADMIN)
    assert world.row().standing == "waiting"
    work_off()
    for number, expected in enumerate(WAITS, MAX_ATTEMPTS + 1):
        row = world.row()
        assert (row.state, row.standing, row.attempts) == ("due", "retrying", number)
        assert 0.9 * expected - 0.1 <= world.wait() <= 1.1 * expected + 0.1
        world.attempt()
    row = world.row()
    assert (row.state, row.attempts) == ("dead", 2 * MAX_ATTEMPTS)
    assert [each.number for each in world.attempts()] == list(range(1, 2 * MAX_ATTEMPTS + 1))
    assert world.kept() == before
    bodies = [post.body for post in world.server.posts]
    assert all(body == bodies[0] for body in bodies)
    assert len({post.headers["idempotency-key"] for post in world.server.posts}) == 1


def test_one_that_arrived_can_be_delivered_again_and_fail(world: World) -> None:
    work_off()
    assert world.row().state == "done"
    world.server.status = 500
    with tenant_scope(world.tenant):
        redeliver(world.row().pk, ADMIN)
    work_off()
    row = world.row()
    assert (row.state, row.attempts) == ("due", 2)
    assert 4.4 <= world.wait() <= 5.6


def test_a_redelivery_whose_worker_dies_again_and_again_gets_its_ten_attempts_too(world: World) -> None:
    _give_up(world)
    with tenant_scope(world.tenant):
        redeliver(world.row().pk, ADMIN)
    with public_scope():
        folding.fold()
        again = []
        for _ in range(MAX_ATTEMPTS):
            lane = lanes.claim("worker", -1)  # its lease is over at once: the next one may have the lane
            assert lane is not None
            assert rows.start(lane.schema, world.row().pk, lane.fence) is not None
            newer = lanes.claim("next worker", -1)
            assert newer is not None
            again.append(rows.record_interrupted(newer.schema, world.row().pk, newer.fence))
    assert again == ["due"] * 9 + ["dead"]
    assert world.row().state == "dead"


def test_what_the_plugin_shows_of_its_talk_is_kept_with_the_attempt_without_its_secrets(world: World) -> None:
    world.server.status = 400
    world.server.answer = b"no such channel: " + world.server.path.encode() + b"\x00\x1b" + b"\xff" + b"x" * 5000
    work_off()
    attempt = world.attempts()[0]
    assert (attempt.method, attempt.host, attempt.response_status) == ("POST", "127.0.0.1", 400)
    assert attempt.answer.startswith("no such channel: ")
    assert len(attempt.answer) == 1024
    assert "s3cr3t" not in attempt.answer
    assert not {"\x00", "\x1b"} & set(attempt.answer)


def test_an_attempt_that_got_no_answer_shows_none(world: World) -> None:
    world.server.interrupt = lambda: None
    work_off()
    (attempt,) = world.attempts()
    assert (attempt.method, attempt.host, attempt.answer) == ("", "", "")
