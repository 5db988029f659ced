"""PostgreSQL itself enforces the current tenant: the connection's search_path is the scope's, whatever happened before."""

from __future__ import annotations

import threading

import pytest
from django.db import ProgrammingError, connection, transaction

from plugin_framework.audit import SYSTEM, record
from plugin_framework.models import AuditEntry
from plugin_framework.sdk import NoTenant
from plugin_framework.tenancy import bound, current_tenant, path_for, public_scope, tenant_scope
from tenants.models import Tenant
from tests.conftest import Tenants


def server_path() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW search_path")
        return str(cursor.fetchone()[0])


@pytest.fixture
def two(committed_db: str, tenants: Tenants) -> Tenants:
    return tenants


def test_the_path_is_the_scopes_and_empty_outside(two: Tenants) -> None:
    with tenant_scope(two.acme):
        assert server_path() == path_for(two.acme.schema)
        with tenant_scope(two.globex):
            assert server_path() == path_for(two.globex.schema)
        assert server_path() == path_for(two.acme.schema)
        with public_scope():
            assert server_path() == "public"
    assert server_path() in ("", '""')


def test_outside_of_a_scope_a_query_says_no_tenant(two: Tenants) -> None:
    with pytest.raises(NoTenant):
        AuditEntry.objects.count()
    with pytest.raises(NoTenant):
        Tenant.objects.count()
    with pytest.raises(NoTenant):
        current_tenant()
    with public_scope(), pytest.raises(NoTenant):
        current_tenant()


def test_a_tenants_table_is_not_found_in_the_public_scope(two: Tenants) -> None:
    with public_scope(), pytest.raises(ProgrammingError):
        AuditEntry.objects.count()


def test_the_scope_is_left_when_the_body_raises(two: Tenants) -> None:
    with pytest.raises(RuntimeError, match="inside"), tenant_scope(two.acme):
        raise RuntimeError("inside")
    with pytest.raises(NoTenant):
        current_tenant()


def test_a_rollback_does_not_bring_the_old_path_back(two: Tenants) -> None:
    with tenant_scope(two.acme):
        server_path()
    with pytest.raises(RuntimeError), transaction.atomic():
        with tenant_scope(two.globex):
            server_path()
        raise RuntimeError
    with tenant_scope(two.globex):
        assert server_path() == path_for(two.globex.schema)


def test_a_savepoint_rollback_does_not_bring_the_old_path_back(two: Tenants) -> None:
    with tenant_scope(two.acme), transaction.atomic():
        server_path()
        with pytest.raises(RuntimeError), transaction.atomic():
            with tenant_scope(two.globex):
                server_path()
            raise RuntimeError
        assert server_path() == path_for(two.acme.schema)
        with tenant_scope(two.globex):
            assert server_path() == path_for(two.globex.schema)


def test_going_back_to_a_savepoint_of_another_scope_does_not_bring_its_path_back(two: Tenants) -> None:
    with tenant_scope(two.acme), transaction.atomic():
        before = transaction.savepoint_create()
        with tenant_scope(two.globex):
            assert server_path() == path_for(two.globex.schema)
            transaction.savepoint_rollback(before)
            assert server_path() == path_for(two.globex.schema)


def test_a_raw_set_is_noticed(two: Tenants) -> None:
    with tenant_scope(two.acme):
        with connection.cursor() as cursor:
            cursor.execute(f'SET search_path = "{two.globex.schema}"')
        assert server_path() == path_for(two.acme.schema)


def test_a_new_connection_starts_without_a_tenant(two: Tenants) -> None:
    with tenant_scope(two.acme):
        server_path()
        connection.close()
        assert server_path() == path_for(two.acme.schema)
    connection.close()
    assert server_path() in ("", '""')


def test_a_thread_starts_without_a_tenant_unless_it_is_handed_one(two: Tenants) -> None:
    seen: list[object] = []

    def look() -> None:
        try:
            seen.append(current_tenant().slug)
        except NoTenant:
            seen.append(None)

    with tenant_scope(two.acme):
        for target in (look, bound(look)):
            thread = threading.Thread(target=target)
            thread.start()
            thread.join()
    assert seen == [None, "acme"]


def test_an_on_commit_callback_runs_in_the_tenant_it_was_registered_in(two: Tenants) -> None:
    seen: list[str] = []
    with tenant_scope(two.globex), transaction.atomic():
        with tenant_scope(two.acme):
            transaction.on_commit(lambda: seen.append(current_tenant().slug))
    assert seen == ["acme"]


def test_rows_land_in_the_scopes_schema(two: Tenants) -> None:
    with tenant_scope(two.acme):
        record(SYSTEM, "only.here")
    with tenant_scope(two.globex):
        assert not AuditEntry.objects.filter(action="only.here").exists()


def test_the_path_is_not_sent_again_while_it_is_right(two: Tenants, django_assert_num_queries: object) -> None:
    with tenant_scope(two.acme):
        AuditEntry.objects.count()
        with django_assert_num_queries(2):  # type: ignore[operator]  # pytest-django's
            AuditEntry.objects.count()
            AuditEntry.objects.count()
