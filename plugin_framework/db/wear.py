"""Counts the schemas that a database session has touched, so that one which has touched many is replaced between two pieces of work.

PostgreSQL keeps what a session has read of the catalogs (every table, index and column it has used, in every schema) until the
session ends. With one schema per tenant that grows with each tenant a process meets, and nothing but a new session frees it.
"""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

import psycopg
from django.db import connection
from psycopg import pq

from plugin_framework.tenancy import path_for

DEFAULT_MOST = 200  # schemas; what that means in memory is in docs/operations/many-tenants.md
# A cursor WITH HOLD is read from after its transaction has ended; a lock of the session is somebody's promise to somebody.
_IN_USE = """
SELECT EXISTS (SELECT FROM pg_catalog.pg_cursors WHERE is_holdable)
    OR EXISTS (SELECT FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND granted)
"""
_paths: WeakKeyDictionary[Any, set[str]] = WeakKeyDictionary()  # by session: a pool hands one session to many wrappers


def paths_of(session: object) -> set[str]:
    """The paths that `session` (psycopg's connection) has had, one for each schema; to be added to."""
    return _paths.setdefault(session, set())


def touch(schema: str) -> None:
    """Count `schema` for the current connection: for statements that name a tenant's tables with their schema."""
    connection.note_path(path_for(schema))  # type: ignore[attr-defined]  # our own wrapper's


def recycle() -> bool:
    """Close the current connection if it is worn and nothing is open on it; the next query opens another. Whether it did.

    To be called where one piece of work for a tenant has ended and the next has not begun.
    """
    return bool(connection.close_if_worn())  # type: ignore[attr-defined]  # our own wrapper's


def may_be_closed(session: Any) -> bool:
    """Whether nobody would miss `session`: no transaction, no cursor, no lock. Asks the server; only for one that is to be closed."""
    if session.pgconn.transaction_status != pq.TransactionStatus.IDLE or not session.autocommit:
        return False
    try:
        row = session.execute(_IN_USE).fetchone()
    except (
        psycopg.OperationalError
    ):  # it broke: closing it is all that can be done, and what Django does with such a one
        return True
    return row is not None and not row[0]
