"""A schema that is replayed is equal to one that was migrated, in all that PostgreSQL knows of it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.db.models.signals import post_migrate

from plugin_framework.db.migrator import migrate_schema, tenant_labels
from plugin_framework.db.schemas import create_schema
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from tenants import blueprint, ddl
from tenants.models import Blueprint
from tenants.names import new_schema_name
from tests.conftest import Tenants

pytestmark = pytest.mark.usefixtures("db", "tenants")

# Not what `tenants.ddl` reads, on purpose: the standard's own views, and what pg_catalog says of constraints and indexes.
CATALOG = {
    "columns": """
        SELECT table_name, ordinal_position, column_name, data_type, character_maximum_length, numeric_precision, datetime_precision,
            is_nullable, column_default, is_identity, identity_generation, identity_start, identity_increment, identity_maximum,
            identity_minimum, identity_cycle, is_generated, generation_expression, collation_name, udt_name
        FROM information_schema.columns WHERE table_schema = %(schema)s ORDER BY 1, 2""",
    "storage": """
        SELECT c.relname, a.attname, a.attstorage, a.attcompression, a.attstattarget, c.relpersistence, c.reloptions, c.relreplident
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        WHERE c.relnamespace = %(schema)s::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY 1, 2""",
    "constraints": """
        SELECT c.relname, k.conname, k.contype, k.condeferrable, k.condeferred, k.convalidated, k.confupdtype, k.confdeltype,
            f.relname, f.relnamespace = c.relnamespace,
            (SELECT array_agg(a.attname ORDER BY n) FROM unnest(k.conkey) WITH ORDINALITY AS u (num, n)
                JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.num)
        FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid LEFT JOIN pg_class f ON f.oid = k.confrelid
        WHERE k.connamespace = %(schema)s::regnamespace ORDER BY 1, 2""",
    "indexes": """
        SELECT t.relname, c.relname, i.indisunique, i.indisprimary, i.indimmediate, i.indisvalid, i.indnullsnotdistinct, i.indoption::text,
            (SELECT array_agg(o.opcname ORDER BY n) FROM unnest(i.indclass) WITH ORDINALITY AS u (id, n) JOIN pg_opclass o ON o.oid = u.id),
            (SELECT array_agg(pg_get_indexdef(i.indexrelid, n, true) ORDER BY n) FROM generate_series(1, i.indnatts) AS n),
            i.indpred IS NULL, i.indexprs IS NULL, m.amname
        FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_class t ON t.oid = i.indrelid JOIN pg_am m ON m.oid = c.relam
        WHERE c.relnamespace = %(schema)s::regnamespace ORDER BY 1, 2""",
    "sequences": """
        SELECT sequencename, data_type::text, start_value, min_value, max_value, increment_by, cycle, cache_size, last_value
        FROM pg_sequences WHERE schemaname = %(schema)s ORDER BY 1""",
    "owners": """
        SELECT s.relname, t.relname, a.attname, d.deptype FROM pg_class s JOIN pg_depend d ON d.objid = s.oid AND d.deptype IN ('i', 'a')
        JOIN pg_class t ON t.oid = d.refobjid JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
        WHERE s.relkind = 'S' AND s.relnamespace = %(schema)s::regnamespace ORDER BY 1""",
    "everything": """
        SELECT relname, relkind FROM pg_class WHERE relnamespace = %(schema)s::regnamespace ORDER BY 1""",
}
CHECKS = """
SELECT k.conname, pg_get_constraintdef(k.oid) FROM pg_constraint k
WHERE k.connamespace = %(schema)s::regnamespace AND k.contype = 'c'
UNION ALL SELECT c.relname, pg_get_expr(i.indpred, i.indrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE c.relnamespace = %(schema)s::regnamespace AND i.indpred IS NOT NULL ORDER BY 1
"""


def rows(sql: str, **params: Any) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params or None)
        return list(cursor.fetchall())


def fresh() -> TenantRef:
    ref = TenantRef(slug="fresh", name="Fresh", host="", schema=new_schema_name())
    with public_scope():
        create_schema(ref.schema)
    return ref


def migrated() -> TenantRef:
    ref = fresh()
    with tenant_scope(ref):
        migrate_schema(tenant_labels())
    return ref


def replayed() -> TenantRef:
    ref = TenantRef(slug="replayed", name="Replayed", host="", schema=new_schema_name())
    with public_scope():
        assert Blueprint.objects.get().statements, "it is not made by migrations"
        assert blueprint.make(ref) == Blueprint.objects.get().digest
    return ref


def described(ref: TenantRef, what: str) -> list[Any]:
    with tenant_scope(ref):
        return rows(CATALOG[what], schema=ref.schema)


def test_the_catalog_says_the_same_of_both() -> None:
    one, other = migrated(), replayed()
    for what in CATALOG:
        assert described(one, what)
        assert described(one, what) == described(other, what), what


def test_both_hold_the_same_rows() -> None:
    one, other = migrated(), replayed()
    for (table,) in rows("SELECT tablename FROM pg_tables WHERE schemaname = %(schema)s", schema=one.schema):
        columns = "app, name, id" if table == "django_migrations" else "*"  # not when they were applied
        query = f'SELECT {columns} FROM "{{}}"."{table}" ORDER BY 1, 2'
        assert rows(query.format(one.schema)) == rows(query.format(other.schema)), table


def test_both_refuse_the_same_values() -> None:
    """PostgreSQL writes their checks down in two ways; what these come to is tried on values."""
    one, other = migrated(), replayed()
    with tenant_scope(one):
        first = [(name, plain(text)) for name, text in rows(CHECKS, schema=one.schema)]
    with tenant_scope(other):
        second = [(name, plain(text)) for name, text in rows(CHECKS, schema=other.schema)]
    assert first
    assert first == second
    for ref in (one, other):
        with tenant_scope(ref), connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO accounts_user VALUES (DEFAULT, '', NULL, 'a@b.example', '', 'owner', true, now())"
            )
            for role, email in (("king", "b@b.example"), ("owner", "B@b.example")):
                with pytest.raises(Exception, match="violates check constraint"), transaction.atomic():
                    cursor.execute(
                        "INSERT INTO accounts_user VALUES (DEFAULT, '', NULL, %s, '', %s, true, now())", [email, role]
                    )


def plain(text: str) -> str:
    """Without casts and parentheses."""
    return ddl.comparable(text).replace("(", "").replace(")", "")


def test_its_statements_make_one_thing_each_and_name_no_schema() -> None:
    """What Citus forbids in a tenant's schema: tables made with the schema, temporary ones, functions; and any name of another schema."""
    with public_scope():
        statements = Blueprint.objects.get().statements
    begins = {line.split("(")[0].rsplit(" ", 1)[0] for line in statements.split(";\n")}
    allowed = ("CREATE TABLE", "CREATE INDEX", "CREATE UNIQUE INDEX", "INSERT INTO", "SELECT setval", "ALTER TABLE", "")
    assert all(begin.startswith(allowed) for begin in begins)
    assert "t_" not in {word[:2] for word in statements.replace('"', " ").replace("(", " ").split()}
    assert "public." not in statements


STRANGE = {
    "a view": "CREATE VIEW seen AS SELECT 1 AS one",
    "a function": "CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "a sequence of its own": "CREATE SEQUENCE numbers",
    "a type": "CREATE TYPE mood AS ENUM ('good')",
    "a comment": "COMMENT ON TABLE plain IS 'people'",
    "a trigger": "CREATE TRIGGER seen BEFORE UPDATE ON plain EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "inheritance": "CREATE TABLE heir () INHERITS (plain)",
    "a table of a special kind": "ALTER TABLE plain SET (fillfactor = 50)",
}


@pytest.mark.parametrize("what", STRANGE)
def test_what_cannot_be_written_down_is_refused_by_name(what: str) -> None:
    ref = fresh()
    with tenant_scope(ref), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE plain (id int)")
        assert ddl.of(ref.schema).startswith("CREATE TABLE plain")
        cursor.execute(STRANGE[what])
        with pytest.raises(ddl.NotReplayable, match=what):
            ddl.of(ref.schema)


def test_odd_names_values_and_columns_survive() -> None:
    ref, other = fresh(), fresh()
    with tenant_scope(ref), connection.cursor() as cursor:
        cursor.execute(
            """CREATE TABLE "Odd; ""name" (
                id int GENERATED ALWAYS AS IDENTITY (START 5 INCREMENT 3 CYCLE) PRIMARY KEY, "select" text COLLATE "C" DEFAULT 'it''s;
            ', twice int GENERATED ALWAYS AS (length("select") * 2) STORED, at timestamptz, bytes bytea, tree jsonb,
                CONSTRAINT "no; more" UNIQUE NULLS NOT DISTINCT ("select"), EXCLUDE USING btree (twice WITH =))"""
        )
        cursor.execute(
            """INSERT INTO "Odd; ""name" ("select", at, bytes, tree)
            VALUES ('a''b;\n%s', now(), '\\x00ff', '{"a": [1, null]}'), (NULL, NULL, NULL, NULL)"""
        )
        written = ddl.of(ref.schema)
    with tenant_scope(other), connection.cursor() as cursor:
        cursor.execute(written)
        assert ddl.of(other.schema) == written
    query = 'SELECT * FROM "{}"."Odd; ""name" ORDER BY id'
    assert rows(query.format(ref.schema)) == rows(query.format(other.schema))


def _with_a_view(**kwargs: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE VIEW seen AS SELECT 1 AS one")


@pytest.fixture
def views_in_every_schema() -> Iterator[None]:
    """As a migration would make them that runs SQL of its own."""
    post_migrate.connect(_with_a_view, sender=apps.get_app_config("accounts"))
    yield
    post_migrate.disconnect(_with_a_view, sender=apps.get_app_config("accounts"))


@pytest.mark.usefixtures("views_in_every_schema")
def test_one_that_cannot_be_written_down_is_migrated_and_the_log_says_why(caplog: pytest.LogCaptureFixture) -> None:
    with public_scope():
        Blueprint.objects.update(code="of an older release")
    with caplog.at_level(logging.WARNING):
        assert blueprint.refresh()
    assert "a view, seen" in caplog.text
    ref = TenantRef(slug="x", name="X", host="", schema=new_schema_name())
    with public_scope():
        assert Blueprint.objects.get().statements == ""
        assert blueprint.can_be_made()
        blueprint.make(ref)
        Blueprint.objects.update(code="of a newer release")
        assert not blueprint.can_be_made(), "this code has not its migrations"
    assert described(ref, "columns") == described(migrated(), "columns")


def test_it_is_made_anew_when_the_migrations_have_changed_and_only_then(tenants: Tenants) -> None:
    with public_scope():
        before = Blueprint.objects.get()
        assert not blueprint.refresh()
        Blueprint.objects.update(code="of an older release", statements="nonsense", digest="of nonsense")
    assert blueprint.refresh()
    with public_scope():
        after = Blueprint.objects.get()
        assert after.code == before.code
        assert ddl.comparable(after.statements).count("CREATE TABLE") == before.statements.count("CREATE TABLE")
