"""Looks into the tables of one schema without reading those of all: what Django asks when it migrates or enables a plugin.

Django's own queries find tables by name alone and then ask of each whether it is visible. Each tenant has a table of that name: with
5,000 tenants a list of tables took a hundred times as long as this, and the constraints of one table longer than most migrations.
"""

from __future__ import annotations

import re
from typing import Any

from django.db.backends.postgresql.introspection import TableInfo
from django_tenants.postgresql_backend.introspection import DatabaseSchemaIntrospection
from psycopg import sql

# A table depends on its schema, and PostgreSQL has an index of what depends on what; it has none of tables by their schema.
_TABLES = """
SELECT c.relname, CASE WHEN c.relispartition THEN 'p' WHEN c.relkind IN ('m', 'v') THEN 'v' ELSE 't' END,
    obj_description(c.oid, 'pg_class')
FROM pg_catalog.pg_depend AS d JOIN pg_catalog.pg_class AS c ON c.oid = d.objid
WHERE d.refclassid = 'pg_catalog.pg_namespace'::regclass AND d.refobjid = to_regnamespace(quote_ident(%s))
    AND d.classid = 'pg_catalog.pg_class'::regclass AND c.relkind IN ('f', 'm', 'p', 'r', 'v')
"""
_VISIBLE = re.compile(r"pg_catalog\.pg_table_is_visible\((\w+)\.oid\)")


class _Here:
    """A cursor that asks whether a table is in the schema, for which there is an index, where Django asks whether it is visible."""

    def __init__(self, cursor: Any, schema: str) -> None:
        self._cursor = cursor
        name = sql.Literal(schema).as_string()
        self._here = rf"\1.relnamespace = to_regnamespace(quote_ident({name}))"

    def execute(self, statement: str, params: Any = None) -> Any:
        return self._cursor.execute(_VISIBLE.sub(self._here, statement), params)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)


class DatabaseIntrospection(DatabaseSchemaIntrospection):  # type: ignore[misc]  # django-tenants is untyped
    """django-tenants', which looks into the current scope's schema only."""

    def get_table_list(self, cursor: Any) -> list[TableInfo]:
        """The tables and views of the current scope's schema; none outside of any."""
        cursor.execute(_TABLES, [self.connection.schema_name])
        return [TableInfo(*row) for row in cursor.fetchall() if row[0] not in self.ignored_tables]

    def get_table_description(self, cursor: Any, table_name: str) -> Any:
        return super().get_table_description(self._here(cursor), table_name)

    def get_sequences(self, cursor: Any, table_name: str, table_fields: Any = ()) -> Any:
        return super().get_sequences(self._here(cursor), table_name, table_fields)

    def get_relations(self, cursor: Any, table_name: str) -> Any:
        return super().get_relations(self._here(cursor), table_name)

    def get_constraints(self, cursor: Any, table_name: str) -> Any:
        return super().get_constraints(self._here(cursor), table_name)

    def _here(self, cursor: Any) -> _Here:
        return _Here(cursor, self.connection.schema_name)
