"""Makes the schemas that hold tenants: the one place, because on Citus it is decided there that a schema may live on any server."""

from __future__ import annotations

from django.conf import settings
from django.db import connection, transaction

# Citus reads it when a schema is made, and never again. Whoever has it on for good gets every schema sharded, an extension's too.
_SHARDED = "SELECT set_config('citus.enable_schema_based_sharding', %s, true)"
_IS_SHARDED = "SELECT EXISTS (SELECT FROM pg_catalog.pg_dist_schema WHERE schemaid = to_regnamespace(%s))"


class NotSharded(RuntimeError):
    """CITUS is on, but the database made a plain schema. Run `manage.py citus prepare`, or take CITUS away."""


def create_schema(schema: str) -> None:
    """Make the empty schema `schema`, in the caller's transaction. With CITUS it is a shard of its own from the start.

    Args:
        schema: its name, one of ours (`tenants.names.new_schema_name`), as a schema that exists already is never adopted.

    Raises:
        django.db.ProgrammingError: there is such a schema. NotSharded: CITUS is on, and this is no Citus; nothing was made.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        if not settings.CITUS:
            cursor.execute(f"CREATE SCHEMA {connection.ops.quote_name(schema)}")
            return
        cursor.execute(_SHARDED, ["on"])
        cursor.execute(f"CREATE SCHEMA {connection.ops.quote_name(schema)}")
        cursor.execute(_SHARDED, ["off"])  # a plugin may make one too; that is none of Citus' business
        cursor.execute("SELECT to_regclass('pg_catalog.pg_dist_schema') IS NOT NULL")
        if cursor.fetchone() == (True,):
            cursor.execute(_IS_SHARDED, [connection.ops.quote_name(schema)])
            if cursor.fetchone() == (True,):
                return
        raise NotSharded(
            f"CITUS is on, but the schema {schema} would not have been made a shard. Run `manage.py citus prepare`, "
            "or take CITUS out of the environment."
        )
