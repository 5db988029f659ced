"""How a plugin does, as its page says it: from its deliveries, in words and in small charts."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from plugin_framework import configuration, lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.delivery import breaker, record, rows
from plugin_framework.models import Delivery, DeliveryAttempt
from plugin_framework.tenancy import tenant_scope
from tests.conftest import Tenants
from tests.support.deliveries import a_delivery, attempts, deliveries
from tests.support.plans import limit

pytestmark = pytest.mark.usefixtures("plugins")
PAGE = "/settings/plugins/pager/"


@pytest.fixture
def running(plugins: None, tenants: Tenants) -> None:
    """acme's pager, set up and enabled."""
    with tenant_scope(tenants.acme):
        configuration.configure("pager", SYSTEM, {"gateway": "gate.example"})
        lifecycle.enable("pager", SYSTEM)
        Delivery.objects.all().delete()


def _health(admin: Client) -> Any:
    return admin.get(PAGE).context["health"]


@pytest.mark.usefixtures("running")
def test_a_plugin_that_nothing_has_happened_to_is_ready(admin: Client) -> None:
    health = _health(admin)
    assert (health.level, health.title) == ("idle", "It is ready.")
    assert health.record.last_arrived is None


@pytest.mark.usefixtures("running")
def test_one_whose_deliveries_arrive_works_and_says_when_it_last_did(admin: Client, tenants: Tenants) -> None:
    (row,) = deliveries(tenants.acme, "done")
    deliveries(tenants.acme, "done", plugin="orders")
    health = _health(admin)
    assert (health.level, health.title) == ("ok", "It works.")
    assert health.record.last_arrived.delivery == row.pk
    assert (health.arrived.total, health.failed.total) == (1, 0)


@pytest.mark.usefixtures("running")
def test_one_whose_latest_delivery_failed_says_so_with_the_error_and_what_to_do(
    admin: Client, tenants: Tenants
) -> None:
    hour = timezone.now() - timedelta(hours=1)
    deliveries(tenants.acme, "done", finished_at=hour)
    rows = deliveries(tenants.acme, "retrying")
    attempts(tenants.acme, rows)
    page = admin.get(PAGE)
    health = page.context["health"]
    assert (health.level, health.title) == ("error", "The latest delivery failed.")
    assert "Test connection" in health.text
    assert (health.record.last_failed.delivery, health.record.last_failed.error) == (rows[0].pk, "It refused.")
    assert health.record.waiting == 1
    assert health.record.next_try == rows[0].next_at
    text = page.content.decode()
    assert "It refused." in text
    assert f"{PAGE}deliveries/{rows[0].pk}/" in text


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize(("used", "waiting", "level"), [(10, 1, "warn"), (9, 1, "ok"), (10, 0, "ok")])
def test_one_whose_deliveries_wait_for_another_day_says_so_and_what_to_do(
    admin: Client, tenants: Tenants, used: int, waiting: int, level: str
) -> None:
    deliveries(tenants.acme, "done")
    if waiting:
        deliveries(tenants.acme, "due")
    rows.count(tenants.acme.schema, used)
    limit(tenants.acme, deliveries=10)
    health = _health(admin)
    assert health.level == level
    assert health.title.startswith("Its deliveries wait" if level == "warn" else "It works.")
    assert ("with a larger plan" in health.text) is (level == "warn")


@pytest.mark.usefixtures("running")
def test_one_that_recovered_works_again(admin: Client, tenants: Tenants) -> None:
    rows = deliveries(tenants.acme, "done", attempts=2, finished_at=timezone.now() + timedelta(seconds=5))
    with tenant_scope(tenants.acme):
        DeliveryAttempt.objects.create(
            delivery=rows[0], number=1, started_at=timezone.now(), outcome="failed", error="No."
        )
    health = _health(admin)
    assert (health.level, health.title) == ("ok", "It works again.")


@pytest.mark.usefixtures("running")
def test_what_was_given_up_is_counted_though_later_ones_arrived(admin: Client, tenants: Tenants) -> None:
    early = timezone.now() - timedelta(hours=3)
    (dead,) = deliveries(tenants.acme, "dead", finished_at=early)
    with tenant_scope(tenants.acme):
        DeliveryAttempt.objects.create(delivery=dead, number=1, started_at=early, outcome="failed", error="No.")
    deliveries(tenants.acme, "done")
    page = admin.get(PAGE)
    assert page.context["health"].level == "warn"
    assert "1 delivery was given up" in page.context["health"].title
    assert "?state=dead" in page.content.decode()


@pytest.mark.usefixtures("running")
def test_a_worker_that_was_stopped_is_not_the_plugins_failure(admin: Client, tenants: Tenants) -> None:
    rows = deliveries(tenants.acme, "done", attempts=2)
    with tenant_scope(tenants.acme):
        DeliveryAttempt.objects.create(delivery=rows[0], number=1, started_at=timezone.now(), outcome="interrupted")
    assert (_health(admin).title, _health(admin).failed.total) == ("It works.", 0)


@pytest.mark.usefixtures("running")
def test_paused_deliveries_are_said_with_their_way_out(admin: Client, tenants: Tenants) -> None:
    with tenant_scope(tenants.acme):
        breaker.pause("pager", SYSTEM)
    page = admin.get(PAGE)
    assert page.context["health"].title == "It runs, but its deliveries are paused."
    assert "Resume deliveries" in page.content.decode()


def test_a_plugin_that_cannot_run_says_why_and_leads_to_its_settings(admin: Client, tenants: Tenants) -> None:
    with tenant_scope(tenants.acme):
        lifecycle.enable("pager", SYSTEM)
    page = admin.get(PAGE)
    assert page.context["health"].title == "It is enabled, but does not run now."
    why = "Its settings need attention: Gateway: Required."
    assert why in page.content.decode()
    assert why in admin.get("/settings/plugins/").content.decode()


def test_a_plugin_to_which_nothing_is_delivered_has_no_charts(admin: Client, tenants: Tenants) -> None:
    with tenant_scope(tenants.acme):
        lifecycle.enable("clumsy", SYSTEM)
    page = admin.get("/settings/plugins/clumsy/")
    assert page.context["health"].title == "It runs."
    assert "<figure" not in page.content.decode()


@pytest.mark.usefixtures("running")
def test_days_are_counted_as_the_time_zone_has_them(tenants: Tenants) -> None:
    with timezone.override("Pacific/Auckland"):
        midnight = timezone.make_aware(datetime.combine(timezone.localdate(), datetime.min.time()))
        deliveries(tenants.acme, "done", finished_at=midnight + timedelta(minutes=1))
        deliveries(tenants.acme, "done", "done", finished_at=midnight - timedelta(minutes=1))
        deliveries(tenants.acme, "done", finished_at=midnight - timedelta(days=6, minutes=1))
        with tenant_scope(tenants.acme):
            days = record.of("pager").days
    assert [day.arrived for day in days] == [0, 0, 0, 0, 0, 2, 1]


@pytest.mark.usefixtures("running")
def test_the_charts_say_in_words_and_in_a_table_what_they_show(admin: Client, tenants: Tenants) -> None:
    deliveries(tenants.acme, "done", "done", "done")
    text = admin.get(PAGE).content.decode()
    today = timezone.localdate()
    assert 'role="img" aria-labelledby="chart-arrived-title chart-arrived-text"' in text
    assert f"{today:%a}, {today.day} {today:%b}: 3." in text
    assert "<caption" in text
    assert "style=" not in text


@pytest.mark.usefixtures("running")
def test_ten_thousand_deliveries_are_read_in_one_statement_over_an_index(
    admin: Client, tenants: Tenants, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tenant_scope(tenants.acme):
        day = datetime.now(UTC)
        rows = [a_delivery("done", finished_at=day - timedelta(minutes=n)) for n in reversed(range(10_000))]
        Delivery.objects.bulk_create(rows, batch_size=2000)
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE plugin_framework_delivery")
            given = {"plugin": "orders", "most": record.MOST_READ, "since": day, "zone": "UTC"}
            cursor.execute(f"EXPLAIN (FORMAT JSON) {record._READ}", given)
            plan = json.dumps(cursor.fetchone()[0])
        assert '"delivery_list"' in plan
        assert sum(each.arrived for each in record.of("pager").days) > 8000
        assert record.of("pager").read_back_to is None
        monkeypatch.setattr(record, "MOST_READ", 500)
        assert record.of("pager").arrived == 500
        assert record.of("pager").read_back_to is not None
    admin.get(PAGE)  # the first page somebody opens after signing in notes their device
    with CaptureQueriesContext(connection) as queries:
        admin.get(PAGE)
    assert len(queries) <= 20


def test_one_that_hears_no_events_and_has_a_job_runs_before_its_first_time(admin: Client, tenants: Tenants) -> None:
    with tenant_scope(tenants.acme):
        lifecycle.enable("usage_analytics", SYSTEM)
    page = admin.get("/settings/plugins/usage_analytics/")
    assert (page.context["health"].level, page.context["health"].title) == ("ok", "It runs.")
    text = page.content.decode()
    assert "Nothing that it does by the clock was due yet." in text
    assert "Nothing has happened yet" not in text


def test_one_that_only_answers_while_pages_are_made_has_no_list_of_deliveries(admin: Client, tenants: Tenants) -> None:
    with tenant_scope(tenants.acme):
        configuration.configure("signup_rules", SYSTEM, {"allowed_domains": ["acme.example"]})
        lifecycle.enable("signup_rules", SYSTEM)
    text = admin.get("/settings/plugins/signup_rules/").content.decode()
    assert 'id="deliveries-title"' not in text
    assert 'id="deliveries-title"' in admin.get(PAGE).content.decode()
