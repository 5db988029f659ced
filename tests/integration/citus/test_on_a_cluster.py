"""The whole life of a tenant on a real Citus cluster. **Not run by whoever wrote it**: no package gave us a Citus for PostgreSQL 18.

Written from Citus' documentation and sources. They run when CITUS_URL names, as a superuser, a database on the coordinator of a cluster
with two workers; DATABASE_URL must lead to the same server. Else they are deselected. What is different on a cluster is said in
docs/howto/scale-out-with-citus.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.conf import LazySettings
from django.db import connection

from plugin_framework import hooks, lifecycle, purge
from plugin_framework.audit import SYSTEM
from plugin_framework.citus import cluster
from plugin_framework.delivery.models import Wake
from plugin_framework.models import Delivery
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from tenants import fleet
from tenants.provisioning import create_tenant
from tests.support import citus_cluster
from tests.support.fleet import is_current, set_back
from tests.support.queue import work_off

pytestmark = pytest.mark.citus


@pytest.fixture
def on_citus(django_db_blocker: Any, settings: LazySettings) -> Iterator[str]:
    """A database on the cluster with everything migrated; gives its address."""
    settings.CITUS = True
    with django_db_blocker.unblock(), citus_cluster.fresh_database(citus_cluster.cluster_url()) as url:
        failed = [outcome for outcome in fleet.migrate_everything() if outcome.error]
        assert not failed
        yield url


@pytest.fixture
def acme(on_citus: str) -> TenantRef:
    """A tenant with a plugin that has tables."""
    ref = create_tenant("acme", "Acme", SYSTEM)
    with tenant_scope(ref):
        lifecycle.enable("orders", SYSTEM)
    return ref


def test_tenants_are_spread_over_the_workers(on_citus: str) -> None:
    schemas = [create_tenant(f"firm{number}", f"Firm {number}", SYSTEM).schema for number in range(1, 9)]
    found = cluster.status(schemas)
    assert found.not_spread == ()
    assert found.not_registered == ()
    assert len({found.places[schema] for schema in schemas}) > 1


def test_a_plugins_tables_are_with_their_tenant(acme: TenantRef) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(DISTINCT nodename || nodeport), count(*) FROM citus_shards WHERE table_name::text LIKE %s",
            [f"{acme.schema}.%"],
        )
        places, tables = cursor.fetchone()
    assert places == 1
    assert tables > 10


def test_an_event_is_written_with_its_wake_up_and_rolled_back_with_it(acme: TenantRef) -> None:
    with tenant_scope(acme):
        lifecycle.enable("usage_analytics", SYSTEM)
        before = Delivery.objects.count()
        hooks.emit("tenant_provisioned", "acme")
        assert Delivery.objects.count() == before + 1
    with public_scope():
        assert Wake.objects.filter(tenant_schema=acme.schema).exists()


def test_an_event_is_delivered(acme: TenantRef) -> None:
    with tenant_scope(acme):
        lifecycle.enable("usage_analytics", SYSTEM)
        hooks.emit("tenant_provisioned", "acme")
    work_off()
    with tenant_scope(acme):
        assert {row.state for row in Delivery.objects.all()} == {"done"}


def test_a_tenant_is_migrated(acme: TenantRef) -> None:
    set_back(acme)
    failed = [outcome for outcome in fleet.migrate_everything() if outcome.error]
    assert not failed
    assert is_current(acme)


def test_a_tenant_is_moved_with_its_rows(acme: TenantRef, on_citus: str) -> None:
    with tenant_scope(acme):
        before = Delivery.objects.count()
    to = citus_cluster.move(acme.schema, on_citus)
    assert citus_cluster.node_of(acme.schema) == to
    with tenant_scope(acme):
        assert Delivery.objects.count() == before
        hooks.emit("tenant_provisioned", "acme")


def test_a_plugin_is_purged_and_a_tenant_dropped_with_nothing_left_on_a_worker(acme: TenantRef, on_citus: str) -> None:
    with tenant_scope(acme):
        lifecycle.disable("orders", SYSTEM)
        purge.purge("orders", SYSTEM, confirmation="orders")
    with connection.cursor() as cursor:
        cursor.execute(f'DROP SCHEMA "{acme.schema}" CASCADE')
    with psycopg.connect(on_citus, autocommit=True) as raw:
        left = raw.execute(
            "SELECT nodeid, result FROM run_command_on_all_nodes(%s)",
            [
                f"SELECT count(*) FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = '{acme.schema}'"
            ],
        ).fetchall()
    assert {result for _, result in left} == {"0"}
