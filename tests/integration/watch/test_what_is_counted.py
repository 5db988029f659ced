"""Hooks, deliveries, lanes and workers, as /metrics shows them after they were really at work."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from pytest_django import Settings

from plugin_framework import activation, configuration, hooks, lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.delivery import breaker, workers
from plugin_framework.metrics.names import SHORT
from plugin_framework.sdk import ErrorReport, PluginInterface, Veto, hook
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from saas.testing.receivers import WebhookServer, webhook_server
from tests.conftest import Tenants
from tests.dummies.pages import installed
from tests.integration.engine.dummies import Caller
from tests.integration.watch.conftest import Page
from tests.support.queue import work_off

SLACK = "slack_notifications"
SHORTEST = str(SHORT)


class Timed(PluginInterface):
    """Takes as long as it is told to: spins until its own clock says so."""

    name, version = "timed", "1.0.0"

    def initialize(self, config: dict[str, object]) -> None:
        """Takes nothing."""

    def cleanup(self) -> None:
        """Gives nothing back."""

    @hook("knock")
    def on_knock(self, who: str) -> None:
        from time import perf_counter

        until = perf_counter() + (0.003 if who == "slow" else 0)
        while perf_counter() < until:
            pass
        if who == "bad":
            raise ValueError("no")

    @hook("polish")
    def on_polish(self, text: str) -> str:
        return text + "!"

    @hook("ask")
    def on_ask(self, who: str) -> None:
        raise Veto("no")


@pytest.fixture
def acme(committed_db: str, tenants: Tenants) -> Iterator[TenantRef]:
    with installed(Caller, Timed):
        with tenant_scope(tenants.acme):
            lifecycle.enable("caller", SYSTEM)
            lifecycle.enable("timed", SYSTEM)
        yield tenants.acme
        activation.cache.clear()


def test_each_call_of_a_handler_is_counted_once(acme: TenantRef, scrape: Callable[[], Page]) -> None:
    for _ in range(2):
        with tenant_scope(acme):
            for who in ("quick", "slow", "bad"):
                hooks.call_hook("knock", who)
    page = scrape()
    labels = {"plugin": "timed", "hook": "knock"}
    assert page("tenantry_hook_seconds_count", **labels) == 6
    assert page("tenantry_hook_seconds_bucket", le="+Inf", **labels) == 6
    short = page("tenantry_hook_seconds_bucket", le=SHORTEST, **labels)
    assert short is not None
    assert short <= 4, "the slow ones are in their own buckets"
    assert (page("tenantry_hook_seconds_sum", **labels) or 0) >= 0.006


def test_a_filter_counts_each_handler_once(acme: TenantRef, scrape: Callable[[], Page]) -> None:
    with tenant_scope(acme):
        assert [hooks.apply_filters("polish", "a") for _ in range(3)] == ["a!"] * 3
    assert scrape()("tenantry_hook_seconds_count", plugin="timed", hook="polish") == 3


def test_a_veto_counts_as_a_call(acme: TenantRef, scrape: Callable[[], Page]) -> None:
    with tenant_scope(acme), pytest.raises(Veto):
        hooks.call_hook("ask", "me")
    assert scrape()("tenantry_hook_seconds_count", plugin="timed", hook="ask") == 1


def test_counts_are_told_when_the_request_ends_and_not_twice(acme: TenantRef, scrape: Callable[[], Page]) -> None:
    with tenant_scope(acme):
        hooks.call_hook("knock", "quick")
        with tenant_scope(acme):
            hooks.call_hook("knock", "quick")
        hooks.call_hook("knock", "quick")
    with tenant_scope(acme):
        activation.current()
    assert scrape()("tenantry_hook_seconds_count", plugin="timed", hook="knock") == 3


@pytest.fixture
def receiver() -> Iterator[WebhookServer]:
    with webhook_server() as found:
        yield found


@pytest.fixture
def posting(committed_db: str, tenants: Tenants, settings: Settings, receiver: WebhookServer) -> Iterator[TenantRef]:
    """The test works inside an organisation that posts to the receiver."""
    settings.PLUGIN_ALLOW_LOOPBACK = True
    with tenant_scope(tenants.acme):
        configuration.configure(SLACK, SYSTEM, {}, secrets={("webhook_url",): receiver.url})
        lifecycle.enable(SLACK, SYSTEM)
        yield tenants.acme


def happen(times: int) -> None:
    for number in range(times):
        hooks.emit("system_error", ErrorReport(f"n{number}", "E", "x", "/", "f", "2026-01-01T00:00:00Z"))


def test_attempts_are_counted_by_what_came_of_them(
    posting: TenantRef, receiver: WebhookServer, scrape: Callable[[], Page]
) -> None:
    happen(2)
    work_off()
    receiver.status = 500
    happen(1)
    work_off()
    receiver.status = 410
    happen(1)
    work_off()
    found = {
        (dict(labels)["outcome"], dict(labels)["delivery"]): value
        for labels, value in scrape().of("tenantry_delivery_attempts_total").items()
    }
    assert found == {("done", "done"): 2, ("failed", "due"): 1, ("failed", "dead"): 1}
    assert scrape()("tenantry_delivery_seconds_count", plugin=SLACK, hook="system_error") == 4


def lanes(sql: str) -> None:
    with public_scope(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE public.delivery_lane SET {sql}")


def test_the_gauges_are_the_databases(posting: TenantRef, scrape: Callable[[], Page]) -> None:
    page = scrape()
    assert page("tenantry_database_up") == 1
    assert page("tenantry_wakes_waiting") == 0
    assert page("tenantry_lanes_due", plugin=SLACK) == 0, "an installed plugin is there before anything happens"
    happen(3)
    assert scrape()("tenantry_wakes_waiting") == 3
    work_off()
    assert scrape()("tenantry_wakes_waiting") == 0
    lanes("next_at = now() - interval '90 s'")
    page = scrape()
    assert page("tenantry_lanes_due", plugin=SLACK) == 1
    assert 90 <= (page("tenantry_lane_lag_seconds", plugin=SLACK) or 0) < 150


@pytest.mark.parametrize(
    ("resting", "metric"),
    [
        ("paused_until = now() + interval '60 s', open_since = now()", "tenantry_breakers_open"),
        ("paused_by = 'ada'", "tenantry_lanes_paused"),
        ("owner = 'w', leased_until = now() + interval '60 s'", None),
    ],
)
def test_a_lane_that_rests_or_is_at_work_is_not_due(
    posting: TenantRef, scrape: Callable[[], Page], resting: str, metric: str | None
) -> None:
    happen(1)
    work_off()
    lanes(f"next_at = now() - interval '90 s', {resting}")
    page = scrape()
    assert page("tenantry_lanes_due", plugin=SLACK) == 0
    assert page("tenantry_lane_lag_seconds", plugin=SLACK) == 0
    for each in ("tenantry_breakers_open", "tenantry_lanes_paused"):
        assert page(each, plugin=SLACK) == (1 if each == metric else 0)


def test_the_breaker_that_really_opens_is_seen(
    posting: TenantRef, receiver: WebhookServer, scrape: Callable[[], Page]
) -> None:
    receiver.status = 500
    happen(breaker.THRESHOLD)
    work_off()
    assert scrape()("tenantry_breakers_open", plugin=SLACK) == 1


def test_workers_are_alive_while_their_heartbeat_is_fresh(posting: TenantRef, scrape: Callable[[], Page]) -> None:
    assert scrape()("tenantry_workers_alive") == 0
    with public_scope():
        workers.beat(workers.myself())
        workers.beat(workers.myself())
    assert scrape()("tenantry_workers_alive") == 2
    with public_scope(), connection.cursor() as cursor:
        cursor.execute("UPDATE public.delivery_worker SET seen_at = now() - make_interval(secs => %s)", [workers.FRESH])
    assert scrape()("tenantry_workers_alive") == 0
