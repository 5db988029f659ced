"""Nothing in a request or a delivery reads PostgreSQL's catalog of tables: of thousands of schemas that is half a million rows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from plugin_framework import activation, configuration, lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.delivery import prepared
from plugin_framework.models import Delivery
from plugin_framework.quotas import storage
from plugin_framework.tenancy import TenantRef, tenant_scope
from saas.testing.people import PASSWORD, person
from saas.testing.statements import written_down
from tenants import directory
from tenants.provisioning import ensure_platform
from tests.conftest import Tenants
from tests.support.queue import work_off
from tests.support.routes import addresses

# What lists tables, of which PostgreSQL can find none without looking at all of them.
LISTS = re.compile(
    r"information_schema|pg_tables|pg_indexes|pg_views|pg_sequences|pg_table_is_visible|pg_stat_(all|user)", re.I
)
# And what is there to be looked into at all: fine while a plugin's tables are made, where each is found by its name.
CATALOG = re.compile(
    LISTS.pattern + r"|\bpg_(class|attribute|namespace|constraint|index|type|depend|proc|attrdef)\b", re.I
)

NEWCOMER = {"email": "new@acme.example", "password": PASSWORD, "name": "New"}


def among(statements: Iterable[str], forbidden: re.Pattern[str]) -> list[str]:
    return [each for each in statements if forbidden.search(each)]


def client_of(ref: TenantRef | None, user: Any = None) -> Client:
    client = Client(headers={"host": ref.host if ref else settings.BASE_DOMAIN}, raise_request_exception=False)
    if ref and user:
        with tenant_scope(ref):
            client.force_login(user)
    return client


@pytest.fixture
def acme(tenants: Tenants) -> TenantRef:
    """A tenant with plugins that have pages and tables of their own."""
    with tenant_scope(tenants.acme):
        configuration.configure("invoices", SYSTEM, {"seller_address": "1 Road"})
        for name in ("invoices", "announcements", "usage_analytics", "webhooks"):
            lifecycle.enable(name, SYSTEM)
    return tenants.acme


def visit(client: Client, paths: Iterable[str]) -> list[str]:
    """What opening each page says to the server, cold and then warm."""
    with written_down() as said:
        for path in paths:
            if "logout" not in path:
                activation.cache.clear()
                for _ in range(2):
                    assert client.get(path).status_code < 500, path
    return said


def measured(ref: TenantRef) -> None:
    """Let the clock have measured its tables: a page looks at them itself only before the first time."""
    with tenant_scope(ref):
        storage.measure()


def test_no_page_of_an_organisation_does(acme: TenantRef) -> None:
    measured(acme)
    owner = person(acme, "owner")
    for client in (client_of(acme), client_of(acme, owner)):
        said = visit(client, addresses("saas.urls_tenant"))
        assert len(said) > 100
        assert among(said, CATALOG) == []


def test_no_page_of_the_platform_or_the_public_host_does(tenants: Tenants) -> None:
    platform = ensure_platform()
    for ref in (platform, tenants.acme, tenants.globex):
        measured(ref)
    said = visit(client_of(platform, person(platform, "owner")), addresses("saas.urls_platform"))
    said += visit(client_of(None), addresses("saas.urls_public"))
    assert len(said) > 100
    assert among(said, CATALOG) == []


def test_coming_in_does_not(acme: TenantRef) -> None:
    with written_down() as said:
        registered = client_of(acme).post("/register/", NEWCOMER)
        person(acme, "member", "old@acme.example")
        signed_in = client_of(acme).post("/accounts/login/", {"login": "old@acme.example", "password": PASSWORD})
    assert (registered.status_code, signed_in.status_code) == (302, 302)
    assert among(said, CATALOG) == []


def test_a_delivery_does_not(committed_db: str, acme: TenantRef) -> None:
    assert client_of(acme).post("/register/", NEWCOMER).status_code in (201, 302)
    with tenant_scope(acme):
        waiting = Delivery.objects.filter(state="due", plugin="webhooks").count()
    assert waiting
    with written_down() as said:
        work_off()
    with tenant_scope(acme):
        assert Delivery.objects.filter(state="done", plugin="webhooks").count() == waiting
    assert len(said) > 10
    assert among(said, CATALOG) == []


def test_making_and_removing_tables_lists_none(acme: TenantRef) -> None:
    """A sign-up too, where no spare schema is left: Django's migrations would ask for all tables there are."""
    owner = client_of(acme, person(acme, "owner"))
    with written_down() as said:
        for page in ("disable", "purge", "enable"):
            done = owner.post(f"/settings/plugins/announcements/{page}/", {"confirmation": "announcements"})
            assert done.status_code == 302
        signed_up = {
            "organisation": "Initech",
            "slug": "initech",
            "name": "B",
            "email": "b@initech.example",
            "password": PASSWORD,
        }
        assert client_of(None).post("/signup/", signed_up).status_code == 302
    assert directory.by_slug("initech") is not None
    assert len(among(said, re.compile("CREATE TABLE|DROP TABLE"))) > 1
    assert among(said, LISTS) == []


def test_the_tables_of_a_schema_are_listed_by_what_depends_on_it(acme: TenantRef) -> None:
    """Each of Django's questions for all tables is answered like that."""
    with tenant_scope(acme), connection.cursor() as cursor:
        mine = {table.name for table in connection.introspection.get_table_list(cursor)}
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind = 'r'", [acme.schema]
        )
        assert mine == {name for (name,) in cursor.fetchall()} >= {"accounts_user", "announcements_plugin_announcement"}
    assert "tenants_tenant" not in mine


@pytest.mark.parametrize("way", ["a query", "a prepared statement", "another connection"])
def test_one_that_is_planted_is_found(acme: TenantRef, way: str, committed_db: str) -> None:
    planted = "SELECT count(*) FROM information_schema.tables"
    with written_down() as said, tenant_scope(acme):
        if way == "a prepared statement":
            prepared.one(planted, {})
        else:
            if way == "another connection":
                connection.close()
            with connection.cursor() as cursor:
                cursor.execute(planted)
    assert [planted in each for each in among(said, CATALOG)] == [True]
