"""An organisation's first page."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client

from plugin_framework import configuration, lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.catalog.offers import set_offer
from plugin_framework.tenancy import tenant_scope
from saas.testing.people import person
from tests.conftest import Tenants

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


def test_a_member_sees_the_panels_of_the_running_plugins(member: Client, tenants: Tenants) -> None:
    _enable(tenants, "rota")
    answer = member.get("/")
    assert "It is the turn of Grace." in answer.content.decode()
    assert answer.context["checklist"] == []


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


def test_a_new_organisations_admin_is_led_to_what_is_left_to_do(admin: Client, tenants: Tenants) -> None:
    steps = {step.title: step.done for step in admin.get("/").context["checklist"]}
    assert steps == {"Enable your first plugin": False, "Invite your people": False}
    with tenant_scope(tenants.acme):
        lifecycle.enable("pager", SYSTEM)
    steps = {step.title: step.done for step in admin.get("/").context["checklist"]}
    assert steps == {"Enable your first plugin": True, "Set up Pager": False, "Invite your people": False}


def test_the_list_goes_once_everything_is_done(admin: Client, tenants: Tenants) -> None:
    _enable(tenants, "rota")
    person(tenants.acme, "member", "second@acme.example")
    assert admin.get("/").context["checklist"] == []
