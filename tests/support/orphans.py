"""Looks the whole installation over for what belongs to nobody, or is only half there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction

from plugin_framework.tenancy import public_scope

# All of it is read from the catalog's tables, as of one moment: `to_regclass` and its like would tell of a later one.
_SCHEMAS = "SELECT nspname FROM pg_namespace WHERE nspname ~ '^t_[a-z0-9]{20}$' OR nspname = 'platform'"
_HALF_MADE = """
SELECT n.nspname FROM pg_namespace AS n, unnest(%s::text[]) AS needed (table_name) WHERE n.nspname = ANY (%s::text[])
    AND NOT EXISTS (SELECT FROM pg_class AS c WHERE c.relnamespace = n.oid AND c.relname = needed.table_name) GROUP BY 1
"""
_NEEDED = ["django_migrations", "accounts_user", "plugin_framework_pluginstate", "plugin_framework_delivery"]
_TENANTS = "SELECT schema_name, slug, state FROM public.tenants_tenant"
_HOSTLESS = """
SELECT slug FROM public.tenants_tenant AS t
WHERE NOT EXISTS (SELECT FROM public.tenants_domain AS d WHERE d.tenant_id = t.id AND d.is_primary)
"""
_HOSTS_OF_NOBODY = """
SELECT domain FROM public.tenants_domain AS d WHERE NOT EXISTS (SELECT FROM public.tenants_tenant AS t WHERE t.id = d.tenant_id)
"""
_UNFINISHED = """
SELECT t.slug FROM public.tenants_tenant AS t LEFT JOIN public.tenants_signup AS s ON s.tenant_id = t.id
WHERE (t.state = 'provisioning') <> (s.tenant_id IS NOT NULL)
"""
_NAMING_TENANTS = """
SELECT c.relname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE a.attname = 'tenant_schema' AND c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace ORDER BY 1
"""


def orphans() -> list[str]:
    """What is wrong at this moment, each in a sentence; empty if everything belongs to somebody and is whole.

    May be asked while others make and remove tenants. Tables that name tenants are found by their column `tenant_schema`, so
    that a new one is looked at too.
    """
    with _one_moment():
        found = [*_schemas(), *_rows_of_nobody()]
        found += [f"Tenant {slug} has no primary host." for slug in _column(_HOSTLESS)]
        found += [f"Host {host} is nobody's." for host in _column(_HOSTS_OF_NOBODY)]
        found += [f"Tenant {slug} and its sign-up do not agree whether it is made." for slug in _column(_UNFINISHED)]
    return found


@contextmanager
def _one_moment() -> Iterator[None]:
    """All that is read inside is of one snapshot, unless the caller has a transaction open: then nobody else changes what it sees."""
    with public_scope():
        inside = connection.in_atomic_block
        _rows("SELECT 1")  # sets the path: nothing may be asked in the transaction before its level is set
        with transaction.atomic():
            if not inside:
                with connection.cursor() as cursor:
                    cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            yield


def _schemas() -> list[str]:
    there = set(_column(_SCHEMAS))
    spares = set(_column("SELECT schema_name FROM public.tenants_spare"))
    tenants = {schema: (slug, state) for schema, slug, state in _rows(_TENANTS)}
    made = {schema for schema, (_, state) in tenants.items() if state != "provisioning"}
    found = [f"Schema {schema} is nobody's." for schema in sorted(there - spares - made)]
    found += [f"Tenant {tenants[schema][0]} has no schema." for schema in sorted(made - there)]
    found += [f"Spare {schema} has no schema." for schema in sorted(spares - there)]
    found += [f"Schema {schema} is a tenant's and a spare too." for schema in sorted(spares & tenants.keys())]
    return found + [f"Schema {schema} is half made." for schema in _column(_HALF_MADE, _NEEDED, sorted(there))]


def _rows_of_nobody() -> list[str]:
    found = []
    for table in _column(_NAMING_TENANTS):
        query = (
            f"SELECT DISTINCT tenant_schema FROM public.{table} EXCEPT SELECT schema_name FROM public.tenants_tenant"
        )
        found += [f"{table} has rows of {schema}, which is no tenant's." for schema in _column(query)]
    return found


def _column(sql: str, *params: Any) -> list[str]:
    return [row[0] for row in _rows(sql, *params)]


def _rows(sql: str, *params: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params or None)
        return list(cursor.fetchall())
