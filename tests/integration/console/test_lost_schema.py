"""An organisation whose schema is lost: its page says what is wrong and what to do, and no page of the console fails because of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client

from plugin_framework import lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.catalog import plans
from plugin_framework.catalog.plans import Limits
from plugin_framework.db import recorded
from plugin_framework.models import AuditEntry
from plugin_framework.tenancy import TenantRef, tenant_scope
from saas.testing.people import confirmed, person
from tenants import archive, deletion, purging
from tests.conftest import Tenants
from tests.integration.console.test_catalog import WITHDRAW

pytestmark = pytest.mark.usefixtures("plugins")
LOSSES = {
    "all of it": 'DROP SCHEMA "{schema}" CASCADE',
    "its people": 'DROP TABLE "{schema}".accounts_user CASCADE',
    "its audit log": 'DROP TABLE "{schema}".plugin_framework_auditentry CASCADE',
    "its name": 'ALTER SCHEMA "{schema}" RENAME TO aside',
}
PAGES = (
    *("/", "/catalog/", "/catalog/clumsy/", "/catalog/pager/settings/", "/settings/", "/health/", "/tenants/"),
    *("/fleet/", "/fleet/?kind=attention", "/fleet/?kind=off", "/fleet/?plugin=clumsy", "/plans/", "/plans/basic/"),
    *("/tenants/acme/", "/tenants/globex/"),
)


def lose(tenant: TenantRef, what: str = "all of it") -> None:
    """As somebody does who types the wrong name into psql."""
    with connection.cursor() as cursor:
        cursor.execute(LOSSES[what].format(schema=tenant.schema))


def in_use(tenants: Tenants) -> None:
    """Both have a plan, which limits, and a plugin; globex a person."""
    plans.define("basic", "Basic", ["clumsy", "pager"], Limits(people=10, deliveries=1000, storage=10**9))
    for tenant in (tenants.acme, tenants.globex):
        with tenant_scope(tenant):
            plans.assign("basic")
            lifecycle.enable("clumsy", SYSTEM)
    person(tenants.globex, "admin")


@pytest.mark.parametrize("what", LOSSES)
def test_its_page_says_what_is_wrong_and_what_to_do_and_what_is_still_known(
    staff: Client, tenants: Tenants, what: str
) -> None:
    in_use(tenants)
    assert "Its data is lost" not in staff.get("/tenants/globex/").text
    lose(tenants.globex, what)
    page = staff.get("/tenants/globex/")
    assert page.status_code == 200
    for said in ("Its data is lost", tenants.globex.schema, tenants.globex.host, "Data lost", "Basic", "pg_restore"):
        assert said in page.text
    assert "manage.py tenants purge globex --yes-delete globex --at-once" in page.text
    for link in ("/tenants/globex/delete/#delete-title", "/tenants/globex/suspend/#suspend-title"):
        assert f'action="{link}"' in page.text
    for link in ("/tenants/globex/export/", "/tenants/globex/plan/"):
        assert f'action="{link}' not in page.text
    if what == "its name":
        with connection.cursor() as cursor:
            cursor.execute(f'ALTER SCHEMA aside RENAME TO "{tenants.globex.schema}"')
        assert "Its data is lost" not in staff.get("/tenants/globex/").text


def test_its_people_are_not_told_that_it_is_being_updated(client_for: Callable[..., Client], tenants: Tenants) -> None:
    recorded.forget()  # as in a process that has never met it whole
    lose(tenants.globex)
    page = client_for(tenants.globex).get("/accounts/login/")
    assert (page.status_code, "This organisation is not available right now" in page.text) == (503, True)
    assert (page["Retry-After"], page.get("Refresh")) == ("60", None)


def test_the_overview_leads_to_it_and_says_nothing_of_one_that_is_whole(staff: Client, tenants: Tenants) -> None:
    assert "has lost its data" not in staff.get("/").text
    lose(tenants.globex, "all of it")
    page = staff.get("/")
    assert [ref.slug for ref in page.context["lost"]] == ["globex"]
    assert '<a href="/tenants/globex/">Globex</a></strong> has lost its data' in page.text


def test_one_that_is_behind_the_installed_code_is_being_updated_and_not_lost(staff: Client, tenants: Tenants) -> None:
    recorded.forget()
    with connection.cursor() as cursor:
        cursor.execute(f'DROP TABLE "{tenants.globex.schema}".plugin_framework_quotause CASCADE')
        cursor.execute(
            f"""DELETE FROM "{tenants.globex.schema}".django_migrations WHERE app = 'plugin_framework' AND name > '0001'"""
        )
    page = staff.get("/tenants/globex/")
    assert (page.status_code, "It is being updated" in page.text, "Its data is lost" in page.text) == (200, True, False)


@pytest.mark.parametrize("what", ["all of it", "its people", "its audit log"])
def test_no_page_of_the_console_fails_because_of_it(staff: Client, tenants: Tenants, what: str) -> None:
    in_use(tenants)
    lose(tenants.globex, what)
    assert {path: staff.get(path).status_code for path in PAGES} == dict.fromkeys(PAGES, 200)
    page = staff.get("/health/")
    assert page.context["given_up"].total == 2
    if what == "all of it":
        assert "Its data is lost" in staff.get("/fleet/?kind=attention").text


@pytest.mark.parametrize("what", ["all of it", "its people", "its audit log"])
def test_what_staff_does_to_many_is_done_in_the_others(staff: Client, tenants: Tenants, what: str) -> None:
    in_use(tenants)
    lose(tenants.globex, what)
    for action in ("enable", "disable", "resume"):
        bulk = {"action": action, "of": "clumsy", "tenant": ["acme", "globex"]}
        assert staff.post("/fleet/preview/", bulk).status_code == 200
        done = {each.ref.slug: each for each in staff.post("/fleet/apply/", bulk).context["effects"]}
        assert (done["globex"].outcome, done["globex"].text) == (
            "refused",
            "Its schema is not there, or is not complete.",
        )
        assert done["acme"].outcome == ("change" if action == "disable" else "nothing")
    lower = {"name": "Basic", "plugins": ["clumsy"], "people": 1, "deliveries": 1, "storage": 1}
    assert staff.post("/plans/basic/", {**lower, "preview": "yes"}).status_code == 200
    assert staff.post("/plans/basic/", {**lower, "confirm": "yes"}).status_code == 302
    assert staff.post("/catalog/clumsy/", WITHDRAW).status_code == 302
    assert staff.post("/catalog/clumsy/standing/", {"required": "on"}).status_code == 302


@pytest.mark.parametrize("what", ["all of it", "its people", "its audit log"])
def test_it_is_suspended_served_again_deleted_and_brought_back_and_gets_no_plan_and_no_archive(
    staff: Client, tenants: Tenants, platform: TenantRef, what: str
) -> None:
    in_use(tenants)
    lose(tenants.globex, what)
    confirmed(staff)
    told = staff.post("/tenants/globex/plan/", {"plan": ""}, follow=True)
    assert "The data of Globex is lost; bring it back first, or delete it." in told.text
    told = staff.post("/tenants/globex/export/", follow=True)
    assert "Its schema is not there, or is not complete." in told.content.decode()
    steps = {
        "suspend": ({"message": "We look for it."}, "We look for it."),
        "resume": ({}, "is served again"),
        "delete": ({"confirmation": "globex"}, "is deleted"),
        "undelete": ({}, "is served again"),
    }
    for step, (form, said) in steps.items():
        page = staff.post(f"/tenants/globex/{step}/", form, follow=True)
        assert (page.status_code, said in page.text, "Its data is lost" in page.text) == (200, True, True), step
    with tenant_scope(platform):
        done = AuditEntry.objects.filter(target="globex").order_by("pk").values_list("action", flat=True)
        assert list(done) == ["tenant.suspended", "tenant.resumed", "tenant.deleted", "tenant.undeleted"]


@pytest.mark.usefixtures("committed_db")
def test_an_archive_brings_it_back_under_its_address_as_its_page_says(
    staff: Client, tenants: Tenants, tmp_path: Path
) -> None:
    in_use(tenants)
    archive.export("globex", tmp_path / "globex.zip", SYSTEM)
    lose(tenants.globex)
    deletion.delete("globex", SYSTEM, confirmation="globex")
    purging.purge("globex", SYSTEM, confirmation="globex", at_once=True)
    assert archive.restore(tmp_path / "globex.zip", SYSTEM).ref.host == tenants.globex.host
    page = staff.get("/tenants/globex/")
    assert "Its data is lost" not in page.text
    assert {info.name: info.state for info, _ in page.context["plugins"]}["clumsy"] == "enabled"
