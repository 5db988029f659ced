"""Who may open which page of an organisation."""

from __future__ import annotations

import uuid

import pytest
from django.test import Client
from pytest_django import Settings

from plugin_framework.models import AuditEntry, Delivery, PluginState
from plugin_framework.tenancy import tenant_scope
from tests.conftest import Tenants

ADMIN_PAGES = [
    "/settings/plugins/",
    "/settings/plugins/pager/",
    "/settings/plugins/pager/enable/",
    "/settings/plugins/pager/deliveries/",
    "/settings/plugins/pager/deliveries/{delivery}/",
    "/settings/people/",
    "/settings/audit/",
]
ADMIN_POSTS = [
    "/settings/plugins/pager/enable/",
    "/settings/plugins/pager/disable/",
    "/settings/plugins/pager/configure/",
    "/settings/plugins/pager/test/",
    "/settings/plugins/pager/deliveries/{delivery}/redeliver/",
    "/settings/people/invite/",
]
GARBAGE = [
    "/settings/plugins/unknown/",
    "/settings/plugins/unknown/enable/",
    "/settings/plugins/unknown/disable/",
    "/settings/plugins/unknown/deliveries/",
    "/settings/plugins/Pager/",
    "/settings/plugins/..%2f..%2fetc/",
    "/settings/plugins/pager%00/",
    "/settings/plugins/pager%0a/",
    "/settings/plugins/" + "p" * 300 + "/",
    "/settings/plugins/p%C3%A4ger/",
    "/settings/plugins/pager/deliveries/0/",
    "/settings/plugins/pager/deliveries/-1/",
    "/settings/plugins/pager/deliveries/x/",
    "/settings/plugins/pager/deliveries/99999999999999999999999999/",
    "/settings/plugins/rota/deliveries/{delivery}/",  # another plugin's
    "/settings/nothing/",
]

pytestmark = pytest.mark.usefixtures("plugins")


@pytest.fixture
def delivery(tenants: Tenants) -> int:
    """A delivery of acme's pager."""
    with tenant_scope(tenants.acme):
        row = Delivery.objects.create(
            event_id=uuid.uuid4(),
            idempotency_key=uuid.uuid4(),
            hook="alarm",
            plugin="pager",
            handler="on_alarm",
            payload=[],
            state="dead",
            attempts=10,
            last_error="The gateway answered 410 Gone.",
        )
        return int(row.pk)


@pytest.mark.parametrize("page", ["/", *ADMIN_PAGES])
def test_somebody_not_signed_in_is_sent_to_sign_in_and_back(anonymous: Client, delivery: int, page: str) -> None:
    url = page.format(delivery=delivery)
    answer = anonymous.get(url)
    assert (answer.status_code, answer["Location"]) == (302, f"/accounts/login/?next={url}")


@pytest.mark.parametrize("page", ADMIN_PAGES)
def test_an_admin_sees_every_settings_page(admin: Client, delivery: int, page: str) -> None:
    assert admin.get(page.format(delivery=delivery)).status_code == 200


@pytest.mark.parametrize("page", ADMIN_PAGES)
def test_a_member_gets_403_on_every_settings_page(member: Client, delivery: int, page: str) -> None:
    assert member.get(page.format(delivery=delivery)).status_code == 403


@pytest.mark.parametrize("page", ["/", *ADMIN_PAGES])
def test_another_organisations_owner_is_nobody_here(stranger: Client, delivery: int, page: str) -> None:
    assert stranger.get(page.format(delivery=delivery))["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("page", ADMIN_POSTS)
def test_nobody_but_an_admin_changes_anything(
    member: Client, stranger: Client, anonymous: Client, tenants: Tenants, delivery: int, page: str
) -> None:
    url = page.format(delivery=delivery)
    with tenant_scope(tenants.acme):
        before = AuditEntry.objects.count()
    assert member.post(url, {"email": "x@example.com"}).status_code == 403
    for client in (stranger, anonymous):
        assert client.post(url, {"email": "x@example.com"})["Location"].startswith("/accounts/login/")
    with tenant_scope(tenants.acme):
        assert AuditEntry.objects.count() == before
        assert not PluginState.objects.exists()
        assert Delivery.objects.get().state == "dead"


def test_after_signing_in_again_one_lands_on_a_page_that_can_be_opened(
    anonymous: Client, admin: Client, delivery: int
) -> None:
    for page in ADMIN_POSTS:
        landing = anonymous.post(page.format(delivery=delivery))["Location"].partition("next=")[2]
        assert admin.get(landing).status_code == 200, landing


@pytest.mark.parametrize("page", ["configure/", "test/", "deliveries/{delivery}/redeliver/"])
def test_what_changes_something_does_not_answer_to_get(admin: Client, delivery: int, page: str) -> None:
    assert admin.get("/settings/plugins/pager/" + page.format(delivery=delivery)).status_code == 405


@pytest.mark.parametrize("page", ["/", "/settings/plugins/", "/settings/plugins/pager/", "/settings/audit/"])
def test_what_only_shows_does_not_answer_to_post(admin: Client, page: str) -> None:
    assert admin.post(page).status_code == 405


@pytest.mark.parametrize("page", GARBAGE)
def test_an_address_of_nothing_is_404(admin: Client, delivery: int, page: str) -> None:
    assert admin.get(page.format(delivery=delivery)).status_code == 404


@pytest.mark.parametrize(
    "query", ["q=%00", "q=" + "x" * 5000, "state=%00", "page=-1", "page=%00", "page=" + "9" * 6000, "q=%25_"]
)
@pytest.mark.parametrize("page", ["/settings/plugins/", "/settings/audit/", "/settings/plugins/pager/deliveries/"])
def test_garbage_in_a_query_is_no_error(admin: Client, page: str, query: str) -> None:
    assert admin.get(f"{page}?{query}").status_code == 200


def test_a_form_from_elsewhere_changes_nothing(tenants: Tenants, admin: Client) -> None:
    admin.handler.enforce_csrf_checks = True
    assert admin.post("/settings/plugins/pager/enable/").status_code == 403
    with tenant_scope(tenants.acme):
        assert not PluginState.objects.exists()


def test_a_browser_that_opens_what_only_takes_forms_reads_why_and_where_to_go(admin: Client) -> None:
    opened = admin.get("/account/data/erase/", headers={"accept": "text/html,*/*"})
    assert (opened.status_code, opened.headers["Allow"]) == (405, "POST")
    assert ("only takes what a form sends" in opened.text, "Go to the dashboard" in opened.text) == (True, True)
    sent = admin.post("/settings/audit/", headers={"accept": "text/html"})
    assert (sent.status_code, "It only shows a page" in sent.text) == (405, True)
    assert admin.get("/account/data/erase/", headers={"accept": "application/json"}).content == b""


def test_what_is_too_much_at_once_is_answered_as_that(admin: Client, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 100
    answer = admin.post("/account/", {"name": "x" * 200})
    assert (answer.status_code, "more than can be sent at once" in answer.text) == (413, True)
