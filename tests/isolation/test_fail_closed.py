"""What is missing is an error: never a row of `public` or of another tenant in its place, though both lie ready under the same names."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from secrets import token_hex
from threading import Thread
from typing import Any

import psycopg
import pytest
from django.apps import apps
from django.core.cache import cache
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.utils import ProgrammingError
from django.test import Client
from psycopg import errors, sql
from psycopg_pool import ConnectionPool

from plugin_framework import activation, hooks, lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.db.router import OtherTenant
from plugin_framework.models import AuditEntry
from plugin_framework.sdk import NoTenant, plugin_registry
from plugin_framework.tenancy import TenantRef, no_scope, public_scope, tenant_scope
from saas.testing import source
from saas.testing.people import person
from tenants.accounts.models import User
from tenants.models import Domain, Tenant
from tenants.names import new_schema_name
from tests.conftest import Tenants

PAGES = ("/", "/settings/plugins/", "/settings/plugins/orders/", "/settings/people/", "/settings/audit/",
         "/settings/deliveries/", "/apps/orders/", "/apps/orders/1/", "/accounts/email/", "/register/")  # fmt: skip


@dataclass(frozen=True)
class World:
    """acme, whose tables go missing; globex, whose rows also lie in `public` under the same names; and the mark on all of them."""

    acme: TenantRef
    globex: TenantRef
    canary: str
    client: Client

    def ask(self, path: str, **posted: str) -> tuple[int, bool]:
        """The status, and whether the mark of somebody else's rows is in the page."""
        answer = self.client.post(path, posted) if posted else self.client.get(path)
        return answer.status_code, self.canary in answer.content.decode()


def order(ref: TenantRef, name: str) -> Any:
    with tenant_scope(ref):
        return apps.get_model("orders_plugin", "Order").objects.create(customer_name=name, customer_email="a@b.example")


@pytest.fixture
def world(committed_db: str, tenants: Tenants, client_for: Callable[..., Client]) -> World:
    canary = f"canary{token_hex(16)}"
    for ref, name in ((tenants.acme, "Ada"), (tenants.globex, canary)):
        owner = person(ref, "owner", f"{name}@example.com")
        with tenant_scope(ref):
            User.objects.filter(pk=owner.pk).update(name=name)
            AuditEntry.objects.create(actor="x", action=name[:40], target=name)
            lifecycle.enable("orders", SYSTEM)
        order(ref, name)
    with tenant_scope(tenants.acme):
        client = client_for(tenants.acme, User.objects.get(name="Ada"))
    client.raise_request_exception = False
    _lay_decoys(tenants)
    return World(tenants.acme, tenants.globex, canary, client)


def _lay_decoys(tenants: Tenants) -> None:
    """In public a copy of each of globex's tables; the session of acme's owner is in it, and opens it."""
    with public_scope(), connection.cursor() as cursor:
        for table in source.tables(tenants.globex.schema) - source.tables("public"):
            cursor.execute(f'CREATE TABLE public."{table}" AS TABLE "{tenants.globex.schema}"."{table}"')
        cursor.execute(f'INSERT INTO public.django_session TABLE "{tenants.acme.schema}".django_session')


@contextmanager
def gone(schema: str, table: str = "") -> Iterator[None]:
    """The table, or the whole schema, is not there for a while."""
    there, away = sql.Identifier(table or schema), sql.Identifier(f"{(table or schema)[:50]}_gone")
    kind = sql.SQL("TABLE {}.").format(sql.Identifier(schema)) if table else sql.SQL("SCHEMA ")
    for old, new in ((there, away), (away, there)):
        with public_scope(), connection.cursor() as cursor:
            cursor.execute(sql.SQL("ALTER {}{} RENAME TO {}").format(kind, old, new))
        if old is there:
            try:
                yield
            except BaseException:
                raise AssertionError(f"while {table or schema} was gone") from None


def test_while_a_table_is_missing_nothing_is_shown_in_its_place(world: World, caplog: pytest.LogCaptureFixture) -> None:
    unavailable: dict[str, int] = {}
    assert [world.ask(path) for path in PAGES[:-1]] == [(200, False)] * (len(PAGES) - 1)
    for table in sorted(source.tables(world.acme.schema)):
        with gone(world.acme.schema, table):
            answers = {path: world.ask(path) for path in PAGES}
            answers["posted"] = world.ask(
                "/register/", email="new@example.com", password="a fresh pass phrase", name="New"
            )
        assert {path: answer for path, answer in answers.items() if answer[1]} == {}, table
        assert {status for status, _ in answers.values()} <= {200, 201, 302, 404, 503}, (table, answers)
        unavailable[table] = sum(status == 503 for status, _ in answers.values())
    used = {
        "accounts_user",
        "django_session",
        "plugin_framework_pluginstate",
        "orders_plugin_order",
        "plugin_framework_auditentry",
    }
    assert {table for table in used if not unavailable[table]} == set()
    said = [
        each.getMessage() for each in caplog.records if each.name == "saas.errors" and each.levelno == logging.ERROR
    ]
    assert f"acme cannot be served: its schema {world.acme.schema} lacks accounts_user" in said
    assert world.ask("/") == (200, False)


def test_while_a_schema_is_missing_its_organisation_is_not_available_and_others_are(
    world: World, client_for: Any
) -> None:
    assert world.ask("/") == (
        200,
        False,
    )  # a process that has not served it before takes it for one that is being updated
    with gone(world.acme.schema):
        found = {path: world.ask(path) for path in PAGES}
        answer = world.client.get("/")
        assert client_for(world.globex).get("/accounts/login/").status_code == 200
    assert {path: each for path, each in found.items() if each[1]} == {}
    assert {status for status, _ in found.values()} <= {503, 200, 302}
    assert (answer.status_code, answer["Retry-After"]) == (503, "60")
    assert "not available right now" in answer.content.decode()


@pytest.mark.parametrize("made", [False, True], ids=["no schema", "an empty schema"])
def test_of_a_half_made_organisation_nothing_is_served(world: World, client_for: Any, made: bool) -> None:
    schema = new_schema_name()
    with public_scope():
        half = Tenant.objects.create(slug="halfmade", name="Half", schema_name=schema)
        Domain.objects.create(domain="halfmade.localhost", tenant=half)
        ref = half.ref()
        if made:
            with connection.cursor() as cursor:
                cursor.execute(f'CREATE SCHEMA "{schema}"')
    client = client_for(ref)
    client.cookies = world.client.cookies
    client.raise_request_exception = False
    for path in PAGES:
        answer = client.get(path)
        assert answer.status_code in (503, 404) or (path, answer.status_code) == ("/register/", 200), path
        assert world.canary not in answer.content.decode()
    with tenant_scope(ref), pytest.raises(ProgrammingError):
        User.objects.count()
    with tenant_scope(ref), pytest.raises(ProgrammingError), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE strays (id int)" if not made else "SELECT * FROM tenants_tenant")


def test_a_tenants_scope_does_not_see_what_lies_in_public(world: World) -> None:
    with tenant_scope(world.acme), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE public.strays AS SELECT 1 AS id")
        with pytest.raises(ProgrammingError, match="does not exist"):
            cursor.execute("SELECT * FROM strays")


def outcome(work: Callable[[], object]) -> str:
    """What comes of `work` in a thread that nobody gave a tenant."""
    found: list[str] = []

    def run() -> None:
        try:
            found.append(repr(work()))
        except Exception as error:
            found.append(type(error).__name__)
        finally:
            connection.close()

    thread = Thread(target=run)
    thread.start()
    thread.join()
    return found[0]


def test_a_thread_without_a_context_gets_nothing(world: World) -> None:
    def raw() -> object:
        with connection.cursor() as cursor:
            return cursor.execute("SELECT * FROM accounts_user")

    works: dict[str, Callable[[], object]] = {
        "a query": User.objects.count,
        "a query of a shared table": Tenant.objects.count,
        "raw sql": raw,
        "saving": lambda: User(email="a@b.example").save(),
        "cache": lambda: cache.get("x"),
        "files": lambda: default_storage.listdir(""),
        "plugins": lambda: activation.current(),
        "the registry": lambda: plugin_registry.enabled_plugins,
        "a hook": lambda: hooks.run_action("view_pre_dispatch", (), {}),
        "an event": lambda: hooks.emit("user_logged_in", None),
    }
    with tenant_scope(world.acme):
        assert {name: outcome(work) for name, work in works.items()} == dict.fromkeys(works, "NoTenant")


def test_a_raw_connection_sees_no_table_of_anybody(world: World) -> None:
    given = connection.get_connection_params()
    given = {key: value for key, value in given.items() if key not in ("cursor_factory", "context")}
    with tenant_scope(world.acme):
        assert User.objects.exists()
        with psycopg.connect(**given) as raw, ConnectionPool(kwargs=given, min_size=1, max_size=1) as pool:
            for table in ("accounts_user", "tenants_tenant", "orders_plugin_order"):
                with pytest.raises(errors.UndefinedTable), raw.transaction():
                    raw.execute(f"SELECT * FROM {table}")
                with pool.connection() as pooled, pytest.raises(errors.UndefinedTable), pooled.transaction():
                    pooled.execute(f"SELECT * FROM {table}")


def test_a_queryset_reads_the_tenant_that_is_current_when_it_is_read(world: World) -> None:
    with tenant_scope(world.acme):
        everybody = User.objects.values_list("name", flat=True)
    with tenant_scope(world.globex):
        assert list(everybody.all()) == [world.canary]
    with tenant_scope(world.acme):
        assert list(everybody.all()) == ["Ada"]
    with no_scope(), pytest.raises(NoTenant):
        list(everybody.all())


def test_an_object_of_one_tenant_is_of_no_use_in_another(world: World) -> None:
    made = order(world.acme, "made here")
    with tenant_scope(world.acme):
        loaded = User.objects.get()
        by_pickle = pickle.loads(pickle.dumps(loaded))
        part = User.objects.only("email").get()
        row = apps.get_model("orders_plugin", "Order").objects.order_by("pk")[0]
    uses: dict[str, Callable[[], object]] = {
        "save": loaded.save,
        "save what was made here": made.save,
        "save a copy": by_pickle.save,
        "delete": loaded.delete,
        "load again": loaded.refresh_from_db,
        "load the rest": lambda: part.name,
        "follow to many": lambda: list(loaded.emailaddress_set.all()),
        "make beside it": lambda: loaded.emailaddress_set.create(email="x@example.com"),
        "rows": lambda: list(row.lines.all()),
        "refer to it": lambda: loaded.emailaddress_set.model(user=loaded),
    }
    for use in uses.values():
        with tenant_scope(world.globex), pytest.raises(OtherTenant, match=world.acme.schema), transaction.atomic():
            use()
    with tenant_scope(world.globex):
        assert User.objects.get().name == world.canary
    with tenant_scope(world.acme):
        loaded.save()
        by_pickle.refresh_from_db()
        assert part.name == "Ada"
