"""A database session that has touched many schemas is replaced between two pieces of work, and never under anybody's hands."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from django.db import close_old_connections, connection, transaction
from django.db.models.functions import Now

from plugin_framework import lifecycle
from plugin_framework.audit import SYSTEM, record
from plugin_framework.db import wear
from plugin_framework.db.base import DatabaseWrapper
from plugin_framework.delivery import folding, schedule
from plugin_framework.delivery.models import Schedule
from plugin_framework.hooks import emit
from plugin_framework.models import AuditEntry
from plugin_framework.tenancy import PUBLIC, TenantRef, path_for, public_scope, tenant_scope
from saas.testing.people import person
from saas.wsgi import application
from tenants import behind, directory
from tests.conftest import Tenants

MOST = 3  # the two tenants and the public schema are enough


def session() -> int:
    """The process on the server that serves us now; opened if there is none."""
    connection.ensure_connection()
    return int(connection.connection.info.backend_pid)


def get(host: str, page: str) -> str:
    """The page, from the program as a server runs it: Django's test client keeps connections open on purpose."""
    environ: dict[str, Any] = {"HTTP_HOST": host, "PATH_INFO": page}
    setup_testing_defaults(environ)
    answered: list[str] = []
    response = application(environ, lambda status, headers, error=None: answered.append(status))
    try:
        body = b"".join(response).decode()
    finally:
        response.close()
    assert answered == ["200 OK"], body
    return body


def path() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW search_path")
        return str(cursor.fetchone()[0])


def wear_out(tenants: Tenants) -> int:
    """Touch as many schemas as may be; which session did."""
    for ref in (tenants.acme, tenants.globex):
        with tenant_scope(ref):
            path()
    with public_scope():
        path()
    return session()


@pytest.fixture
def two(committed_db: str, tenants: Tenants) -> Iterator[Tenants]:
    """Two tenants, in a database where commits are real, and connections that are kept, but not for many schemas."""
    connection.close()
    kept = {name: connection.settings_dict.get(name) for name in ("CONN_MAX_AGE", "CONN_MAX_SCHEMAS")}
    connection.settings_dict.update(CONN_MAX_AGE=None, CONN_MAX_SCHEMAS=MOST)
    yield tenants
    connection.close()
    connection.settings_dict.update(kept)


def test_a_session_within_its_schemas_is_kept(two: Tenants) -> None:
    first = session()
    for _ in range(5):
        with tenant_scope(two.acme):
            path()
        with public_scope():
            path()
        close_old_connections()
    assert session() == first


def test_one_that_has_touched_enough_is_replaced_after_the_request(two: Tenants) -> None:
    first = wear_out(two)
    close_old_connections()
    assert session() != first
    with tenant_scope(two.globex):
        assert path() == path_for(two.globex.schema)


def test_the_new_one_begins_to_count_anew(two: Tenants) -> None:
    wear_out(two)
    close_old_connections()
    second = session()
    with tenant_scope(two.acme):
        path()
    close_old_connections()
    assert session() == second


def test_a_requests_one_statement_counts(two: Tenants) -> None:
    """It sets the path itself, so that nothing is sent afterwards, and it would be overlooked."""
    for host in (two.acme.host, two.globex.host):
        get(host, "/accounts/login/")  # so that the active sets are there, for which the path is changed to and fro
    connection.close()
    connection.settings_dict["CONN_MAX_SCHEMAS"] = 2
    first = session()
    assert "Sign in" in get(two.acme.host, "/accounts/login/")
    assert session() == first
    assert "Sign in" in get(two.globex.host, "/accounts/login/")
    assert session() != first


def test_nothing_is_closed_inside_of_a_transaction(two: Tenants) -> None:
    with tenant_scope(two.acme), transaction.atomic():
        record(SYSTEM, "while.worn")
        first = wear_out(two)
        assert not wear.recycle()
        assert session() == first
    with tenant_scope(two.acme):
        assert AuditEntry.objects.filter(action="while.worn").exists()
    assert wear.recycle()
    assert session() != first


def test_nor_in_one_that_django_does_not_know_of(two: Tenants) -> None:
    with tenant_scope(two.acme), connection.cursor() as cursor:
        cursor.execute("BEGIN")
        first = wear_out(two)
        assert not wear.recycle()
        cursor.execute("ROLLBACK")
    assert wear.recycle()
    assert session() != first


def test_nor_while_somebody_reads_from_a_cursor_of_the_server(two: Tenants) -> None:
    with tenant_scope(two.acme):
        for number in range(3):
            record(SYSTEM, "read.slowly", str(number))
        rows = AuditEntry.objects.filter(action="read.slowly").iterator(chunk_size=1)
        next(rows)
        wear_out(two)
        assert not wear.recycle()
        assert len(list(rows)) == 2
    assert wear.recycle()


def test_nor_while_the_session_holds_a_lock(two: Tenants) -> None:
    with public_scope(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(17)")
        wear_out(two)
        assert not wear.recycle()
        cursor.execute("SELECT pg_advisory_unlock(17)")
    assert wear.recycle()


def test_whoever_goes_through_all_tenants_gets_a_new_one_now_and_then(two: Tenants) -> None:
    connection.settings_dict["CONN_MAX_SCHEMAS"] = 2
    sessions = []
    for entry in directory.everyone():
        with tenant_scope(entry.ref):
            assert path() == path_for(entry.ref.schema)
        sessions.append(session())
    first, *others = sessions
    assert first not in others, "it had touched the list of tenants and one of them"
    assert len(set(others)) == 1


def test_looking_for_who_is_behind_wears_it_too(two: Tenants) -> None:
    """One statement reads the tables of hundreds of schemas, without any of them being in the path."""
    first = session()
    assert behind.behind([two.acme.schema, two.globex.schema, "platform"]) == {}
    assert session() != first


def test_statements_that_name_a_schema_count_without_its_path(two: Tenants, settings: Any) -> None:
    """A worker's supervisor never enters a tenant, and reads and writes the tables of all of them."""
    settings.CITUS = True  # elsewhere it asks no tenant for what was emitted
    with tenant_scope(two.acme):
        lifecycle.enable("webhooks", SYSTEM)
        emit("user_registered", person(two.acme, "member"))
    with tenant_scope(two.globex):
        lifecycle.enable("usage_analytics", SYSTEM)
    connection.close()
    with public_scope(), transaction.atomic():
        assert folding.fold().looked_at
        assert touched() == {PUBLIC, path_for(two.acme.schema)}
        Schedule.objects.filter(tenant_schema=two.globex.schema).update(due_at=Now(), run_at=Now())
        assert schedule.run_due()
        assert touched() == {PUBLIC, path_for(two.acme.schema), path_for(two.globex.schema)}


def touched() -> set[str]:
    return set(wear.paths_of(connection.connection))


def test_a_pool_does_not_get_a_worn_session_back(two: Tenants) -> None:
    pool = {"min_size": 1, "max_size": 1, "timeout": 10}
    settings = {**connection.settings_dict, "CONN_MAX_AGE": 0}
    pooled = DatabaseWrapper({**settings, "OPTIONS": {**settings["OPTIONS"], "pool": pool}}, "pooled")

    def use(*schemas: TenantRef) -> int:
        for ref in schemas:
            with tenant_scope(ref), pooled.cursor() as cursor:
                cursor.execute("SHOW search_path")
                assert cursor.fetchone()[0] == path_for(ref.schema)
        pid = int(pooled.connection.info.backend_pid)
        pooled.close_if_unusable_or_obsolete()
        assert pooled.connection is None
        return pid

    try:
        first = use(two.acme)
        assert use(two.globex) == first
        with public_scope(), pooled.cursor() as cursor:
            cursor.execute("SELECT 1")
        pooled.close()
        assert use(two.acme) != first, "the pool counts on where the wrapper left off"
    finally:
        pooled.close()
        pooled.close_pool()


def test_requests_stay_their_tenants_while_connections_come_and_go(two: Tenants) -> None:
    """Threads with connections of their own, as gunicorn has them; each is replaced again and again."""
    connection.settings_dict["CONN_MAX_SCHEMAS"] = 2
    seen: set[int] = set()

    def visit(number: int) -> None:
        ref = (two.acme, two.globex)[number % 2]
        assert ref.name in get(ref.host, "/accounts/login/")
        seen.add(session())

    def thread(start: int) -> None:
        for number in range(start, start + 20):
            visit(number)
        connection.close()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(thread, range(4)))
    assert len(seen) > 4 * 5
