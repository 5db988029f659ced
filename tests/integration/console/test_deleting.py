"""Deleting an organisation, from the console and by its owner, and bringing it back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from plugin_framework.models import AuditEntry
from plugin_framework.tenancy import tenant_scope
from saas.testing.people import confirmed, person
from tests.conftest import Tenants

pytestmark = pytest.mark.usefixtures("plugins")


def test_staff_deletes_and_brings_back(staff: Client, acme_admin: Client) -> None:
    confirmed(staff)
    page = staff.get("/tenants/acme/").text
    assert all(words in page for words in ("type <code>acme</code>", "After 30 days", "can be brought back"))
    assert staff.post("/tenants/acme/delete/", {"confirmation": "acme"})["Location"] == "/tenants/acme/"
    assert acme_admin.get("/").status_code == 410
    page = staff.get("/tenants/acme/").text
    assert "Bring it back" in page
    assert 'action="/tenants/acme/delete/"' not in page
    staff.post("/tenants/acme/undelete/")
    assert acme_admin.get("/").status_code == 200


@pytest.mark.parametrize("typed", ["", "Acme Inc", "globex", "x" * 5000, "ac\x00me"])
def test_without_the_short_name_nothing_is_deleted(staff: Client, acme_admin: Client, typed: str) -> None:
    answer = confirmed(staff).post("/tenants/acme/delete/", {"confirmation": typed})
    assert (answer.status_code, "Nothing was deleted." in answer.text) == (409, True)
    assert acme_admin.get("/").status_code == 200


def test_the_platform_itself_is_not_there_to_be_deleted(staff: Client) -> None:
    assert confirmed(staff).post("/tenants/admin/delete/", {"confirmation": "admin"}).status_code == 404
    assert staff.post("/tenants/admin/undelete/").status_code == 404
    assert staff.get("/").status_code == 200


def test_what_is_not_deleted_is_not_brought_back(staff: Client) -> None:
    answer = staff.post("/tenants/acme/undelete/", follow=True)
    assert "nothing to bring back" in answer.text


def test_its_owner_deletes_it_after_typing_its_short_name(tenants: Tenants, client_for: Callable[..., Client]) -> None:
    owner = confirmed(client_for(tenants.acme, person(tenants.acme, "owner")))
    assert "type <code>acme</code>" in owner.get("/settings/organisation/").text
    refused = owner.post("/settings/organisation/delete/", {"confirmation": "acme inc"})
    assert (refused.status_code, "Nothing was deleted." in refused.text) == (409, True)
    assert owner.post("/settings/organisation/delete/", {"confirmation": "acme"})["Location"] == "/"
    assert owner.get("/").status_code == 410
    with tenant_scope(tenants.acme):
        assert AuditEntry.objects.get(action="tenant.deleted").actor == "owner@acme.example"


@pytest.mark.parametrize("role", ["admin", "member"])
def test_nobody_but_an_owner_deletes_it(tenants: Tenants, client_for: Callable[..., Client], role: str) -> None:
    someone = client_for(tenants.acme, person(tenants.acme, role))
    assert "Delete the organisation" not in someone.get("/settings/organisation/").text
    assert someone.post("/settings/organisation/delete/", {"confirmation": "acme"}).status_code == 403
    assert "/settings/organisation/delete/" not in someone.get("/").text
    assert client_for(tenants.acme).post("/settings/organisation/delete/").status_code == 302
    assert someone.get("/").status_code == 200
