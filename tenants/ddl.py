"""Writes a schema down as plain SQL that makes an equal one: tables, sequences, indexes, constraints and rows, and nothing else.

`pg_dump` would do this, but need not be installed where the program runs, nor be of the server's version. What is read is
PostgreSQL's own account of each thing; a schema that holds something else (a view, a trigger, a function) is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from django.db import connection

# Names are quoted by the server and unqualified: the statements make their things in whatever schema is current.
_STRANGERS = """
SELECT CASE c.relkind WHEN 'v' THEN 'a view' WHEN 'm' THEN 'a materialized view' WHEN 'p' THEN 'a partitioned table'
    WHEN 'f' THEN 'a foreign table' WHEN 'S' THEN 'a sequence of its own' WHEN 'c' THEN 'a type' ELSE 'a table of a special kind' END,
    c.relname FROM pg_class c WHERE c.relnamespace = %(schema)s::regnamespace AND (
        c.relkind NOT IN ('r', 'i', 'S')
        OR c.relkind = 'r' AND (c.relpersistence <> 'p' OR c.reloptions IS NOT NULL OR c.relrowsecurity OR c.reloftype <> 0)
        OR c.relkind = 'S' AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'i'))
UNION ALL SELECT 'a function', proname FROM pg_proc WHERE pronamespace = %(schema)s::regnamespace
UNION ALL SELECT 'a type', t.typname FROM pg_type t WHERE t.typnamespace = %(schema)s::regnamespace AND t.typtype IN ('d', 'e', 'r')
UNION ALL SELECT 'a trigger', g.tgname FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid
    WHERE c.relnamespace = %(schema)s::regnamespace AND NOT g.tgisinternal
UNION ALL SELECT 'a rule', r.rulename FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
    WHERE c.relnamespace = %(schema)s::regnamespace
UNION ALL SELECT 'inheritance', c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE c.relnamespace = %(schema)s::regnamespace
UNION ALL SELECT 'statistics', stxname FROM pg_statistic_ext WHERE stxnamespace = %(schema)s::regnamespace
UNION ALL SELECT 'a comment', c.relname FROM pg_description d JOIN pg_class c ON c.oid = d.objoid
    WHERE d.classoid = 'pg_class'::regclass AND c.relnamespace = %(schema)s::regnamespace
"""
_TABLES = """
SELECT c.oid, quote_ident(c.relname) FROM pg_class c
WHERE c.relnamespace = %(schema)s::regnamespace AND c.relkind = 'r' ORDER BY c.relname
"""
# A column, with the name of its NOT NULL constraint where the server gives it one (PostgreSQL 18).
_COLUMNS = """
SELECT a.attrelid, quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
    CASE WHEN a.attcollation <> t.typcollation THEN quote_ident(l.collname) END,
    a.attnotnull, (SELECT quote_ident(n.conname) FROM pg_constraint n
        WHERE n.conrelid = a.attrelid AND n.contype = 'n' AND n.conkey = ARRAY[a.attnum]),
    pg_get_expr(d.adbin, d.adrelid), a.attgenerated, a.attidentity,
    (SELECT quote_ident(s.relname) FROM pg_class s JOIN pg_depend p ON p.objid = s.oid AND p.deptype = 'i'
        WHERE s.relkind = 'S' AND p.refobjid = a.attrelid AND p.refobjsubid = a.attnum)
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_collation l ON l.oid = a.attcollation LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE c.relnamespace = %(schema)s::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
"""
_CONSTRAINTS = """
SELECT k.conrelid, k.contype, quote_ident(k.conname), pg_get_constraintdef(k.oid, true)
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
WHERE k.connamespace = %(schema)s::regnamespace AND k.contype <> 'n' ORDER BY c.relname, k.conname
"""
_INDEXES = """
SELECT pg_get_indexdef(i.indexrelid, 0, true) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE c.relnamespace = %(schema)s::regnamespace
    AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
ORDER BY c.relname
"""
_SEQUENCES = """
SELECT quote_ident(c.relname), s.seqstart, s.seqincrement, s.seqmin, s.seqmax, s.seqcache, s.seqcycle
FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid WHERE c.relnamespace = %(schema)s::regnamespace ORDER BY c.relname
"""
_CAST = re.compile(r"::(character varying|text)(\[\])?(?![\w(])")
_WRITTEN = "a"  # of pg_attribute.attidentity: GENERATED ALWAYS


class NotReplayable(ValueError):
    """The schema holds something that is not written down here; the text names it. New schemas are made by migrations instead."""


def of(schema: str) -> str:
    """The statements that make, in the current schema, what `schema` holds. Call in the scope of `schema`, with its path.

    Raises:
        NotReplayable: it holds something besides tables, with their indexes, constraints, own sequences and rows.
    """
    strangers = [f"{what}, {name}" for what, name in _rows(_STRANGERS, schema)]
    if strangers:
        raise NotReplayable(f"The schema cannot be written down, for it has {'; '.join(strangers[:5])}.")
    tables: dict[int, str] = dict(_rows(_TABLES, schema))
    sequences = {row[0]: row[1:] for row in _rows(_SEQUENCES, schema)}
    columns = _rows(_COLUMNS, schema)
    constraints = _rows(_CONSTRAINTS, schema)
    parts = [
        *(_table(oid, name, columns, constraints, sequences) for oid, name in tables.items()),
        *(definition for (definition,) in _rows(_INDEXES, schema)),
        *_data(tables, columns),
        *_counters(sequences),
        *(
            f"ALTER TABLE {tables[oid]} ADD CONSTRAINT {name} {text}"
            for oid, kind, name, text in constraints
            if kind == "f"
        ),
    ]
    return ";\n".join([*parts, ""])


def comparable(statements: str) -> str:
    """`statements` in a form that is equal for equal schemas: PostgreSQL writes `IN ('a', 'b')` down with its casts in other places
    once it has read what it wrote."""
    return _CAST.sub("", statements)


def _table(oid: int, name: str, columns: list[Any], constraints: list[Any], sequences: dict[str, Any]) -> str:
    inside = [_column(*column, sequences=sequences) for table, *column in columns if table == oid]
    inside += [f"CONSTRAINT {each} {text}" for table, kind, each, text in constraints if table == oid and kind != "f"]
    return f"CREATE TABLE {name} (\n    {',\n    '.join(inside)}\n)"


def _column(
    name: str,
    kind: str,
    collation: str | None,
    not_null: bool,
    not_null_name: str | None,
    expression: str | None,
    generated: str,
    identity: str,
    sequence: str | None,
    *,
    sequences: dict[str, Any],
) -> str:
    parts = [name, kind, *([f"COLLATE {collation}"] if collation else [])]
    if not_null:
        parts.append(f"CONSTRAINT {not_null_name} NOT NULL" if not_null_name else "NOT NULL")
    if generated:
        parts.append(f"GENERATED ALWAYS AS ({expression}) {'STORED' if generated == 's' else 'VIRTUAL'}")
    elif identity:
        always = "ALWAYS" if identity == _WRITTEN else "BY DEFAULT"
        parts.append(
            f"GENERATED {always} AS IDENTITY (SEQUENCE NAME {sequence} {_options(*sequences[sequence or ''])})"
        )
    elif expression:
        parts.append(f"DEFAULT {expression}")
    return " ".join(parts)


def _options(start: int, step: int, least: int, most: int, cache: int, cycle: bool) -> str:
    cycled = "CYCLE" if cycle else "NO CYCLE"
    return f"START {start} INCREMENT {step} MINVALUE {least} MAXVALUE {most} CACHE {cache} {cycled}"


def _data(tables: dict[int, str], columns: list[Any]) -> Iterator[str]:
    """One INSERT for each table that has rows, in the order of its first column; foreign keys are made after them."""
    for oid, table in tables.items():
        names = [name for owner, name, *more in columns if owner == oid and not more[5]]
        literals = " || ', ' || ".join(f"quote_nullable({name}::text)" for name in names)
        query = f"SELECT '(' || {literals} || ')' FROM {table} ORDER BY {names[0]}"  # noqa: S608  # names quoted by the server
        found = [row for (row,) in _rows(query)]
        if found:
            values = ",\n    ".join(found)
            yield f"INSERT INTO {table} ({', '.join(names)}) OVERRIDING SYSTEM VALUE VALUES\n    {values}"  # the same


def _counters(sequences: dict[str, Any]) -> Iterator[str]:
    for name in sequences:
        (value, called) = _rows(f"SELECT last_value, is_called FROM {name}")[0]  # noqa: S608  # a name quoted by the server
        if called:
            yield f"SELECT setval('{name.replace("'", "''")}', {value})"


def _rows(sql: str, schema: str | None = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, None if schema is None else {"schema": f'"{schema}"'})
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows
