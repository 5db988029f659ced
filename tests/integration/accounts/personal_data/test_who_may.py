"""Whose data somebody may have or erase: their own, as an admin everybody's but an owner's; never a neighbour's, never by mistake."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from django.test import Client

from plugin_framework.audit import Actor, record
from plugin_framework.models import AuditEntry
from plugin_framework.tenancy import tenant_scope
from saas.testing.people import person
from tenants.accounts import people, personal_data
from tenants.accounts.models import User
from tests.conftest import Tenants
from tests.integration.accounts.personal_data.notebook import (
    ADA,
    SHE,
    client,
)


@pytest.mark.parametrize("confirmation", ["", "admin@acme.example", "ada@", "\x00"])
def test_nothing_is_erased_without_the_address_typed(admin: Client, tenants: Tenants, confirmation: str) -> None:
    answer = admin.post(f"{SHE}erase/", {"email": ADA, "confirmation": confirmation})
    assert (answer.status_code, f"Type {ADA} to erase" in answer.text) == (409, True)
    with tenant_scope(tenants.acme):
        assert User.objects.filter(email=ADA).exists()


@pytest.mark.parametrize("email", ["", "nobody", "a\x00b@acme.example", "x" * 300 + "@acme.example"])
def test_an_address_of_garbage_is_asked_for_again(admin: Client, email: str) -> None:
    for answer in (
        admin.get(SHE, {"email": email}),
        admin.post(f"{SHE}export/", {"email": email}),
        admin.post(f"{SHE}erase/", {"email": email, "confirmation": email}),
    ):
        assert (answer.status_code, bool(answer.context["form"].errors)) == (400, True)


def test_a_member_gets_nobody_elses(ada: Client, tenants: Tenants) -> None:
    assert ada.get(SHE, {"email": "admin@acme.example"}).status_code == 403
    for action in ("export", "erase"):
        form = {"email": "admin@acme.example", "confirmation": "admin@acme.example"}
        assert ada.post(f"{SHE}{action}/", form).status_code == 403
        assert ada.post(f"/account/data/{action}/", form).status_code in (200, 409)
    with tenant_scope(tenants.acme):
        assert User.objects.filter(email="admin@acme.example").exists()


def test_the_neighbours_people_are_nobody_here(admin: Client, tenants: Tenants) -> None:
    theirs = person(tenants.globex, "owner", "gus@globex.example")
    leave = {"email": "gus@globex.example", "confirmation": "gus@globex.example"}
    assert "Nothing is kept under this address" in admin.get(SHE, leave).text
    assert json.loads(admin.post(f"{SHE}export/", leave).content)["account"] is None
    admin.post(f"{SHE}erase/", leave)
    with tenant_scope(tenants.globex):
        assert User.objects.filter(pk=theirs.pk).exists()
        assert not AuditEntry.objects.filter(action__startswith="person.e").exists()


def test_an_admin_does_not_erase_an_owner_and_the_last_owner_not_themselves(
    admin: Client, tenants: Tenants, staff: dict[str, User], client_for: Callable[..., Client]
) -> None:
    owner = client(client_for, tenants, staff["owner"])
    theirs = {"email": "owner@acme.example", "confirmation": "owner@acme.example"}
    assert "whose data only an owner can erase" in admin.get(SHE, theirs).text
    assert "Only an owner can remove an owner" in admin.post(f"{SHE}erase/", theirs).text
    assert "last owner" in owner.post("/account/data/erase/", theirs).text
    assert "last owner" in owner.post(f"{SHE}erase/", theirs).text
    with tenant_scope(tenants.acme):
        assert User.objects.filter(pk=staff["owner"].pk).exists()


def test_an_unproven_address_gives_nobody_anothers_data(ada: Client, tenants: Tenants, staff: dict[str, User]) -> None:
    with tenant_scope(tenants.acme):
        staff["ada"].emailaddress_set.create(email="admin@acme.example", verified=False, primary=False)  # type: ignore[attr-defined]  # allauth's
        record(Actor("admin@acme.example"), "plugin.enabled", "x")
    found = json.loads(ada.post("/account/data/export/").content)
    assert {each["email"] for each in found.pop("addresses")} == {"admin@acme.example"}
    assert "admin@acme.example" not in json.dumps(found)


@pytest.mark.parametrize("whom", ["each other", "themselves"])
@pytest.mark.usefixtures("committed_db")
def test_of_two_owners_who_erase_at_once_one_stays(tenants: Tenants, whom: str) -> None:
    for round_ in range(4):
        one, two = (person(tenants.acme, "owner", f"{name}{round_}@acme.example") for name in ("one", "two"))
        start = Barrier(2)

        def run(by: User, other: User, start: Barrier = start) -> bool:
            try:
                with tenant_scope(tenants.acme):
                    connection.ensure_connection()
                    start.wait(30)
                    erased = personal_data.person_of(other)
                    personal_data.erase(erased, Actor(by.email), by=by, confirmation=other.email)
                    return True
            except people.NotPossible:
                return False
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as pool:
            outcomes = list(pool.map(run, (one, two), (two, one) if whom == "each other" else (one, two)))
        assert sorted(outcomes) == [False, True]
        with tenant_scope(tenants.acme):
            assert User.objects.filter(role="owner").count() == 1
            User.objects.all().delete()
