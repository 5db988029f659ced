"""Enabling is done whole or not at all: failing migrations, processes that are killed, versions that no longer fit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from django.db import connection, transaction

from plugin_framework import activation, lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.catalog import revisions
from plugin_framework.gate import Reason
from plugin_framework.models import AuditEntry, PluginState
from plugin_framework.sdk import NotAllowed
from plugin_framework.tenancy import TenantRef, tenant_scope
from saas.testing.waiting import wait_until
from tests.conftest import Tenants
from tests.dummies.pages import Pager, Rota, installed


def tables(tenant: TenantRef) -> set[str]:
    """The tables of orders and invoices in the tenant's schema."""
    with tenant_scope(tenant), connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [tenant.schema])
        names = {str(name) for (name,) in cursor.fetchall()}
    return {name for name in names if name.startswith(("orders", "invoices"))}


def traces(tenant: TenantRef) -> tuple[set[str], int, int, int]:
    """All that enabling leaves behind: tables, states, audit entries, recorded migrations."""
    with tenant_scope(tenant), connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM django_migrations WHERE app IN ('orders', 'invoices', 'orders_plugin', 'invoices_plugin')"
        )
        applied = int(cursor.fetchone()[0])
        return (
            tables(tenant),
            PluginState.objects.count(),
            AuditEntry.objects.filter(action="plugin.enabled").count(),
            applied,
        )


NOTHING = (set[str](), 0, 0, 0)


def test_a_failing_migration_leaves_nothing_of_the_plugin_nor_of_what_it_needs(
    committed_db: str, tenants: Tenants
) -> None:
    acme = tenants.acme
    with tenant_scope(acme):
        lifecycle.enable("invoices", SYSTEM)
        made = tables(acme)
    last = sorted(name for name in made if name.startswith("invoices"))[-1]
    with tenant_scope(tenants.globex), connection.cursor() as cursor:
        cursor.execute(
            f'CREATE TABLE {tenants.globex.schema}."{last}" (id int)'
        )  # so that its migration fails at the end
        before = revisions.read()
    with tenant_scope(tenants.globex), pytest.raises(NotAllowed, match="0001_initial failed"):
        lifecycle.enable("invoices", SYSTEM)
    with tenant_scope(tenants.globex):
        assert revisions.read() == before
    assert traces(tenants.globex) == ({last}, 0, 0, 0)
    with tenant_scope(tenants.globex), connection.cursor() as cursor:
        cursor.execute(f'DROP TABLE {tenants.globex.schema}."{last}"')
        assert lifecycle.enable("invoices", SYSTEM) == ["orders", "invoices"]
    assert tables(tenants.globex) == made


def test_a_process_that_is_killed_half_way_leaves_nothing_and_the_next_one_does_it_all(
    committed_db: str, tenants: Tenants
) -> None:
    acme = tenants.acme
    command = [sys.executable, "manage.py", "plugins", "enable", "--tenant", "acme", "--plugin", "invoices"]
    environment = {**os.environ, "DATABASE_URL": committed_db, "DJANGO_SETTINGS_MODULE": "saas.settings_test"}
    with transaction.atomic(), tenant_scope(acme), connection.cursor() as cursor:
        # Its tables are made by the time it writes the audit log, which it cannot do now.
        cursor.execute("LOCK TABLE plugin_framework_auditentry IN ACCESS EXCLUSIVE MODE")
        process = subprocess.Popen(command, env=environment)
        wait_until(_somebody_waits_for_a_table)
        process.send_signal(signal.SIGKILL)
        assert process.wait(30) == -signal.SIGKILL
    wait_until(_no_other_transaction)
    assert traces(acme) == NOTHING
    assert subprocess.run(command, env=environment, check=False).returncode == 0
    found, states, audited, applied = traces(acme)
    assert (len(found) > 3, states, audited, applied > 1) == (True, 2, 2, True)


def _somebody_waits_for_a_table() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'relation' AND NOT granted")
        return bool(cursor.fetchone()[0])


def _no_other_transaction() -> bool:
    """PostgreSQL notices that a client is gone when it next talks to it; until then its transaction is there."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND xact_start IS NOT NULL AND backend_type = 'client backend'"
        )
        return not cursor.fetchone()[0]


@pytest.fixture
def rota(tenants: Tenants) -> Iterator[TenantRef]:
    """acme runs the rota, which needs the pager from version 2 on."""
    with installed(Pager, Rota), tenant_scope(tenants.acme):
        lifecycle.enable("rota", SYSTEM)
        yield tenants.acme


class OldPager(Pager):
    """As it was before the rota could use it."""

    version = "1.9.0"


def test_a_version_that_no_longer_fits_parks_the_dependant_until_one_does(rota: TenantRef) -> None:
    with installed(OldPager, Rota):
        activation.cache.clear()
        with tenant_scope(rota):
            decision = activation.current().decision("rota")
            assert decision.reason is Reason.DEPENDENCY
            assert decision.text == "Needs pager>=2, and version 1.9.0 is installed."
            assert PluginState.objects.get(plugin="rota").enabled
    activation.cache.clear()
