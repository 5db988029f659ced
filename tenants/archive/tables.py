"""What a schema consists of, as PostgreSQL sees it: tables, their columns and keys, sequences."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from django.db import connection
from psycopg import sql

# Made by migrating, or worth nothing in another schema: a session is bound to the one it was begun in.
NOT_EXPORTED = frozenset({"django_migrations", "django_session", "accounts_device"})
_TABLES = """
SELECT relname::text FROM pg_class
WHERE relnamespace = to_regnamespace(%s) AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY 1
"""
_COLUMNS = """
SELECT c.relname::text, a.attname::text, format_type(a.atttypid, a.atttypmod) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
WHERE c.relnamespace = to_regnamespace(%s) AND c.relname = ANY (%s::text[]) AND c.relkind IN ('r', 'p')
    AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY 1, a.attname
"""
_KEYS = """
SELECT c.relname::text, a.attname::text FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
JOIN unnest(i.indkey) WITH ORDINALITY AS k (attnum, at) ON true JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
WHERE i.indisprimary AND c.relnamespace = to_regnamespace(%s) ORDER BY 1, k.at
"""
# Those that can be deferred, as all that Django makes, are checked when everything is there.
_AT_ONCE = """
SELECT c.relname::text, f.relname::text FROM pg_constraint r JOIN pg_class c ON c.oid = r.conrelid JOIN pg_class f ON f.oid = r.confrelid
WHERE r.contype = 'f' AND NOT r.condeferrable AND r.conrelid <> r.confrelid AND c.relnamespace = to_regnamespace(%s)
"""
_SEQUENCES = "SELECT sequencename::text, last_value FROM pg_sequences WHERE schemaname = %s AND last_value IS NOT NULL ORDER BY 1"


@dataclass(frozen=True, slots=True)
class Layout:
    """A table: its columns with their types, by name, and those of its primary key."""

    name: str
    columns: tuple[tuple[str, str], ...]
    key: tuple[str, ...]


def names(schema: str) -> list[str]:
    """The tables in `schema` whose rows are exported."""
    with connection.cursor() as cursor:
        cursor.execute(_TABLES, [schema])
        return [name for (name,) in cursor.fetchall() if name not in NOT_EXPORTED]


def layouts(schema: str, tables: Sequence[str]) -> list[Layout]:
    """These tables of `schema`, none before one that its rows need."""
    columns: dict[str, list[tuple[str, str]]] = {name: [] for name in tables}
    keys: dict[str, list[str]] = {name: [] for name in tables}
    with connection.cursor() as cursor:
        cursor.execute(_COLUMNS, [schema, list(tables)])
        for table, column, kind in cursor.fetchall():
            columns[table].append((column, kind))
        cursor.execute(_KEYS, [schema])
        for table, column in cursor.fetchall():
            if table in keys:
                keys[table].append(column)
        cursor.execute(_AT_ONCE, [schema])
        needs = [(table, needed) for table, needed in cursor.fetchall() if {table, needed} <= columns.keys()]
    return [Layout(name, tuple(columns[name]), tuple(keys[name])) for name in _in_order(tables, needs)]


def _in_order(tables: Sequence[str], needs: Iterable[tuple[str, str]]) -> list[str]:
    sorter = TopologicalSorter[str](dict.fromkeys(tables, ()))
    for table, needed in needs:
        sorter.add(table, needed)
    try:
        return list(sorter.static_order())
    except CycleError:  # such rows were put in by somebody who knew the trick; loading them says what is wrong
        return list(tables)


def sequences(schema: str) -> dict[str, int]:
    """The last value of each sequence in `schema` that has given one. Read after the rows, so that it is not behind them."""
    with connection.cursor() as cursor:
        cursor.execute(_SEQUENCES, [schema])
        return dict(cursor.fetchall())


def copy_out(schema: str, table: Layout) -> sql.Composed:
    """The statement that gives the rows of a table in the order of their keys, if it has any."""
    query = sql.SQL("SELECT {} FROM {}").format(_listed(table.columns), sql.Identifier(schema, table.name))
    if table.key:
        query += sql.SQL(" ORDER BY {}").format(sql.SQL(", ").join(map(sql.Identifier, table.key)))
    return sql.SQL("COPY ({}) TO STDOUT").format(query)


def copy_in(schema: str, table: str, columns: Iterable[tuple[str, str]]) -> sql.Composed:
    """The statement that takes them."""
    return sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(schema, table), _listed(columns))


def _listed(columns: Iterable[tuple[str, str]]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(name) for name, _ in columns)
