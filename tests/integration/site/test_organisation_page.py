"""The organisation's page: its name and time zone, for its admins to change."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.test import Client

from plugin_framework import activation, lifecycle, tenancy_directory, zones
from plugin_framework.audit import SYSTEM
from plugin_framework.models import AuditEntry
from plugin_framework.tenancy import tenant_scope
from saas.testing.people import person
from tenants import profile
from tests.conftest import Tenants

PAGE = "/settings/organisation/"


def test_a_new_name_and_time_zone_are_there_with_the_next_request(admin: Client, tenants: Tenants) -> None:
    answer = admin.post(PAGE, {"name": " Acme & Söhne ", "timezone": "Asia/Kathmandu"})
    assert answer["Location"] == PAGE
    with tenant_scope(tenants.acme):
        entry = AuditEntry.objects.get(action="tenant.profile_changed")
        AuditEntry.objects.filter(pk=entry.pk).update(at=datetime(2026, 3, 1, 20, 15, tzinfo=UTC))
    assert (entry.actor, entry.detail["timezone"]) == ("admin@acme.example", "UTC → Asia/Kathmandu")
    page = admin.get("/settings/audit/").text
    assert "Acme &amp; Söhne" in page
    assert '<time datetime="2026-03-02T02:00:00+05:45">2 Mar 2026, 02:00 +0545</time>' in page


@pytest.mark.parametrize("wanted", [("Acme Brothers", "UTC"), ("Acme", "Asia/Tokyo")], ids=["name", "time zone"])
def test_its_plugins_go_by_the_new_name_or_time_zone_too(
    admin: Client, tenants: Tenants, wanted: tuple[str, str]
) -> None:
    with tenant_scope(tenants.acme):
        lifecycle.enable("orders", SYSTEM)
    assert admin.get("/").status_code == 200
    admin.post(PAGE, dict(zip(("name", "timezone"), wanted, strict=True)))
    entry = tenancy_directory.find(tenants.acme.schema)
    assert entry is not None
    with tenant_scope(entry.ref):
        told = activation.current().plugins["orders"].tenant
        assert (told.name, told.timezone) == wanted


def test_the_neighbours_dates_stay_as_they_are(
    admin: Client, tenants: Tenants, client_for: Callable[..., Client]
) -> None:
    admin.post(PAGE, {"name": "Acme", "timezone": "Asia/Tokyo"})
    theirs = client_for(tenants.globex, person(tenants.globex, "admin"))
    assert "+00:00" in theirs.get("/settings/audit/").text
    assert "+09:00" in admin.get("/settings/audit/").text
    assert '<option value="UTC" selected>' in theirs.get(PAGE).text


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"name": "", "timezone": "UTC"}, "Required."),
        ({"name": "x" * 101, "timezone": "UTC"}, "at most 100"),
        ({"name": "a\x00b", "timezone": "UTC"}, "Holds a NUL character"),
        ({"name": "a\u202eb", "timezone": "UTC"}, "printed"),
        ({"name": "Acme", "timezone": "Mars/Olympus"}, "Choose one of the options"),
        ({"name": "Acme", "timezone": "../etc/passwd"}, "Choose one of the options"),
        ({}, "Required."),
    ],
)
def test_what_cannot_be_saved_comes_back_as_it_was_typed(
    admin: Client, tenants: Tenants, form: dict[str, str], said: str
) -> None:
    answer = admin.post(PAGE, form)
    assert (answer.status_code, said in answer.text) == (400, True)
    assert answer.context["form"]["name"].value() == form.get("name")
    with tenant_scope(tenants.acme):
        assert not AuditEntry.objects.filter(action="tenant.profile_changed").exists()


def test_a_member_does_not_see_it_and_an_admin_is_not_offered_to_delete(admin: Client, member: Client) -> None:
    assert (member.get(PAGE).status_code, member.post(PAGE, {"name": "Mine"}).status_code) == (403, 403)
    assert "Delete the organisation" not in admin.get(PAGE).text


def test_the_database_knows_each_zone_that_can_be_chosen(tenants: Tenants) -> None:
    with tenant_scope(tenants.acme):
        assert [name for name in zones.names() if not profile._known_to_the_database(name)] == []
        assert not profile._known_to_the_database("Mars/Olympus")


def test_a_time_that_somebody_types_is_one_of_their_zone(admin: Client) -> None:
    admin.post(PAGE, {"name": "Acme", "timezone": "Europe/Berlin"})
    answer = admin.get("/settings/deliveries/", {"since": "2026-07-01T12:00"})
    assert answer.context["asked"].search.since == datetime(2026, 7, 1, 10, 0, tzinfo=UTC)
    assert "Europe/Berlin" in answer.text
