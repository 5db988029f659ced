"""The Citus cluster that CITUS_URL names, for the tests that are marked `citus`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from saas.testing import databases

DATABASE = "tenantry_citus_test"


def nodes(url: str) -> list[tuple[str, int]]:
    """The workers of the cluster that CITUS_URL's database knows of."""
    with psycopg.connect(url, autocommit=True) as raw:
        rows = raw.execute(
            "SELECT nodename, nodeport FROM pg_dist_node WHERE groupid <> 0 AND isactive ORDER BY nodeid"
        )
        return [(str(name), int(port)) for name, port in rows.fetchall()]


@contextmanager
def fresh_database(url: str) -> Iterator[str]:
    """A database of that name on every node, joined into a cluster; Django's connection leads to it meanwhile.

    Args:
        url: of a database on the coordinator in which the cluster is set up, as a superuser.
    """
    workers, own = nodes(url), conninfo_to_dict(url)
    assert workers, "CITUS_URL has to lead to a coordinator with at least one worker."
    everywhere = [(str(own.get("host", "localhost")), int(own.get("port") or 5432)), *workers]
    for host, port in everywhere:
        _recreate(make_conninfo(url, host=host, port=port))
    here = make_conninfo(url, dbname=DATABASE)
    with psycopg.connect(here, autocommit=True) as raw:
        raw.execute("SELECT citus_set_coordinator_host(%s, %s)", everywhere[0])
        for worker in workers:
            raw.execute("SELECT citus_add_node(%s, %s)", worker)
    with databases.using(DATABASE):
        yield here
    for host, port in everywhere:
        _drop(make_conninfo(url, host=host, port=port))


def _recreate(there: str) -> None:
    _drop(there)
    with psycopg.connect(there, autocommit=True) as raw:
        raw.execute("SET citus.enable_create_database_propagation = off")
        raw.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
    with psycopg.connect(make_conninfo(there, dbname=DATABASE), autocommit=True) as raw:
        raw.execute("CREATE EXTENSION citus")


def _drop(there: str) -> None:
    with psycopg.connect(there, autocommit=True) as raw:
        raw.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(DATABASE)))


def node_of(schema: str) -> str:
    """host:port of the server that holds a tenant's tables."""
    from plugin_framework.citus import cluster

    return cluster.status([schema]).places[schema]


def move(schema: str, url: str) -> str:
    """Move a tenant to another worker than it is on, as the guide says; where it is then."""
    before = node_of(schema)
    host, port = next((name, port) for name, port in nodes(url) if f"{name}:{port}" != before)
    with psycopg.connect(url, autocommit=True) as raw:
        raw.execute("SELECT citus_schema_move(%s::regnamespace, %s, %s, 'block_writes')", [schema, host, port])
    return f"{host}:{port}"


def cluster_url() -> str:
    """What CITUS_URL says; the tests that need it are deselected without it."""
    return os.environ["CITUS_URL"]
