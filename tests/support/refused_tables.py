"""A database that refuses to make certain tables, in whatever schema, as a migration that is at fault would find."""

from __future__ import annotations

from django.db import connection

from plugin_framework.tenancy import public_scope

_REFUSE = """
CREATE FUNCTION public.refuse_tables() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM pg_event_trigger_ddl_commands() WHERE object_identity LIKE '%.{prefix}%') THEN
        RAISE EXCEPTION 'no such tables today';
    END IF;
END $$;
CREATE EVENT TRIGGER refuse_tables ON ddl_command_end WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION public.refuse_tables();
"""


def refuse_tables(prefix: str) -> None:
    """Let the current database refuse those whose names begin so; for a test whose database is its own."""
    with public_scope(), connection.cursor() as cursor:
        cursor.execute(_REFUSE.replace("{prefix}", prefix))
