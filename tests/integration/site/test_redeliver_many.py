"""Delivering many again: those that were ticked, or all that a search finds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from plugin_framework import configuration, lifecycle
from plugin_framework.audit import SYSTEM, person
from plugin_framework.delivery import redeliver as engine
from plugin_framework.delivery.models import Lane
from plugin_framework.delivery.search import STATES, Search
from plugin_framework.models import AuditEntry, Delivery
from plugin_framework.sdk import NotAllowed
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from tests.conftest import Tenants
from tests.support.deliveries import attempts, deliveries

pytestmark = pytest.mark.usefixtures("plugins")
PAGE, LIST = "/settings/deliveries/redeliver/", "/settings/plugins/pager/deliveries/"
ADMIN = person("admin@acme.example")


@pytest.fixture
def acme(tenants: Tenants) -> TenantRef:
    """Where the pager runs."""
    with tenant_scope(tenants.acme):
        configuration.configure("pager", SYSTEM, {"gateway": "gate.example"})
        lifecycle.enable("pager", SYSTEM)
    return tenants.acme


def _states(tenant: TenantRef) -> dict[int, str]:
    with tenant_scope(tenant):
        return {row.pk: row.standing.value for row in Delivery.objects.all()}


def _audited(tenant: TenantRef) -> list[tuple[str, str, dict[str, object]]]:
    with tenant_scope(tenant):
        found = AuditEntry.objects.filter(action="delivery.redelivered_many")
        return list(found.values_list("actor", "target", "detail"))


def test_all_given_up_ones_between_two_times_are_delivered_again_after_a_question(
    admin: Client, acme: TenantRef
) -> None:
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    hours = (-3, -1, 0, 1, 3)
    rows = [deliveries(acme, "dead", created_at=noon + timedelta(hours=hour))[0] for hour in hours]
    (arrived,) = deliveries(acme, "done", created_at=noon)
    attempts(acme, rows[2:3])
    asked = {"state": "dead", "since": "2026-11-20T11:00", "until": "2026-11-20T13:00", "of": "pager"}
    question = admin.get(f"{PAGE}?{urlencode(asked)}")
    assert "Deliver 2 events again?" in question.content.decode()
    assert question.text.count("data-exact>20 Nov 2026, ") == 2, "the times that were chosen never become “in 3 hours”"
    assert _states(acme)[rows[1].pk] == "dead", "asking changes nothing"
    answer = admin.post(PAGE, {**asked, "upto": question.context["asked"].search.upto}, follow=True)
    assert answer.redirect_chain[0][0] == LIST
    assert "2 deliveries are being made again." in answer.content.decode()
    expected = ["dead", "waiting", "waiting", "dead", "dead"]
    assert [_states(acme)[row.pk] for row in rows] == expected
    assert _states(acme)[arrived.pk] == "done"
    with tenant_scope(acme):
        fresh = Delivery.objects.get(pk=rows[2].pk)
        assert (fresh.attempts, fresh.attempts_before) == (10, 10)
        assert fresh.attempt_rows.count() == 10
        assert (fresh.payload, fresh.idempotency_key) == (rows[2].payload, rows[2].idempotency_key)
        assert fresh.next_at <= timezone.now()
    ((actor, target, detail),) = _audited(acme)
    assert (actor, target) == ("admin@acme.example", "pager")
    assert detail == {
        "count": 2,
        "state": "Given up",
        "since": "2026-11-20T11:00:00+00:00",
        "until": "2026-11-20T13:00:00+00:00",
    }


def test_what_is_emitted_or_given_up_after_the_question_is_not_part_of_the_answer(
    admin: Client, acme: TenantRef
) -> None:
    (first,) = deliveries(acme, "dead")
    question = admin.get(f"{PAGE}?state=dead")
    (second,) = deliveries(acme, "dead")
    admin.post(PAGE, {"state": "dead", "upto": question.context["asked"].search.upto})
    assert (_states(acme)[first.pk], _states(acme)[second.pk]) == ("waiting", "dead")


def test_those_that_were_ticked_are_delivered_again_and_no_others(admin: Client, acme: TenantRef) -> None:
    dead, done, cancelled, retrying, other, held, running = deliveries(
        acme, "dead", "done", "cancelled", "retrying", "dead", "held", "running"
    )
    before = _states(acme)
    picked = [row.pk for row in (dead, done, cancelled, retrying, held, running)]
    question = admin.get(f"{PAGE}?{urlencode({'pick': picked}, doseq=True)}")
    assert question.context["would"].total == 4
    assert "arrives a second time" in question.content.decode()
    admin.post(PAGE, {"pick": picked, "upto": question.context["asked"].search.upto})
    after = _states(acme)
    assert {after[row.pk] for row in (dead, done, cancelled, retrying)} == {"waiting"}
    assert [after[row.pk] for row in (other, held, running)] == [before[row.pk] for row in (other, held, running)]
    assert [detail["count"] for _, _, detail in _audited(acme)] == [4]


def test_ticks_and_a_filter_together_mean_the_ticks_within_the_filter(admin: Client, acme: TenantRef) -> None:
    dead, done = deliveries(acme, "dead", "done")
    admin.post(PAGE, {"pick": [dead.pk, done.pk], "state": "dead"})
    assert (_states(acme)[dead.pk], _states(acme)[done.pk]) == ("waiting", "done")


def test_where_nothing_is_ticked_nothing_is_chosen_whatever_the_list_shows(admin: Client, acme: TenantRef) -> None:
    deliveries(acme, "dead", "dead")
    assert '<button class="button" type="submit" name="chosen" value="1">' in admin.get(LIST).content.decode()
    answer = admin.get(f"{PAGE}?of=pager&state=dead&chosen=1", follow=True)
    assert answer.redirect_chain == [(f"{LIST}?state=dead", 302)]
    assert "Tick the deliveries that are to be delivered again." in answer.content.decode()


@pytest.mark.parametrize("state", ["", "waiting", "held", "due", "nonsense"])
def test_without_a_state_in_which_it_makes_sense_nothing_is_delivered_again(
    admin: Client, acme: TenantRef, state: str
) -> None:
    deliveries(acme, *STATES)
    before = _states(acme)
    answer = admin.post(PAGE, {"state": state}, follow=True)
    assert "Choose one state" in answer.content.decode()
    assert _states(acme) == before


@pytest.mark.parametrize(
    ("since", "until"), [("yesterday", ""), ("", "2026-13-01T00:00"), ("2026-02-01", "2026-01-01")]
)
def test_a_time_range_that_cannot_be_read_widens_nothing(
    admin: Client, acme: TenantRef, since: str, until: str
) -> None:
    deliveries(acme, "dead")
    for send in (admin.get, admin.post):
        answer = send(PAGE, {"state": "dead", "since": since, "until": until}, follow=True)
        assert "Nothing was delivered again" in answer.content.decode()
    assert set(_states(acme).values()) == {"dead"}
    assert _audited(acme) == []


def test_another_organisations_deliveries_are_out_of_reach(admin: Client, acme: TenantRef, tenants: Tenants) -> None:
    rows = deliveries(tenants.globex, *["dead"] * 5)
    admin.post(PAGE, {"state": "dead"})
    admin.post(PAGE, {"pick": [row.pk for row in rows]})
    assert set(_states(tenants.globex).values()) == {"dead"}
    assert _audited(acme) == _audited(tenants.globex) == []


def test_only_admins_may(member: Client, stranger: Client, anonymous: Client, acme: TenantRef) -> None:
    rows = deliveries(acme, "dead")
    assert member.get(f"{PAGE}?state=dead").status_code == 403
    for client in (member, stranger, anonymous):
        client.post(PAGE, {"state": "dead"})
        client.post(PAGE, {"pick": [rows[0].pk]})
    assert set(_states(acme).values()) == {"dead"}


def test_a_forged_form_changes_nothing(acme: TenantRef, admin: Client) -> None:
    deliveries(acme, "dead")
    forged = Client(enforce_csrf_checks=True, headers={"host": acme.host})
    forged.cookies = admin.cookies
    assert forged.post(PAGE, {"state": "dead"}).status_code == 403
    assert set(_states(acme).values()) == {"dead"}


def test_plugins_that_do_not_run_are_passed_over_and_named(admin: Client, acme: TenantRef) -> None:
    (mine,) = deliveries(acme, "dead")
    theirs = deliveries(acme, "dead", "dead", plugin="rota")
    question = admin.get(f"{PAGE}?state=dead")
    assert (question.context["would"].total, question.context["would"].left) == (1, 2)
    assert "2 deliveries to Rota, which does not run" in question.content.decode()
    admin.post(PAGE, {"state": "dead"})
    assert _states(acme) == {mine.pk: "waiting", theirs[0].pk: "dead", theirs[1].pk: "dead"}


def test_a_second_press_finds_nothing_left(admin: Client, acme: TenantRef) -> None:
    deliveries(acme, "dead")
    for words in ("1 delivery is being made again", "There was nothing left"):
        assert words in admin.post(PAGE, {"state": "dead"}, follow=True).content.decode()
    assert len(_audited(acme)) == 1


def test_more_than_can_be_sent_at_once_is_refused_with_a_way_out(
    admin: Client, acme: TenantRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("saas.site.delivery_pages.MOST_AT_ONCE", 3)
    deliveries(acme, *["dead"] * 4)
    answer = admin.post(PAGE, {"state": "dead"})
    assert "choose a shorter time" in answer.content.decode()
    assert set(_states(acme).values()) == {"dead"}


def test_many_are_made_due_oldest_first_in_bounded_batches_and_audited_once(
    acme: TenantRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BATCH", 100)
    rows = deliveries(acme, *["dead"] * 250)
    sizes: list[int] = []
    make_due = engine._make_due
    monkeypatch.setattr(engine, "_make_due", lambda batch: (sizes.append(len(batch)), make_due(batch)))
    with tenant_scope(acme):
        assert engine.redeliver_many(Search(state="dead"), ADMIN) == {"pager": 250}
        order = list(Delivery.objects.order_by("next_at", "id").values_list("pk", flat=True))
    assert sizes == [100, 100, 50]
    assert order == [row.pk for row in rows]
    assert [detail["count"] for _, _, detail in _audited(acme)] == [250]


def test_what_was_done_before_an_interruption_is_audited(acme: TenantRef, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "BATCH", 2)
    deliveries(acme, *["dead"] * 5)
    make_due, calls = engine._make_due, iter(range(9))

    def fail_in_the_third(batch: list[Delivery]) -> None:
        make_due(batch)
        if next(calls) == 2:
            raise ConnectionError("cut")

    monkeypatch.setattr(engine, "_make_due", fail_in_the_third)
    with tenant_scope(acme), pytest.raises(ConnectionError):
        engine.redeliver_many(Search(state="dead"), ADMIN)
    assert sorted(_states(acme).values()) == ["dead"] + ["waiting"] * 4
    assert [detail["count"] for _, _, detail in _audited(acme)] == [4]


def test_every_plugin_that_got_something_is_woken(acme: TenantRef) -> None:
    with tenant_scope(acme):
        lifecycle.enable("rota", SYSTEM)
    deliveries(acme, "dead", "dead")
    deliveries(acme, "dead", plugin="rota")
    with tenant_scope(acme):
        engine.redeliver_many(Search(state="dead"), ADMIN)
        with connection.cursor() as cursor:
            cursor.execute("SELECT plugin FROM public.delivery_wake WHERE tenant_schema = %s", [acme.schema])
            assert {row[0] for row in cursor.fetchall()} == {"pager", "rota"}


def test_a_delivery_that_was_tried_thirty_thousand_times_is_left_alone(acme: TenantRef) -> None:
    (row,) = deliveries(acme, "dead", attempts=engine.MOST_ATTEMPTS)
    with tenant_scope(acme):
        assert engine.redeliver_many(Search(state="dead"), ADMIN) == {}
        with pytest.raises(NotAllowed, match="no more often"):
            engine.redeliver(row.pk, ADMIN)


def test_whoever_delivers_many_again_need_not_wait_for_the_breakers_next_trial(acme: TenantRef) -> None:
    deliveries(acme, "dead", "dead")
    with public_scope():
        later = timezone.now() + timedelta(minutes=15)
        Lane.objects.create(
            tenant_schema=acme.schema, plugin="pager", open_since=timezone.now(), opened=5, paused_until=later
        )
    with tenant_scope(acme):
        engine.redeliver_many(Search(state="dead"), ADMIN)
    with public_scope():
        lane = Lane.objects.get()
    assert lane.paused_until is not None
    assert lane.paused_until <= timezone.now()
