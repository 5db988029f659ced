"""Many tenants for the delivery benchmarks, and events for them. The first is made by the shipped functions.

The others are copies of what its deliveries touch: its row and host, the engine's tables in a schema of their own, its plugins, and
what is recorded of migrations.
Hundreds of whole tenants would take minutes, and the tables that are left out are not read or written here.
"""

from __future__ import annotations

from django.db import connection, transaction

from bench.tenants import host_of
from plugin_framework import hooks, lifecycle
from plugin_framework.audit import Actor
from plugin_framework.catalog.revisions import bump_tenant
from plugin_framework.registry import registry
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from tenants.fleet import migrate_everything
from tenants.models import Domain, Tenant
from tenants.names import new_schema_name
from tenants.provisioning import create_tenant

_BENCH = Actor("bench")
_TABLES = """
SELECT oid, relname FROM pg_class
WHERE relnamespace = %s::regnamespace AND relkind = 'r'
    AND (starts_with(relname, 'plugin_framework_') OR relname = 'django_migrations')
"""
_FOREIGN = "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = %s AND contype = 'f'"
_MORE = """
INSERT INTO plugin_framework_delivery (event_id, hook, plugin, handler, payload, idempotency_key, state, attempts, fence, last_error)
SELECT gen_random_uuid(), hook, plugin, handler, payload, gen_random_uuid(), state, attempts, fence, last_error
FROM (SELECT * FROM plugin_framework_delivery ORDER BY id DESC LIMIT 1) AS one, generate_series(2, %s)
"""
_fleet: list[TenantRef] = []


def make(count: int) -> list[str]:
    """Migrate, and make `count` tenants that have all plugins enabled, or as many more as are missing; their schemas."""
    if not _fleet:
        _make_first()
    _fleet.extend(_copy(_fleet[0], number) for number in range(len(_fleet), count))
    return [each.schema for each in _fleet]


def _make_first() -> None:
    if failed := [outcome for outcome in migrate_everything() if outcome.error]:
        raise RuntimeError(f"Migrating the benchmark's database failed: {failed[0].who}: {failed[0].error}")
    first = create_tenant("bench-0", "Bench 0", _BENCH)
    with tenant_scope(first):
        for name in registry.specs:
            lifecycle.enable(name, _BENCH)
    _fleet.append(first)


def _copy(first: TenantRef, number: int) -> TenantRef:
    slug, schema = f"bench-{number}", new_schema_name()
    with transaction.atomic():
        with public_scope():
            tenant = Tenant.objects.create(slug=slug, name=slug, schema_name=schema)
            Domain.objects.create(domain=host_of(slug), tenant=tenant)
            _copy_tables(first.schema, schema)
            ref: TenantRef = tenant.ref()
        with tenant_scope(ref):
            bump_tenant()
    return ref


def _copy_tables(source: str, target: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_TABLES, [source])
        tables = cursor.fetchall()
        cursor.execute(
            f'CREATE SCHEMA "{target}";'
            + "".join(f"CREATE TABLE {target}.{name} (LIKE {source}.{name} INCLUDING ALL);" for _, name in tables)
            + f"INSERT INTO {target}.plugin_framework_pluginstate OVERRIDING SYSTEM VALUE "
            + f"SELECT * FROM {source}.plugin_framework_pluginstate;"
            + f"INSERT INTO {target}.django_migrations (app, name, applied) "  # with new ids: later ones are added
            + f"SELECT app, name, applied FROM {source}.django_migrations"
        )
        for oid, name in tables:
            cursor.execute(_FOREIGN, [oid])
            for constraint, definition in cursor.fetchall():
                there = definition.replace(f"{source}.", f"{target}.")
                cursor.execute(f"ALTER TABLE {target}.{name} ADD CONSTRAINT {constraint} {there}")


def backlog(lanes: int, each: int) -> None:
    """Have `each` events wait in each of the first `lanes` tenants, and nothing else anywhere; visible all at once."""
    clear()
    with transaction.atomic():
        for tenant in _fleet[:lanes]:
            with tenant_scope(tenant):
                more("bench_noop", {}, each)


def sparse() -> None:
    """Have one event wait in each of two lanes of every tenant."""
    clear()
    with transaction.atomic():
        for tenant in _fleet:
            with tenant_scope(tenant):
                more("bench_noop", {}, 1)
                more("bench_noop_too", {}, 1)


def more(name: str, what: object, times: int) -> None:
    """Emit an event to the current tenant, and write the others like it without the detour through Python."""
    hooks.emit(name, what)
    if times > 1:
        with connection.cursor() as cursor:
            cursor.execute(_MORE, [times])


def clear() -> None:
    """Forget all deliveries, and let the server know how full the tables are, as it would by itself after a while."""
    with public_scope(), connection.cursor() as cursor:
        cursor.execute("TRUNCATE public.delivery_wake, public.delivery_lane")
        for tenant in _fleet:
            cursor.execute(f"TRUNCATE {tenant.schema}.plugin_framework_delivery CASCADE")


def tenants() -> list[TenantRef]:
    """All of them, in the order in which they were made."""
    return list(_fleet)
