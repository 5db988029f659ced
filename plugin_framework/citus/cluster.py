"""Asks a Citus cluster how it is made, and registers the tables that take part in tenants' transactions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from plugin_framework.citus.tables import REGISTERED
from plugin_framework.tenancy import public_scope

LEAST = (12, 1)  # citus_schema_move
SETTINGS = (
    "citus.enable_schema_based_sharding",
    "citus.shard_replication_factor",
    "max_prepared_transactions",
    "max_locks_per_transaction",
    "wal_level",
)
_NODES = """
SELECT nodename || ':' || nodeport, groupid = 0, noderole::text, isactive, shouldhaveshards
FROM pg_catalog.pg_dist_node ORDER BY groupid, nodeid
"""
_KNOWN = (
    "SELECT logicalrelid::regclass::text FROM pg_catalog.pg_dist_partition WHERE logicalrelid = ANY (%s::regclass[])"
)
_SPREAD = "SELECT nspname FROM pg_catalog.pg_dist_schema JOIN pg_catalog.pg_namespace AS n ON n.oid = schemaid"
_PLACES = """
SELECT nspname, nodename || ':' || nodeport, sum(shard_size)::bigint FROM pg_catalog.citus_shards
JOIN pg_catalog.pg_dist_schema ON colocationid = colocation_id JOIN pg_catalog.pg_namespace AS n ON n.oid = schemaid
GROUP BY 1, 2 ORDER BY 1, 2
"""


class CitusError(RuntimeError):
    """This is no Citus cluster that can be used; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Node:
    """A server of the cluster, and what it holds."""

    name: str  # host:port
    coordinator: bool
    role: str
    active: bool
    takes_shards: bool
    schemas: int = 0
    size: int = 0  # bytes of tenants' tables


@dataclass(frozen=True, slots=True)
class Status:
    """How the cluster stands."""

    version: str
    nodes: tuple[Node, ...]
    places: dict[str, str]  # by schema, the node that holds its tables
    sizes: dict[str, int]  # by schema, bytes
    not_registered: tuple[str, ...]  # tables of the public schema that should be
    not_spread: tuple[str, ...]  # schemas of tenants that stay on the coordinator
    settings: dict[str, str | None]


def version() -> str:
    """The version of Citus here.

    Raises:
        CitusError: there is none, it is too old, or this server is not the coordinator.
    """
    with public_scope():
        return _version()


def _version() -> str:
    found = _row("SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'citus'")
    if found is None:
        raise CitusError(
            "This database has no Citus. Put citus into shared_preload_libraries, restart PostgreSQL, and run "
            "CREATE EXTENSION citus in this database; see docs/howto/scale-out-with-citus.md."
        )
    said = str(found[0])
    if _number(said) < LEAST:
        raise CitusError(f"Citus is {said} here; {'.'.join(map(str, LEAST))} or later is needed. Update it.")
    if _row("SELECT groupid FROM pg_catalog.pg_dist_local_group") != (0,):
        raise CitusError("This is a worker of the cluster. Let DATABASE_URL lead to the coordinator.")
    return said


def prepare() -> list[str]:
    """Register the tables that take part in tenants' transactions, as far as they exist and are not registered; which.

    Raises:
        CitusError: this is no Citus cluster that can be used; nothing was changed.
    """
    with public_scope():
        _version()
        if _row("SELECT FROM pg_catalog.pg_dist_node WHERE groupid = 0") is None:
            raise CitusError(
                "The coordinator is not one of the cluster's nodes yet, so no table of it can take part. "
                "Run SELECT citus_set_coordinator_host('its host name', 5432)."
            )
        missing = _not_registered()
        with transaction.atomic(), connection.cursor() as cursor:
            for table in missing:
                cursor.execute("SELECT citus_add_local_table_to_metadata(%s::regclass, true)", [f"public.{table}"])
    return list(missing)


def refuse_unprepared() -> None:
    """Make sure that deliveries cannot lose their wake-ups; for the start of a process with CITUS.

    Raises:
        CitusError: with what to do.
    """
    with public_scope():
        _version()
        if missing := _not_registered():
            raise CitusError(
                f"Citus does not know of {', '.join(missing)} yet; events could be lost. Run manage.py citus prepare."
            )


def status(schemas: Iterable[str]) -> Status:
    """How the cluster stands.

    Args:
        schemas: those of all tenants.

    Raises:
        CitusError: this is no Citus cluster that can be used.
    """
    with public_scope():
        said = _version()
        placed = _rows(_PLACES)
        spread = {name for (name,) in _rows(_SPREAD)}
        nodes = [Node(*row) for row in _rows(_NODES)]
        settings = {name: (_row("SELECT current_setting(%s, true)", [name]) or (None,))[0] for name in SETTINGS}
        return Status(
            version=said,
            nodes=tuple(_filled(node, placed) for node in nodes),
            places={schema: node for schema, node, _ in placed},
            sizes={schema: size for schema, _, size in placed},
            not_registered=_not_registered(),
            not_spread=tuple(sorted(set(schemas) - spread)),
            settings=settings,
        )


def _filled(node: Node, placed: list[tuple[Any, ...]]) -> Node:
    held = [size for _, name, size in placed if name == node.name]
    own = (node.name, node.coordinator, node.role, node.active, node.takes_shards)
    return Node(*own, schemas=len(held), size=sum(held))


def _not_registered() -> tuple[str, ...]:
    """The tables that exist and should be registered."""
    there = [name for name in REGISTERED if _row("SELECT to_regclass(%s)", [f"public.{name}"]) != (None,)]
    known = {name.removeprefix("public.") for (name,) in _rows(_KNOWN, [[f"public.{name}" for name in there]])}
    return tuple(name for name in there if name not in known)


def _number(said: str) -> tuple[int, int]:
    found = re.match(r"(\d+)(?:\.(\d+))?", said)
    return (int(found[1]), int(found[2] or 0)) if found else (0, 0)


def _row(sql: str, params: list[Any] | None = None) -> tuple[Any, ...] | None:
    rows = _rows(sql, params)
    return rows[0] if rows else None


def _rows(sql: str, params: list[Any] | None = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found
