"""A process whose code is ahead of a tenant's tables serves everybody else, and says so; nothing of that tenant is tried."""

from __future__ import annotations

from collections.abc import Callable

from django.core.management import call_command
from django.db import connection
from django.db.models.functions import Now
from django.test import Client
from django.test.utils import CaptureQueriesContext

from plugin_framework import activation, configuration, hooks, lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.catalog.revisions import bump_tenant
from plugin_framework.db import recorded
from plugin_framework.delivery.models import Lane
from plugin_framework.gate import Reason
from plugin_framework.tenancy import public_scope, tenant_scope
from saas.testing.actions import deliver
from saas.testing.people import person
from tests.conftest import Tenants
from tests.dummies.gated import HEARD
from tests.support.fleet import set_back

PAGE = "/accounts/login/"


def test_its_pages_say_that_it_is_being_updated_until_it_is(
    tenants: Tenants, client_for: Callable[..., Client]
) -> None:
    recorded.forget()
    with tenant_scope(tenants.acme), connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'sessions'")
    answer = client_for(tenants.acme).get(PAGE)
    assert answer.status_code == 503
    assert "Acme is being updated" in answer.content.decode()
    assert (answer["Retry-After"], answer["Refresh"]) == ("5", "5")
    assert client_for(tenants.globex).get(PAGE).status_code == 200
    with tenant_scope(tenants.acme), connection.cursor() as cursor:
        cursor.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('sessions', '0001_initial', now())")
    assert client_for(tenants.acme).get(PAGE).status_code == 200


def test_whether_it_is_behind_is_asked_once_in_a_process(tenants: Tenants, client_for: Callable[..., Client]) -> None:
    recorded.forget()
    asked = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as queries:
            assert client_for(tenants.acme).get(PAGE).status_code == 200
        asked.append(sum("django_migrations" in query["sql"] for query in queries.captured_queries))
    assert asked == [2, 0]


def test_a_schema_that_is_not_there_is_not_served_from_the_public_one(
    tenants: Tenants, client_for: Callable[..., Client]
) -> None:
    recorded.forget()
    with connection.cursor() as cursor:
        cursor.execute(f'DROP SCHEMA "{tenants.acme.schema}" CASCADE')
    assert client_for(tenants.acme).get(PAGE).status_code == 503


def test_its_deliveries_wait_for_the_tables_of_the_worker(committed_db: str, tenants: Tenants) -> None:
    with tenant_scope(tenants.acme):
        configuration.configure("canary", SYSTEM, {"canary": "tweet"})
        configuration.configure("gated", SYSTEM, {"number": 3})
        lifecycle.enable("gated", SYSTEM)
        hooks.emit("gated_event", "kept")
    set_back(tenants.acme)
    recorded.forget()
    HEARD.clear()
    with tenant_scope(tenants.acme):
        assert [(row.state, row.attempts) for row in deliver()] == [("due", 0)]
        call_command("migrate_tenants", "--tenant", "acme", "--verbosity", "0")
    with public_scope():
        Lane.objects.update(next_at=Now())  # the wait, which is a few seconds
    with tenant_scope(tenants.acme):
        assert [row.state for row in deliver()] == ["done"]
    assert HEARD == ["kept"]


def test_a_plugin_whose_tables_are_behind_rests_alone_and_its_events_are_kept(
    committed_db: str, tenants: Tenants, client_for: Callable[..., Client]
) -> None:
    with tenant_scope(tenants.acme):
        lifecycle.enable("announcements", SYSTEM)
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM django_migrations WHERE app = 'announcements_plugin' AND name <> '0001_initial'"
            )
        bump_tenant()
    admin = client_for(tenants.acme, person(tenants.acme, "admin"))
    answer = admin.get("/apps/announcements/")
    assert answer.status_code == 503
    assert "Announcements is being updated" in answer.content.decode()
    assert admin.get("/").status_code == 200
    page = admin.get("/settings/plugins/announcements/").content.decode()
    assert "its tables here are still those of an older version" in page
    with tenant_scope(tenants.acme), connection.cursor() as cursor:
        assert activation.current().decision("announcements").reason is Reason.UPDATING
        cursor.execute(
            "INSERT INTO django_migrations (app, name, applied) "
            "VALUES ('announcements_plugin', '0002_moments_and_words_of_links', now())"
        )
        bump_tenant()
    assert admin.get("/apps/announcements/").status_code == 200
