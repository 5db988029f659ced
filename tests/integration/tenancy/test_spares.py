"""The pool of spare schemas: filled, taken from, put back, sorted out when the migrations have moved on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from threading import Barrier, Event

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from plugin_framework.audit import Actor
from plugin_framework.delivery.models import Schedule
from plugin_framework.models import AuditEntry, Delivery
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from saas.signup.service import sign_up
from saas.testing.people import PASSWORD
from tenants import blueprint, directory, fleet, spares
from tenants.behind import behind
from tenants.models import Blueprint, Spare, State, Tenant
from tenants.provisioning import SlugTaken, create_at_once, create_tenant
from tests.conftest import Tenants
from tests.support.orphans import orphans

pytestmark = pytest.mark.usefixtures("committed_db", "tenants")
WANTED = 4
FEW = 17  # statements of a sign-up, with BEGIN and COMMIT; django-tenants sends some 250


@pytest.fixture
def pool(settings: Settings, tenants: Tenants) -> set[str]:
    """Four spares, as a worker would have made them."""
    settings.SPARE_SCHEMAS = WANTED
    fill()
    return ready()


def fill() -> None:
    while spares.tend():
        pass


def ready() -> set[str]:
    with public_scope():
        return set(Spare.objects.values_list("schema_name", flat=True))


def wanted(slug: str) -> dict[str, str]:
    return {
        "organisation": slug.title(),
        "slug": slug,
        "name": "Bill",
        "email": f"b@{slug}.example",
        "password": PASSWORD,
    }


def move_on() -> None:
    """Let the blueprint be of older migrations than the installed ones, as after a deploy."""
    with public_scope():
        Blueprint.objects.update(code="of an older release")


def test_a_sign_up_takes_a_spare_and_leaves_nothing_to_be_made(pool: set[str]) -> None:
    tenant = sign_up(**wanted("initech")).tenant
    assert tenant.schema in pool
    assert ready() == pool - {tenant.schema}
    assert behind([tenant.schema]) == {}
    with tenant_scope(tenant):
        assert list(AuditEntry.objects.order_by("pk").values_list("action", flat=True)) == [
            "tenant.created",
            "person.registered",
        ]
    assert orphans() == []


def test_a_sign_up_is_a_few_statements_and_none_of_them_makes_anything(pool: set[str]) -> None:
    with CaptureQueriesContext(connection) as asked:
        sign_up(**wanted("initech"))
    statements = [query["sql"] for query in asked]
    assert len(statements) <= FEW, statements
    assert not [each for each in statements if each.lstrip().startswith(("CREATE", "ALTER", "DROP"))]


def test_it_begins_with_the_schedule_that_one_has_whose_schema_is_made(pool: set[str]) -> None:
    from_pool = create_tenant("initech", "Initech", Actor("tests"))
    own = create_tenant("hooli", "Hooli", Actor("tests"), from_pool=False)
    assert len(scheduled(own)) > 1
    assert scheduled(from_pool) == scheduled(own)


def scheduled(tenant: TenantRef) -> list[tuple[str, str, str, datetime]]:
    """The jobs of a tenant, and when they are due."""
    with public_scope():
        jobs = Schedule.objects.filter(tenant_schema=tenant.schema).order_by("plugin", "job")
        return list(jobs.values_list("plugin", "job", "expression", "due_at"))


def test_its_owner_lands_in_it_signed_in(pool: set[str]) -> None:
    answer = Client(headers={"host": "localhost"}).post("/signup/", wanted("initech"))
    page = Client().get(answer["Location"], follow=True, headers={"host": "initech.localhost"})
    assert page.context["user"].email == "b@initech.example"
    assert len(ready()) == WANTED - 1


def test_those_who_sign_up_at_once_get_a_schema_each(pool: set[str]) -> None:
    start = Barrier(WANTED)

    def one(number: int) -> str:
        try:
            start.wait(30)
            return sign_up(**wanted(f"firm{number}")).tenant.schema
        finally:
            connection.close()

    with ThreadPoolExecutor(WANTED) as threads:
        taken = list(threads.map(one, range(WANTED)))
    assert set(taken) == pool
    assert ready() == set()
    assert orphans() == []


def test_none_of_them_waits_for_anothers_commit(pool: set[str]) -> None:
    done, may_commit = Event(), Event()

    def slow() -> str:
        try:
            with transaction.atomic():
                schema = sign_up(**wanted("slow")).tenant.schema
                done.set()
                assert may_commit.wait(30)
                return schema
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as thread:
        first = thread.submit(slow)
        assert done.wait(30)
        second = sign_up(**wanted("quick")).tenant.schema
        assert directory.by_slug("slow") is None, "it has not committed yet"
        may_commit.set()
        assert {first.result(), second} < pool


def test_an_address_that_is_taken_keeps_the_spare(pool: set[str]) -> None:
    with pytest.raises(SlugTaken):
        sign_up(**wanted("acme"))
    assert ready() == pool
    with transaction.atomic():
        with pytest.raises(SlugTaken):
            create_tenant("acme", "Acme", Actor("tests"))
    assert ready() == pool
    assert orphans() == []


def test_a_rollback_puts_it_back(pool: set[str]) -> None:
    with transaction.atomic():
        sign_up(**wanted("initech"))
        transaction.set_rollback(True)
    assert ready() == pool
    assert orphans() == []


def test_no_plan_or_plugin_of_an_abandoned_sign_up_shows_in_the_next_one(pool: set[str]) -> None:
    """The schema is the same one, and so are the names under which this process remembers things."""
    with public_scope():
        Spare.objects.exclude(schema_name=sorted(pool)[0]).delete()
    with transaction.atomic():
        first = sign_up(**wanted("initech")).tenant
        transaction.set_rollback(True)
    second = sign_up(**wanted("initrode")).tenant
    assert first.schema == second.schema
    page = Client().get("/", headers={"host": second.host}, follow=True)
    assert "Initrode" in page.content.decode()
    assert "Initech" not in page.content.decode()


def test_the_worker_is_asked_for_more_before_the_pool_is_empty(pool: set[str], tenants: Tenants) -> None:
    platform = directory.by_slug("admin")
    assert platform is not None

    def asked() -> int:
        with tenant_scope(platform.ref):
            return Delivery.objects.filter(handler="new_tenants").count()

    sign_up(**wanted("firm0"))
    sign_up(**wanted("firm1"))
    assert asked() == 0
    sign_up(**wanted("firm2"))
    assert asked() == 1


def test_the_pool_is_filled_up_to_what_is_wanted_and_emptied_down_to_it(pool: set[str], settings: Settings) -> None:
    assert len(pool) == WANTED
    settings.SPARE_SCHEMAS = 1
    fill()
    assert len(ready()) == 1
    assert ready() < pool
    assert orphans() == []


def test_one_at_a_time_fills_it(pool: set[str], settings: Settings) -> None:
    settings.SPARE_SCHEMAS = WANTED + 1
    held, may_end = Event(), Event()

    def other() -> None:
        try:
            with transaction.atomic():
                assert spares.tend()
                held.set()
                assert may_end.wait(30)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as thread:
        first = thread.submit(other)
        assert held.wait(30)
        assert not spares.tend(), "the other one is at it"
        may_end.set()
        first.result()
    fill()
    assert len(ready()) == WANTED + 1


def test_spares_of_older_migrations_are_given_to_nobody_and_replaced(pool: set[str]) -> None:
    move_on()
    with public_scope():
        Blueprint.objects.update(digest="of an older release")
        Spare.objects.update(blueprint="of an older release")
    assert fleet.migrate_public().error == ""
    assert spares.count() == spares.Pool(ready=0, stale=WANTED)
    assert create_at_once("initech", "Initech", Actor("tests")) is None
    fill()
    assert spares.count() == spares.Pool(ready=WANTED, stale=0)
    assert not ready() & pool
    assert behind(ready()) == {}
    assert orphans() == []


def test_a_deploy_waits_for_those_who_are_taking_one_of_the_old(pool: set[str]) -> None:
    """Else an organisation could appear, of the old migrations, after the deploy has looked who is behind."""
    taken, may_commit, deployed = Event(), Event(), Event()

    def visitor() -> None:
        try:
            with transaction.atomic():
                sign_up(**wanted("initech"))
                taken.set()
                assert may_commit.wait(30)
        finally:
            connection.close()

    def deploy() -> set[str]:
        try:
            fleet.migrate_public()
            deployed.set()
            return {entry.ref.slug for entry in directory.everyone()}
        finally:
            connection.close()

    move_on()
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(visitor)
        assert taken.wait(30)
        second = threads.submit(deploy)
        wait_for_lock()
        assert not deployed.is_set()
        may_commit.set()
        first.result()
        assert "initech" in second.result()


def wait_for_lock() -> None:
    from saas.testing.waiting import wait_until

    def waits() -> bool:
        with public_scope(), connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
            return bool(cursor.fetchone()[0])

    wait_until(waits, what="the deploy to wait")


def test_old_code_beside_new_makes_no_spares_that_the_new_one_would_throw_away(pool: set[str]) -> None:
    """Old and new workers run side by side during a deploy; what a spare is made of is said by the database."""
    move_on()  # as this process sees it once a newer release has migrated
    assert blueprint.can_be_made()
    with public_scope():
        Spare.objects.filter(schema_name=sorted(pool)[0]).delete()
        with connection.cursor() as cursor:
            cursor.execute(f'DROP SCHEMA "{sorted(pool)[0]}" CASCADE')
    fill()
    assert spares.count() == spares.Pool(ready=WANTED, stale=0)


def test_an_organisation_without_a_pool_is_made_in_the_request(settings: Settings) -> None:
    assert settings.SPARE_SCHEMAS == 0
    tenant = sign_up(**wanted("initech")).tenant
    with public_scope():
        assert Tenant.objects.get(slug="initech").state == State.ACTIVE
    assert behind([tenant.schema]) == {}
    assert orphans() == []


def test_all_organisations_are_read_in_one_statement_with_their_hosts() -> None:
    create_tenant("initech", "Initech", Actor("tests"))
    with CaptureQueriesContext(connection) as asked:
        found = {entry.ref.slug: entry.ref.host for entry in directory.everyone()}
    assert found["initech"] == "initech.localhost"
    assert found["admin"] == "admin.localhost"
    assert len([query for query in asked if "tenants_" in query["sql"]]) == 1
