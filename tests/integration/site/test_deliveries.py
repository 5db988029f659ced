"""The pages that list what became of plugins' events."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import escape
from pytest_django import Settings

from plugin_framework.audit import SYSTEM
from plugin_framework.delivery import breaker
from plugin_framework.delivery.breaker import NOTICE
from plugin_framework.delivery.house import HOUSE
from plugin_framework.delivery.search import STATES, Search
from plugin_framework.models import Delivery
from plugin_framework.tenancy import tenant_scope
from tests.conftest import Tenants
from tests.support.deliveries import deliveries
from tests.support.delivery_rows import dead_delivery, kept_delivery, let_run

pytestmark = pytest.mark.usefixtures("plugins")
LIST, ALL = "/settings/plugins/pager/deliveries/", "/settings/deliveries/"


def _ids(answer: Any) -> list[int]:
    return [row.pk for row in answer.context["deliveries"]]


def test_the_list_shows_state_attempts_and_error_in_plain_words(admin: Client, tenants: Tenants) -> None:
    dead_delivery(tenants.acme)
    text = admin.get(LIST).content.decode()
    assert "The gateway answered 410 Gone." in text
    assert "Given up" in text


def test_a_waiting_delivery_says_when_it_is_tried_next(admin: Client, tenants: Tenants) -> None:
    row = kept_delivery(tenants.acme, attempts=1, last_error="Refused.", next_at=timezone.now() + timedelta(hours=2))
    for page in (LIST, f"{LIST}{row.pk}/"):
        answer = admin.get(page)
        assert str(row.next_at.year) in answer.content.decode() or "hour" in answer.content.decode()


def test_a_delivery_whose_time_has_come_names_no_next_one_that_is_past(admin: Client, tenants: Tenants) -> None:
    row = kept_delivery(tenants.acme, attempts=1, last_error="Refused.", next_at=timezone.now() - timedelta(days=999))
    for page in (LIST, f"{LIST}{row.pk}/", LIST.removesuffix("deliveries/")):
        assert row.next_at.isoformat() not in admin.get(page).content.decode()


def test_the_list_is_filtered_by_state_and_counts_each(admin: Client, tenants: Tenants) -> None:
    dead, due = dead_delivery(tenants.acme), kept_delivery(tenants.acme)
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
        kept_delivery(tenants.acme)
    assert len(admin.get(LIST).context["deliveries"]) == 50
    first = admin.get(LIST)
    second = admin.get(first.context["older_url"])
    assert len(second.context["deliveries"]) == 1
    assert second.context["older_url"] == ""
    assert list(admin.get(second.context["newer_url"]).context["deliveries"]) == list(first.context["deliveries"])


def test_one_page_lists_the_deliveries_of_all_plugins_and_is_in_the_navigation(admin: Client, tenants: Tenants) -> None:
    mine, other = kept_delivery(tenants.acme), kept_delivery(tenants.acme, plugin="rota", handler="on_call")
    kept_delivery(tenants.globex)
    answer = admin.get(ALL)
    assert _ids(answer) == [other.pk, mine.pk]
    text = answer.content.decode()
    assert "Rota" in text
    assert "on_call" in text
    assert f'<a class="rail-link" href="{ALL}" aria-current="page">' in text
    assert f'href="{ALL}"' in admin.get("/").content.decode()


def test_only_admins_see_the_list_of_all(member: Client, anonymous: Client) -> None:
    assert member.get(ALL).status_code == 403
    assert anonymous.get(ALL)["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("state", ["waiting", "retrying", "held", "done", "dead", "cancelled"])
def test_each_state_is_found_by_its_own_filter_and_counted_there(admin: Client, tenants: Tenants, state: str) -> None:
    states = ("waiting", "retrying", "held", "done", "dead", "cancelled")
    rows = dict(zip(states, deliveries(tenants.acme, *states), strict=True))
    for page in (ALL, LIST):
        answer = admin.get(f"{page}?state={state}")
        assert _ids(answer) == [rows[state].pk]
        assert answer.context["deliveries"][0].standing == state
        assert {pill.count for pill in answer.context["filters"] if pill.value} == {1}
    assert _ids(admin.get(f"{ALL}?state=due")) == [rows[each].pk for each in ("held", "retrying", "waiting")]


def test_one_that_runs_is_found_where_it_was_before(admin: Client, tenants: Tenants) -> None:
    (first,) = deliveries(tenants.acme, "running")
    (later,) = deliveries(tenants.acme, "running", attempts=3)
    (again,) = deliveries(tenants.acme, "running", attempts=11, attempts_before=10)
    assert _ids(admin.get(f"{ALL}?state=waiting")) == [again.pk, first.pk]
    assert _ids(admin.get(f"{ALL}?state=retrying")) == [later.pk]
    assert admin.get(ALL).content.decode().count("Running now") == 3


def test_plugin_event_and_time_narrow_the_list_together_with_the_state(admin: Client, tenants: Tenants) -> None:
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    hour = timedelta(hours=1)
    wanted = kept_delivery(tenants.acme, state="done", created_at=noon)
    for other in (
        {"plugin": "rota"},
        {"hook": "system_error"},
        {"created_at": noon - hour},
        {"created_at": noon + hour},
        {"state": "dead"},
    ):
        kept_delivery(tenants.acme, **{"state": "done", "created_at": noon} | other)
    asked = "state=done&hook=alarm&since=2026-11-20T11:30&until=2026-11-20T13:00"
    for page in (f"{ALL}?plugin=pager&{asked}", f"{LIST}?{asked}"):
        answer = admin.get(page)
        assert _ids(answer) == [wanted.pk]
        assert 'value="2026-11-20T11:30"' in answer.content.decode()
        pill = next(each for each in answer.context["filters"] if each.value == "dead")
        assert _ids(admin.get(pill.url)) == [wanted.pk + 5]


def test_the_end_of_a_time_range_is_not_part_of_it_and_its_beginning_is(admin: Client, tenants: Tenants) -> None:
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    first, _ = (kept_delivery(tenants.acme, created_at=at) for at in (noon, noon + timedelta(hours=1)))
    assert _ids(admin.get(f"{ALL}?since=2026-11-20T12:00&until=2026-11-20T13:00")) == [first.pk]


@pytest.mark.parametrize(
    "asked",
    [
        "since=yesterday",
        "until=2026-02-30T00:00",
        "since=2026-02-02T00:00&until=2026-02-01T00:00",
        "since=0001-01-01T00:00%2B14:00&until=9999-12-31T23:59-12:00&x=",
        "before=99999999999999999999&after=x",
        "before=0&after=999999999999999999",
        "state=%00&hook=%00&plugin=%00",
        f"hook={'x' * 3000}&plugin=../../etc&upto=-1",
        "pick=1&pick=%F0&page=2",
    ],
)
def test_nonsense_in_the_address_is_said_or_ignored_and_never_breaks_the_page(
    admin: Client, tenants: Tenants, asked: str
) -> None:
    kept_delivery(tenants.acme)
    for page in (ALL, LIST, f"{ALL}redeliver/"):
        answer = admin.get(f"{page}?{asked}", follow=True)
        assert answer.status_code == 200
        if asked.startswith(("since=y", "until", "since=2026")) and page != f"{ALL}redeliver/":
            assert "field-error" in answer.content.decode()
            assert _ids(answer) is not None


def test_ten_thousand_deliveries_are_paged_by_key_with_as_many_queries_as_ten(admin: Client, tenants: Tenants) -> None:
    deliveries(tenants.acme, *["done"] * 10)
    admin.get(ALL)
    with CaptureQueriesContext(connection) as few:
        admin.get(ALL)
    deliveries(tenants.acme, *["done", "dead", "retrying", "cancelled"] * 2500)
    with CaptureQueriesContext(connection) as many:
        answer = admin.get(ALL)
    assert len(many) <= len(few)
    seen = _ids(answer)
    for older in (answer.context["older_url"], f"{ALL}?before={seen[0] - 5000}", f"{ALL}?before={seen[0] - 9990}"):
        with CaptureQueriesContext(connection) as deep:
            answer = admin.get(older)
        assert len(deep) <= len(few)
        assert "OFFSET" not in str(deep.captured_queries)
        seen += _ids(answer)
    assert len(seen) == 3 * 50 + 19
    assert seen == sorted(seen, reverse=True)
    assert answer.context["older_url"] == ""
    assert "999+" in answer.content.decode()


def test_newer_leads_back_over_the_same_pages_and_new_ones_move_nothing(admin: Client, tenants: Tenants) -> None:
    deliveries(tenants.acme, *["done"] * 160)
    first = admin.get(ALL)
    second = admin.get(first.context["older_url"])
    third = admin.get(second.context["older_url"])
    deliveries(tenants.acme, *["done"] * 7)
    assert _ids(admin.get(third.context["newer_url"])) == _ids(second)
    assert _ids(admin.get(second.context["newer_url"])) == _ids(first)
    newest = admin.get(first.context["newer_url"] or ALL)
    assert len(_ids(newest)) == 50
    assert _ids(newest)[7:] == _ids(first)[:43]
    assert newest.context["newer_url"] == ""


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        ("", "_pkey"),
        ("state=done", "_pkey"),
        ("state=dead", "delivery_failed"),
        ("state=cancelled", "delivery_failed"),
        ("state=held", "delivery_due"),
        ("state=retrying", "delivery_due"),
        ("plugin=rota", "delivery_list"),
    ],
)
def test_a_page_of_many_deliveries_is_read_by_an_index(tenants: Tenants, asked: str, index: str) -> None:
    deliveries(tenants.acme, "dead", "held", "cancelled", "retrying")
    deliveries(tenants.acme, "done", plugin="rota")
    deliveries(tenants.acme, *["done"] * 3000)
    given = dict(pair.split("=") for pair in asked.split("&") if pair)
    with tenant_scope(tenants.acme), connection.cursor() as cursor:
        cursor.execute("ANALYZE plugin_framework_delivery")
        plan = Search(**given).rows().order_by("-id")[:51].explain()
    assert index in plan
    assert "Seq Scan" not in plan


def test_the_table_keeps_itself_up_to_date_only_while_something_is_about_to_change(
    admin: Client, tenants: Tenants
) -> None:
    deliveries(tenants.acme, "done", "dead", "held", "cancelled", "retrying")
    assert "hx-get" not in admin.get(ALL).content.decode()
    (row,) = deliveries(tenants.acme, "running")
    answer = admin.get(f"{ALL}?plugin=pager")
    address = answer.context["live_url"]
    assert f'hx-get="{escape(address)}" hx-trigger="every 3s"' in answer.content.decode()
    deliveries(tenants.acme, "done")
    piece = admin.get(address, headers={"HX-Request": "true"})
    assert "<html" not in piece.content.decode()
    assert "hx-trigger" in piece.content.decode()
    assert _ids(piece) == _ids(answer), "what comes in meanwhile would move the rows under somebody's hand"
    assert "HX-Request" in piece["Vary"]
    with tenant_scope(tenants.acme):
        Delivery.objects.filter(pk=row.pk).update(state="done", finished_at=timezone.now())
    piece = admin.get(address, headers={"HX-Request": "true"})
    assert "hx-trigger" not in piece.content.decode()
    assert 'id="delivery-rows"' in piece.content.decode()
    assert 'id="delivery-states" hx-swap-oob="true"' in piece.content.decode()


@pytest.mark.parametrize(("seconds", "live"), [(30, True), (600, False)])
def test_one_that_is_retried_within_a_minute_is_waited_for(
    admin: Client, tenants: Tenants, seconds: int, live: bool
) -> None:
    (row,) = deliveries(tenants.acme, "retrying", next_at=timezone.now() + timedelta(seconds=seconds))
    for page in (ALL, LIST, f"{LIST}{row.pk}/"):
        assert ("every 3s" in admin.get(page).content.decode()) is live


def test_without_javascript_there_is_a_link_to_look_again(admin: Client, tenants: Tenants) -> None:
    (row,) = deliveries(tenants.acme, "running")
    asked = f"{ALL}?state=waiting"
    assert f'href="{asked}">Refresh' in admin.get(asked).content.decode()
    assert f'href="{LIST}{row.pk}/">Refresh' in admin.get(f"{LIST}{row.pk}/").content.decode()


def test_somebody_whose_session_has_ended_gets_no_sign_in_page_inside_the_table(anonymous: Client) -> None:
    answer = anonymous.get(ALL, headers={"HX-Request": "true"})
    assert answer["HX-Refresh"] == "true"
    assert answer.content == b""


def test_the_pages_say_how_long_deliveries_are_kept(admin: Client, tenants: Tenants, settings: Settings) -> None:
    settings.DELIVERIES_KEEP_DAYS, settings.DEAD_DELIVERIES_KEEP_DAYS = 12, 1
    row = dead_delivery(tenants.acme)
    for page in (ALL, LIST, f"{LIST}{row.pk}/"):
        assert "Kept for 12 days after it ended, for 1 day if it was given up." in admin.get(page).content.decode()


def test_what_the_platform_itself_owes_the_organisation_is_not_listed(admin: Client, tenants: Tenants) -> None:
    deliveries(tenants.acme, "done", "dead", plugin=HOUSE, hook=NOTICE, handler=NOTICE)
    (mine,) = deliveries(tenants.acme, "done")
    for asked in ("", "?state=dead", f"?plugin={HOUSE}"):
        answer = admin.get(f"{ALL}{asked}")
        assert answer.status_code == 200
        assert _ids(answer) == ([] if asked else [mine.pk])
    with tenant_scope(tenants.acme):
        assert Search(state="dead").counts() == {**dict.fromkeys(STATES, 0), "done": 1}


def test_the_list_of_all_names_the_plugins_whose_deliveries_rest(admin: Client, tenants: Tenants) -> None:
    let_run(tenants.acme)
    assert "Deliveries are paused of" not in admin.get(ALL).content.decode()
    with tenant_scope(tenants.acme):
        breaker.pause("pager", SYSTEM)
    assert f'Deliveries are paused of <a href="{LIST}">Pager</a>.' in admin.get(ALL).content.decode()
