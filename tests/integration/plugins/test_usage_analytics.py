"""Usage analytics: every view is counted once, for its own organisation, and counting never breaks a page."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import Sum
from django.test import Client
from django.utils import timezone

from plugin_framework import activation, configuration, lifecycle, purge
from plugin_framework.audit import SYSTEM
from plugin_framework.registry import registry
from plugin_framework.tenancy import tenant_scope
from plugins.usage_analytics_plugin import queries, services
from plugins.usage_analytics_plugin.models import ViewCount
from saas.testing.people import person
from tests.conftest import Tenants

Make = Callable[..., Any]
PAGE = "/apps/usage-analytics/"
THREADS, EACH = 32, 10


@pytest.fixture
def member(acme: Tenants, switch_on: Make, client_for: Callable[..., Client]) -> Client:
    """A member of acme, where the plugin runs beside orders."""
    switch_on("orders")
    switch_on("usage_analytics")
    return client_for(acme.acme, person(acme.acme, "member"))


def counted() -> dict[tuple[str, int], int]:
    """Views by page and outcome, in the current tenant."""
    rows = ViewCount.objects.order_by().values_list("view", "outcome").annotate(Sum("views"))
    return {(view, outcome): number for view, outcome, number in rows}


def test_each_view_is_counted_with_how_it_ended(member: Client) -> None:
    for page in ("/", "/", "/apps/orders/", "/apps/orders/999/", "/apps/orders/new/"):
        member.get(page)
    member.post("/apps/orders/new/", {})
    assert counted() == {
        ("tenant:dashboard", 2): 2,
        ("apps:orders:list", 2): 1,
        ("apps:orders:detail", 4): 1,
        ("apps:orders:new", 2): 2,
    }
    assert queries.total(queries.days(timezone.localdate(), 7)).views == 6


def test_a_page_that_fails_is_counted_as_an_error(member: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from plugins.orders_plugin import views

    monkeypatch.setattr(views.queries, "search", lambda *asked: 1 / 0)
    member.raise_request_exception = False
    assert member.get("/apps/orders/").status_code == 500
    assert counted() == {("apps:orders:list", 5): 1}
    assert queries.days(timezone.localdate(), 1)[0].errors == 1


def test_pages_that_are_left_out_are_not_counted(member: Client, switch_on: Make) -> None:
    switch_on("usage_analytics", {"left_out": ["tenant:dashboard"]})
    member.get("/")
    member.get("/apps/orders/")
    assert counted() == {("apps:orders:list", 2): 1}


def test_counting_that_fails_breaks_no_page(member: Client, caplog: pytest.LogCaptureFixture) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE usage_analytics_plugin_viewcount")
    assert member.get("/apps/orders/").status_code == 200
    assert "usage_analytics.count_view" in caplog.text


@pytest.fixture
def both(committed_db: str, tenants: Tenants) -> Tenants:
    """Both organisations run it, and what is counted is committed."""
    for ref in (tenants.acme, tenants.globex):
        with tenant_scope(ref):
            configuration.configure("usage_analytics", SYSTEM, {})
            lifecycle.enable("usage_analytics", SYSTEM)
    return tenants


@pytest.fixture
def unhurried() -> Iterator[None]:
    """No handler is too slow, however crowded this machine is: a plugin that rests does not count."""
    before = dict(registry.points)
    registry.points |= {name: replace(point, budget_ms=60_000) for name, point in before.items()}
    yield
    registry.points = before


@pytest.mark.usefixtures("unhurried")
def test_views_at_the_same_time_are_all_counted_and_each_for_its_own_organisation(
    both: Tenants, client_for: Callable[..., Client]
) -> None:
    people = {ref.slug: (ref, person(ref, "member")) for ref in (both.acme, both.globex)}
    clients = [client_for(*people["acme" if number % 4 else "globex"]) for number in range(THREADS)]

    def browse(client: Client) -> None:
        try:
            for _ in range(EACH):
                assert client.get("/").status_code == 200
        finally:
            connection.close()

    threads = [threading.Thread(target=browse, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = {}
    for ref in (both.acme, both.globex):
        with tenant_scope(ref):
            found[ref.slug] = counted()
    assert found == {
        "acme": {("tenant:dashboard", 2): THREADS * EACH * 3 // 4},
        "globex": {("tenant:dashboard", 2): THREADS * EACH // 4},
    }


def _count(day: date, times: int = 1) -> None:
    for _ in range(times):
        services.count("tenant:dashboard", 2, 12, on=day)


def test_counts_that_are_too_old_are_forgotten_every_night(member: Client) -> None:
    today, plugin = timezone.localdate(), activation.current().plugins["usage_analytics"]
    days = plugin.settings["kept_days"]
    for age in (days + 1, days, days - 1, 0):
        _count(today - timedelta(days=age))
    plugin.forget_old_counts()
    kept = set(ViewCount.objects.values_list("day", flat=True))
    assert kept == {today - timedelta(days=age) for age in (days, days - 1, 0)}


def test_the_page_draws_what_was_counted_and_says_it_in_a_table(member: Client) -> None:
    today = timezone.localdate()
    _count(today, times=3)
    _count(today - timedelta(days=29))
    _count(today - timedelta(days=30), times=50)
    _count(today + timedelta(days=1), times=70)
    answer = member.get(PAGE)
    assert (answer.context["total"].views, answer.context["chart"].top) == (4, 3)
    text = answer.content.decode()
    assert text.partition('<svg class="usage-chart"')[2].partition("</svg>")[0].count("<rect") == 2
    assert "style=" not in text
    assert member.get(f"{PAGE}?days=90").context["total"].views >= 54


@pytest.mark.parametrize("asked", ["", "7", "-1", "9" * 40, "abc", "%00", "14&days=30"])
def test_any_number_of_days_that_is_not_offered_is_the_usual_one(member: Client, asked: str) -> None:
    answer = member.get(f"{PAGE}?days={asked}")
    assert (answer.status_code, answer.context["number"]) == (200, 30)


def test_before_anything_is_counted_the_page_says_what_to_do(member: Client) -> None:
    assert "Nothing was counted in these days" in member.get(PAGE).content.decode()


def test_the_dashboard_shows_the_last_two_weeks(member: Client) -> None:
    _count(timezone.localdate(), times=5)
    text = member.get("/").content.decode()
    assert "5 in the last two weeks" in text
    assert "Page views of the last two weeks, at most 5 on a day" in text


def test_where_it_does_not_run_nothing_is_counted_and_no_page_answers(member: Client) -> None:
    lifecycle.disable("usage_analytics", SYSTEM)
    assert member.get(PAGE).status_code == 404
    member.get("/")
    lifecycle.enable("usage_analytics", SYSTEM)
    assert counted() == {}


def test_purging_it_takes_its_table(member: Client) -> None:
    member.get("/")
    lifecycle.disable("usage_analytics", SYSTEM)
    assert purge.purge("usage_analytics", SYSTEM, confirmation="usage_analytics").rows == 1
