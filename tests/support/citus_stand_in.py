"""What our code asks of Citus, as plain tables and functions in a test's own database: a stand-in for what no package gives us.

It records what it was asked and answers in the form that Citus' documentation gives; it shards nothing, and so proves only that we ask
in the right order and understand the answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from plugin_framework.db.pooler import parameters

_INSTALL = """
SET allow_system_table_mods = on;
INSERT INTO pg_catalog.pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
    SELECT 990001, 'citus', usesysid, 'pg_catalog'::regnamespace, false, '14.0-1' FROM pg_user WHERE usename = current_user;
CREATE TABLE pg_catalog.pg_dist_local_group (groupid int);
INSERT INTO pg_catalog.pg_dist_local_group VALUES (0);
CREATE TABLE pg_catalog.pg_dist_node (
    nodeid int, groupid int, nodename text, nodeport int, noderole text, isactive bool, shouldhaveshards bool);
INSERT INTO pg_catalog.pg_dist_node VALUES
    (1, 0, 'coordinator', 5432, 'primary', true, false), (2, 1, 'worker1', 5432, 'primary', true, true);
CREATE TABLE pg_catalog.pg_dist_partition (logicalrelid regclass);
CREATE TABLE pg_catalog.pg_dist_schema (schemaid oid, colocationid int);
CREATE VIEW pg_catalog.citus_shards AS
    SELECT colocationid AS colocation_id, 'worker1'::text AS nodename, 5432 AS nodeport, 8192::bigint AS shard_size
    FROM pg_catalog.pg_dist_schema;
CREATE TABLE public.citus_was_asked (what text);
CREATE FUNCTION pg_catalog.citus_add_local_table_to_metadata(named regclass, cascade bool) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.citus_was_asked VALUES (format('register %s %s', named, cascade));
    INSERT INTO pg_catalog.pg_dist_partition VALUES (named);
END $$;
CREATE FUNCTION public.citus_spread() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('citus.enable_schema_based_sharding', true) = 'on' THEN
        INSERT INTO pg_catalog.pg_dist_schema SELECT objid, objid::int FROM pg_event_trigger_ddl_commands();
    END IF;
END $$;
CREATE EVENT TRIGGER citus_spread ON ddl_command_end WHEN TAG IN ('CREATE SCHEMA') EXECUTE FUNCTION public.citus_spread();
"""


@contextmanager
def server() -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """A connection that changes the stand-in."""
    with psycopg.connect(**parameters(), autocommit=True) as raw:
        raw.execute("SET search_path = public")
        raw.execute("SET allow_system_table_mods = on")
        yield raw


def install() -> None:
    """Put it into the current test's database."""
    with server() as raw:
        raw.execute(_INSTALL)


def asked() -> list[str]:
    """What our code has asked for."""
    with server() as raw:
        return [str(row[0]) for row in raw.execute("SELECT what FROM public.citus_was_asked").fetchall()]
