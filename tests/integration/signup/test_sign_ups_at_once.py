"""Several sign up for one address at the same time, or something fails in the middle; transactions really commit."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from django.test import Client

from plugin_framework.registry import registry
from plugin_framework.sdk import UnknownHook
from plugin_framework.tenancy import public_scope, tenant_scope
from saas.signup.service import sign_up
from saas.testing.people import PASSWORD
from tenants import directory
from tenants.accounts.models import User
from tenants.models import Domain, Tenant
from tests.conftest import Tenants

RACERS = 4
pytestmark = pytest.mark.usefixtures("committed_db")


def schemas() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 't\\_%%'")
        return {row[0] for row in cursor.fetchall()}


def test_of_several_who_want_one_address_one_gets_it_and_the_others_are_told(tenants: Tenants) -> None:
    start = Barrier(RACERS)

    def race(number: int) -> tuple[int, str]:
        try:
            form = {"organisation": "Initech", "slug": "initech", "name": "Bill", "password": PASSWORD}
            client = Client(headers={"host": "localhost"})
            start.wait(30)
            answer = client.post("/signup/", {**form, "email": f"bill{number}@initech.example"})
            return answer.status_code, answer.content.decode()
        finally:
            connection.close()

    before = schemas()
    with ThreadPoolExecutor(RACERS) as pool:
        answers = list(pool.map(race, range(RACERS)))
    assert sorted(status for status, _ in answers) == [302] + [400] * (RACERS - 1)
    assert all("is taken" in body and "How about initech-org?" in body for status, body in answers if status == 400)
    with public_scope():
        assert Tenant.objects.filter(slug__startswith="initech").count() == 1
        assert Domain.objects.filter(domain="initech.localhost").count() == 1
    assert len(schemas() - before) == 1
    entry = directory.by_slug("initech")
    assert entry is not None
    with tenant_scope(entry.ref):
        assert User.objects.count() == 1


def test_a_sign_up_that_fails_at_its_last_step_leaves_nothing(tenants: Tenants) -> None:
    before, point = schemas(), registry.points.pop("user_registered")
    wanted = {
        "organisation": "Initech",
        "slug": "initech",
        "name": "Bill",
        "email": "b@initech.example",
        "password": PASSWORD,
    }
    try:
        with pytest.raises(UnknownHook):
            sign_up(**wanted)
    finally:
        registry.points["user_registered"] = point
    assert schemas() == before
    assert directory.by_slug("initech") is None
    assert sign_up(**wanted).tenant.slug == "initech"
