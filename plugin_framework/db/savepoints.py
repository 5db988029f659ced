"""Keeps the database work of each hook handler apart, and costs nothing until a handler touches the database.

Most handlers do not. So nothing is done ahead of a handler: the connection itself, whenever it is asked for anything that has to do
with transactions, looks whether a handler is running and begins that handler's guard first. Inside of the caller's transaction this
is a savepoint, sent in front of the first statement; outside of one it is the handler's own transaction. The savepoints' names
stay out of Django's own list, where an inner ``atomic(savepoint=False)`` would pop the wrong one.
"""

from __future__ import annotations

from contextvars import ContextVar
from threading import get_ident
from typing import Any

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections, transaction
from psycopg import pq


class Dispatch:
    """One call of a hook: how deep it is nested, and what the handler it is at has begun."""

    __slots__ = ("at_rest", "depth", "guard", "outer", "thread")

    def __init__(self, outer: Dispatch | None) -> None:
        self.outer = outer
        self.depth: int = 1 if outer is None else outer.depth + 1
        self.thread = (
            get_ident()
        )  # a handler may start others with a copy of our context; their connections are their own
        self.guard: Guard | None = None
        self.at_rest = False  # no handler of ours is at work: what is sent now is our own

    def touch(self, connection: Any) -> None:
        """The running handler is about to use `connection`."""
        if self.guard is not None or self.at_rest or self.thread != get_ident():
            return
        if connection is not connections[DEFAULT_DB_ALIAS]:
            return
        if self.outer is not None:
            self.outer.touch(connection)
        self.guard = Guard(connection)
        self.guard.begin()

    def open(self, connection: Any) -> None:
        """The running handler is about to send a statement: the savepoints go first, outermost foremost."""
        if self.outer is not None:
            self.outer.open(connection)
        if self.guard is not None and not self.at_rest and self.guard.connection is connection:
            self.guard.open()

    def keep(self) -> None:
        """The handler has returned: its work stays.

        Raises:
            DatabaseError: that is impossible, because it broke the transaction and said nothing. Its work was undone.
        """
        guard, self.guard = self.guard, None
        if guard is not None:
            self.at_rest = True
            try:
                guard.keep()
            finally:
                self.at_rest = False

    def undo(self, error: BaseException) -> None:
        """The handler has failed with `error`: its work goes."""
        guard, self.guard = self.guard, None
        if guard is not None:
            self.at_rest = True
            try:
                guard.undo(error)
            finally:
                self.at_rest = False


class Guard:
    """What one handler has begun, and what has to be put back if it fails."""

    __slots__ = ("_atomic", "_callbacks", "_needs_rollback", "_sid", "connection")

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self._callbacks = len(connection.run_on_commit)
        self._needs_rollback = connection.needs_rollback
        self._atomic: Any = None
        self._sid: str | None = None

    def begin(self) -> None:
        """Outside of a transaction: start one, which sends nothing yet. Inside: the savepoint can wait for a statement."""
        if not self.connection.in_atomic_block:
            atomic = transaction.atomic(using=self.connection.alias)
            atomic.__enter__()
            self._atomic = atomic

    def open(self) -> None:
        """Send the savepoint, unless it was sent or there is a transaction instead."""
        if self._atomic is None and self._sid is None:
            self.connection.savepoint_state += 1
            sid = f"tenantry_{self.connection.savepoint_state}"
            self.connection._savepoint(sid)
            self._sid = sid

    def keep(self) -> None:
        """See `Dispatch.keep`."""
        if self.connection.needs_rollback != (self._needs_rollback and self._atomic is None) or self._aborted():
            error = DatabaseError("The handler swallowed a database error; its work was undone.")
            self.undo(error)
            raise error
        if self._atomic is not None:
            self._atomic.__exit__(None, None, None)
        elif self._sid is not None:
            self.connection._savepoint_commit(self._sid)

    def undo(self, error: BaseException) -> None:
        """Take back statements, on_commit callbacks and Django's rollback mark."""
        if self._atomic is not None:
            self._atomic.__exit__(type(error), error, error.__traceback__)
            return
        if self._sid is not None:
            self.connection._savepoint_rollback(self._sid)
            self.connection.search_path_set_schemas = None  # where it is not reported, it may have been reverted
        self.connection.needs_rollback = self._needs_rollback
        del self.connection.run_on_commit[self._callbacks :]

    def _aborted(self) -> bool:
        raw = self.connection.connection
        return raw is not None and raw.pgconn.transaction_status == pq.TransactionStatus.INERROR


running: ContextVar[Dispatch | None] = ContextVar("tenantry_dispatch", default=None)
