"""Who may open the superadmin's console."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from plugin_framework.models import AuditEntry
from plugin_framework.tenancy import TenantRef, tenant_scope
from saas.testing.people import person
from tests.conftest import Tenants

PAGES = [
    "/",
    "/catalog/",
    "/catalog/pager/",
    "/catalog/pager/settings/",
    "/tenants/",
    "/tenants/acme/",
    "/plans/",
    "/plans/new/",
    "/fleet/",
    "/health/",
    "/audit/",
    "/audit/table/",
    "/settings/",
]
POSTS = [
    "/catalog/pager/",
    "/catalog/pager/settings/",
    "/catalog/pager/standing/",
    "/tenants/acme/suspend/",
    "/tenants/acme/resume/",
    "/tenants/acme/delete/",
    "/tenants/acme/undelete/",
    "/tenants/acme/export/",
    "/tenants/acme/plan/",
    "/plans/new/",
    "/fleet/preview/",
    "/fleet/apply/",
]
DECISION = {"availability": "withdrawn", "message": "No.", "tenants": ""}
GARBAGE = [
    "/catalog/unknown/",
    "/catalog/Pager/",
    "/catalog/Odd/one/",
    "/catalog/pager%00/",
    "/catalog/" + "p" * 300 + "/",
    "/tenants/unknown/",
    "/tenants/admin/",
    "/tenants/acme%00/",
    "/tenants/" + "a" * 300 + "/",
    "/tenants/ACME/",
    "/settings/plugins/",
    "/apps/orders/",
    "/register/",
]

pytestmark = pytest.mark.usefixtures("plugins")


@pytest.mark.parametrize("page", PAGES)
def test_the_platforms_admin_sees_every_page(staff: Client, page: str) -> None:
    assert staff.get(page).status_code == 200


@pytest.mark.parametrize("page", PAGES)
def test_a_member_of_the_platform_gets_403(platform: TenantRef, client_for: Callable[..., Client], page: str) -> None:
    client = client_for(platform, person(platform, "member"))
    refused = client.get(page)
    assert refused.status_code == 403
    assert '<a class="button" href="/account/">' in refused.text  # the first page is refused as well


@pytest.mark.parametrize("page", PAGES)
def test_an_organisations_owner_is_nobody_here(
    platform: TenantRef, tenants: Tenants, client_for: Callable[..., Client], page: str
) -> None:
    client = client_for(tenants.acme, person(tenants.acme, "owner"))
    client.defaults["HTTP_HOST"] = platform.host
    assert client.get(page)["Location"] == f"/accounts/login/?next={page}"


@pytest.mark.parametrize("page", ["/catalog/", "/tenants/", "/tenants/acme/suspend/"])
def test_the_console_is_not_on_an_organisations_host(acme_admin: Client, page: str) -> None:
    assert acme_admin.get(page).status_code == 404


def test_nobody_but_the_platforms_admin_changes_anything(
    platform: TenantRef, tenants: Tenants, client_for: Callable[..., Client]
) -> None:
    member = client_for(platform, person(platform, "member"))
    for url in POSTS:
        assert member.post(url, DECISION).status_code == 403
        assert client_for(platform).post(url, DECISION)["Location"].startswith("/accounts/login/")
    with tenant_scope(platform):
        assert not AuditEntry.objects.exclude(action="tenant.created").exists()
    assert client_for(tenants.acme).get("/accounts/login/").status_code == 200


def test_one_signs_in_on_the_platforms_host_but_does_not_sign_up(
    platform: TenantRef, client_for: Callable[..., Client]
) -> None:
    assert client_for(platform).get("/accounts/login/").status_code == 200
    assert client_for(platform).get("/accounts/signup/")["Location"] == "/accounts/login/"
    assert (
        client_for(platform)
        .post("/accounts/signup/", {"email": "x@example.com", "password1": "a-long-one-77"})
        .status_code
        == 302
    )


@pytest.mark.parametrize("page", GARBAGE)
def test_an_address_of_nothing_is_404(staff: Client, page: str) -> None:
    assert staff.get(page).status_code == 404


@pytest.mark.parametrize("query", ["q=%00", "q=" + "x" * 5000, "state=%00", "page=-1", "page=" + "9" * 6000, "q=%25_"])
@pytest.mark.parametrize("page", ["/catalog/", "/tenants/"])
def test_garbage_in_a_query_is_no_error(staff: Client, page: str, query: str) -> None:
    assert staff.get(f"{page}?{query}").status_code == 200


def test_wrong_methods_are_refused(staff: Client) -> None:
    assert staff.get("/tenants/acme/suspend/").status_code == 405
    assert staff.get("/tenants/acme/resume/").status_code == 405
    assert staff.post("/tenants/").status_code == 405
    assert staff.put("/catalog/pager/").status_code == 405
