"""An organisation's first page."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.utils import timezone

from plugin_framework import configuration, lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.catalog.offers import set_offer
from plugin_framework.delivery import breaker
from plugin_framework.delivery.house import HOUSE
from plugin_framework.models import Delivery
from plugin_framework.tenancy import tenant_scope
from saas.site.going_on import Day
from saas.testing.people import person
from tenants.accounts.models import User
from tests.conftest import Tenants
from tests.support.plans import limit

pytestmark = pytest.mark.usefixtures("plugins")


@pytest.fixture(autouse=True)
def _panel_templates(settings: Any) -> None:
    """The dummies' templates beside the host's."""
    (engine,) = settings.TEMPLATES
    extra = django_settings.BASE_DIR / "tests" / "dummies" / "templates"
    settings.TEMPLATES = [{**engine, "DIRS": [*engine["DIRS"], extra]}]


def _enable(tenants: Tenants, *names: str) -> None:
    with tenant_scope(tenants.acme):
        configuration.configure("pager", SYSTEM, {"gateway": "gate.example"})
        for name in names:
            lifecycle.enable(name, SYSTEM)


def test_a_limit_of_the_plan_is_something_that_needs_attention(admin: Client, tenants: Tenants) -> None:
    _enable(tenants, "rota")
    assert "Nothing needs your attention" in admin.get("/").text
    limit(tenants.acme, people=1)
    page = admin.get("/").text
    assert ("Used up" in page, "Nothing needs your attention" in page) == (True, False)


def test_a_member_sees_the_panels_of_the_running_plugins(member: Client, tenants: Tenants) -> None:
    _enable(tenants, "rota")
    answer = member.get("/")
    assert "It is the turn of Grace." in answer.content.decode()
    assert "checklist" not in answer.context


def test_a_plugin_that_fails_costs_its_own_panel_and_entry_alone(
    admin: Client, tenants: Tenants, caplog: pytest.LogCaptureFixture
) -> None:
    _enable(tenants, "clumsy", "rota")
    answer = admin.get("/")
    assert answer.status_code == 200
    assert [panel.plugin for panel in answer.context["panels"]] == ["rota"]
    assert "Rota" in [link.label for link in answer.context["nav_items"]]
    assert "dashboard panels of clumsy" in caplog.text
    assert "navigation entries of clumsy" in caplog.text


def test_panels_and_navigation_go_with_the_plugin(admin: Client, tenants: Tenants) -> None:
    _enable(tenants, "rota")
    assert admin.get("/").context["panels"]
    set_offer("rota", "withdrawn", message="Gone.")
    answer = admin.get("/")
    assert (answer.context["panels"], answer.context["nav_items"]) == ([], [])


def test_the_organisation_next_door_shows_nothing_of_it(tenants: Tenants, client_for: Any) -> None:
    _enable(tenants, "rota")
    owner = client_for(tenants.globex, person(tenants.globex, "owner"))
    assert owner.get("/").context["panels"] == []


def titles(answer: Any) -> dict[str, bool]:
    return {step.title: step.done for step in answer.context["checklist"]}


def deliver(tenants: Tenants, **fields: Any) -> Delivery:
    """A delivery of rota's in acme, as the worker leaves it."""
    given = {"plugin": "rota", "hook": "user_registered", "handler": "x", "payload": {}, "state": "done", **fields}
    with tenant_scope(tenants.acme):
        return Delivery.objects.create(event_id=uuid.uuid4(), idempotency_key=uuid.uuid4(), **given)


ENABLE, SET_UP = "Enable your first plugin", "Complete its settings, and test the connection"
INVITE, ARRIVE = "Invite somebody", "See the first event arrive"


def test_a_new_organisations_admin_is_led_to_the_first_event_that_arrives(admin: Client, tenants: Tenants) -> None:
    assert titles(admin.get("/")) == {ENABLE: False, SET_UP: False, INVITE: False, ARRIVE: False}
    with tenant_scope(tenants.acme):
        lifecycle.enable("pager", SYSTEM)
    answer = admin.get("/")
    assert titles(answer) == {ENABLE: True, SET_UP: False, INVITE: False, ARRIVE: False}
    (step,) = [step for step in answer.context["checklist"] if step.title == SET_UP]
    assert (step.url, "Pager waits for it" in step.text) == ("/settings/plugins/pager/", True)
    with tenant_scope(tenants.acme):
        configuration.configure("pager", SYSTEM, {"gateway": "gate.example"})
    assert titles(admin.get("/")) == {ENABLE: True, SET_UP: True, INVITE: False, ARRIVE: False}
    admin.post("/settings/people/invite/", {"email": "new@acme.example", "role": "member"})
    assert titles(admin.get("/")) == {ENABLE: True, SET_UP: True, INVITE: True, ARRIVE: False}
    delivery = deliver(tenants, state="due")
    assert titles(admin.get("/"))[ARRIVE] is False
    with tenant_scope(tenants.acme):
        Delivery.objects.filter(pk=delivery.pk).update(state="done")
    assert titles(admin.get("/")) == {}
    with tenant_scope(tenants.acme):
        lifecycle.disable("pager", SYSTEM)
    assert titles(admin.get("/"))[ENABLE] is False  # facts, not ticks


def test_the_first_steps_are_not_for_members_and_not_for_an_organisation_that_is_new_no_more(
    admin: Client, member: Client, tenants: Tenants, settings: Any
) -> None:
    assert "First steps" not in member.get("/").content.decode()
    assert titles(admin.get("/"))
    with tenant_scope(tenants.acme):
        long_ago = timezone.now() - timedelta(days=settings.DELIVERIES_KEEP_DAYS, minutes=1)
        User.objects.update(date_joined=long_ago)
    assert titles(admin.get("/")) == {}


def test_an_admin_hides_the_first_steps_for_themselves_and_finds_them_again(
    admin: Client, member: Client, tenants: Tenants, client_for: Any
) -> None:
    other = client_for(tenants.acme, person(tenants.acme, "owner"))
    assert admin.post("/first-steps/").status_code == 302
    answer = admin.get("/")
    assert (titles(answer), "Show the first steps" in answer.content.decode()) == ({}, True)
    assert titles(other.get("/"))
    admin.post("/first-steps/", {"show": "1"})
    assert titles(admin.get("/"))
    assert (member.post("/first-steps/").status_code, admin.get("/first-steps/").status_code) == (403, 405)


def test_what_needs_somebody_is_said_with_its_cause_and_where_to_go(admin: Client, tenants: Tenants) -> None:
    assert admin.get("/").context["attention"] == []
    with tenant_scope(tenants.acme):
        lifecycle.enable("pager", SYSTEM)  # its settings are missing
    for number in range(2):
        deliver(tenants, state="dead", last_error=f"The mailbox is full ({number}).")
    deliver(tenants, state="dead", created_at=timezone.now() - timedelta(days=8))
    found = {each.title: each for each in admin.get("/").context["attention"]}
    assert list(found) == ["Pager", "2 deliveries of Rota did not arrive and were given up"]
    failed = found["2 deliveries of Rota did not arrive and were given up"]
    assert (failed.text, failed.url) == ("The mailbox is full (1).", "/settings/plugins/rota/deliveries/?state=dead")
    assert found["Pager"].url == "/settings/plugins/pager/"
    assert found["Pager"].text
    assert found["Pager"].advice
    set_offer("pager", "withdrawn", message="Gone.")
    assert "Gone." in {each.title: each.text for each in admin.get("/").context["attention"]}["Pager"]


def test_deliveries_that_rest_are_said_too(admin: Client, tenants: Tenants) -> None:
    _enable(tenants, "rota")
    with tenant_scope(tenants.acme):
        breaker.pause("rota", SYSTEM)
    (only,) = admin.get("/").context["attention"]  # pager, which rota needs, runs
    assert (only.title, "Tenantry has paused its deliveries" in only.text) == ("Rota", True)


def test_the_last_day_is_told_in_numbers_and_the_latest_events_and_changes_in_lists(
    admin: Client, member: Client, tenants: Tenants
) -> None:
    _enable(tenants, "rota")
    for state in ("done", "done", "due", "dead"):
        deliver(tenants, state=state)
    deliver(tenants, state="done", created_at=timezone.now() - timedelta(hours=25))
    deliver(tenants, state="done", plugin=HOUSE)
    answer = admin.get("/")
    assert answer.context["day"] == Day(running=2, delivered=2, pending=1, given_up=1, more=False)
    assert [row.state for row in answer.context["latest"]] == ["done", "dead", "due", "done", "done"]
    assert answer.context["changes"][0].action == "plugin.enabled"
    page = member.get("/").content.decode()
    assert "Latest" not in page
    assert "last 24 hours" not in page
