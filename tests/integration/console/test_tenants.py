"""The console's pages about organisations."""

from __future__ import annotations

import pytest
from django.test import Client

from plugin_framework.catalog import plans
from plugin_framework.models import AuditEntry
from plugin_framework.tenancy import TenantRef, tenant_scope
from tests.conftest import Tenants

pytestmark = pytest.mark.usefixtures("plugins")


def test_the_list_has_every_organisation_but_the_platform(staff: Client) -> None:
    answer = staff.get("/tenants/")
    assert [tenant.slug for tenant, _ in answer.context["tenants"]] == ["acme", "globex"]
    assert [tenant.slug for tenant, _ in staff.get("/tenants/?q=GLOB").context["tenants"]] == ["globex"]
    assert staff.get("/tenants/?state=suspended").context["tenants"] == []


def test_the_list_says_who_has_which_plan_and_shows_those_of_one_alone(staff: Client, tenants: Tenants) -> None:
    plans.define("small", "Small", [])
    with tenant_scope(tenants.globex):
        plans.assign("small")
    has = {tenant.slug: plan and plan.name for tenant, plan in staff.get("/tenants/").context["tenants"]}
    assert has == {"acme": None, "globex": "Small"}
    only = staff.get("/tenants/?plan=small&q=e")  # which both have in their names
    assert [tenant.slug for tenant, _ in only.context["tenants"]] == ["globex"]
    assert [(each.value, each.count) for each in only.context["filters"]][:1] == [("", 1)]
    assert all("plan=small" in each.url and "q=e" in each.url for each in only.context["filters"])
    assert staff.get("/tenants/?plan=small&state=suspended").context["tenants"] == []
    assert len(staff.get("/tenants/?plan=nonesuch").context["tenants"]) == 2


def test_an_organisations_page_shows_its_plugins(staff: Client, acme_admin: Client) -> None:
    acme_admin.post("/settings/plugins/clumsy/enable/")
    answer = staff.get("/tenants/acme/")
    assert {info.name: info.state for info, *_ in answer.context["plugins"]}["clumsy"] == "enabled"
    assert "Clumsy" in answer.content.decode()


def test_a_suspended_organisation_answers_503_with_the_message_until_it_is_resumed(
    staff: Client, acme_admin: Client
) -> None:
    answer = staff.post("/tenants/acme/suspend/", {"message": "Unpaid since spring."})
    assert answer["Location"] == "/tenants/acme/"
    seen = acme_admin.get("/")
    assert seen.status_code == 503
    assert "Unpaid since spring." in seen.content.decode()
    assert "Unpaid since spring." in staff.get("/tenants/acme/").content.decode()
    staff.post("/tenants/acme/resume/")
    assert acme_admin.get("/").status_code == 200


def test_suspending_is_recorded_on_both_sides(staff: Client, tenants: Tenants, platform: TenantRef) -> None:
    staff.post("/tenants/acme/suspend/", {"message": "Unpaid."})
    staff.post("/tenants/acme/resume/")
    for ref in (tenants.acme, platform):
        with tenant_scope(ref):
            rows = AuditEntry.objects.filter(action__in=["tenant.suspended", "tenant.resumed"]).order_by("pk")
            assert list(rows.values_list("actor", "action", "target")) == [
                ("root@platform.example (platform staff)", "tenant.suspended", "acme"),
                ("root@platform.example (platform staff)", "tenant.resumed", "acme"),
            ]


@pytest.mark.parametrize("message", ["", "  ", "x" * 501, "a\x00b"])
def test_suspending_needs_a_message_that_fits(staff: Client, acme_admin: Client, message: str) -> None:
    answer = staff.post("/tenants/acme/suspend/", {"message": message})
    assert (answer.status_code, set(answer.context["form"].errors)) == (422, {"message"})
    assert '<a class="rail-link" href="/tenants/" aria-current="page">' in answer.content.decode()
    assert acme_admin.get("/").status_code == 200


def test_the_platform_itself_cannot_be_suspended(staff: Client) -> None:
    assert staff.post("/tenants/admin/suspend/", {"message": "Oops."}).status_code == 404
    assert staff.get("/").status_code == 200


def test_suspending_and_resuming_twice_is_no_error(staff: Client) -> None:
    for _ in range(2):
        assert staff.post("/tenants/acme/suspend/", {"message": "Unpaid."}).status_code == 302
    for _ in range(2):
        assert staff.post("/tenants/acme/resume/").status_code == 302
