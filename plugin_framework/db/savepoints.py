"""Keeps the database work of each hook handler apart, and costs nothing until a handler touches the database.

Most handlers do not. So nothing is done ahead of a handler: the connection itself, whenever it is asked for anything that has to do
with transactions, looks whether a handler is running and begins that handler's guard first. Inside of the caller's transaction this
is a savepoint, sent in front of the first statement; outside of one it is the handler's own transaction. The savepoints' names
stay out of Django's own list, where an inner ``atomic(savepoint=False)`` would pop the wrong one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import get_ident
from typing import Any

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections, transaction
from psycopg import pq

from plugin_framework import tenancy

STATEMENT_TIMEOUT = 2000  # milliseconds; somebody waits for the handler, and a thread cannot be stopped
_LIMIT = f"SELECT current_setting('statement_timeout'), set_config('statement_timeout', '{STATEMENT_TIMEOUT}', true)"


class Guard:
    """What one handler has begun, and what has to be put back if it fails."""

    __slots__ = ("_atomic", "_callbacks", "_needs_rollback", "_opened", "_patience", "_sid", "connection")

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self._callbacks = len(connection.run_on_commit)
        self._needs_rollback = connection.needs_rollback
        self._atomic: Any = None
        self._sid: str | None = None
        self._opened = False
        self._patience = ""  # the caller's statement_timeout

    def begin(self) -> None:
        """Outside of a transaction: start one, which sends nothing yet. Inside: the savepoint can wait for a statement."""
        if not self.connection.in_atomic_block:
            atomic = transaction.atomic(using=self.connection.alias)
            atomic.__enter__()
            self._atomic = atomic

    def open(self) -> None:
        """A statement comes: send the savepoint, unless there is a transaction instead, and how long a statement may take."""
        if self._opened:
            return
        self._opened = True
        if self._atomic is not None:
            self._send(_LIMIT)  # ends with the transaction
            return
        self.connection.savepoint_state += 1
        sid = f"tenantry_{self.connection.savepoint_state}"
        self._patience = self._send(f"{self.connection.ops.savepoint_create_sql(sid)}; {_LIMIT}")
        self._sid = sid

    def keep(self) -> None:
        """The handler has returned: its work stays.

        Raises:
            DatabaseError: that is impossible, because it broke the transaction and said nothing. Its work was undone.
        """
        if self.connection.needs_rollback != (self._needs_rollback and self._atomic is None) or self._aborted():
            error = DatabaseError("The handler swallowed a database error; its work was undone.")
            self.undo(error)
            raise error
        if self._atomic is not None:
            self._atomic.__exit__(None, None, None)
        elif self._sid is not None:
            # Its end leaves the handler's limit in place, where a rollback takes it back.
            release = self.connection.ops.savepoint_commit_sql(self._sid)
            self._send(f"{release}; SELECT set_config('statement_timeout', '{self._patience}', true)")

    def undo(self, error: BaseException) -> None:
        """The handler has failed with `error`: take back statements, on_commit callbacks and Django's rollback mark."""
        if self._atomic is not None:
            self._atomic.__exit__(type(error), error, error.__traceback__)
            return
        if self._sid is not None:
            self.connection._savepoint_rollback(self._sid)
            self.connection.search_path_set_schemas = None  # where it is not reported, it may have been reverted
        self.connection.needs_rollback = self._needs_rollback
        del self.connection.run_on_commit[self._callbacks :]

    def _send(self, sql: str) -> str:
        """Send statements in one round trip; the first column of what the last one gives."""
        with self.connection.cursor() as cursor:
            cursor.execute(sql)
            while cursor.nextset():
                pass
            return str(cursor.fetchone()[0])

    def _aborted(self) -> bool:
        raw = self.connection.connection
        return raw is not None and raw.pgconn.transaction_status == pq.TransactionStatus.INERROR


class _NotOurs(Guard):
    """Stands where nothing is to be guarded."""

    def __init__(self) -> None:
        self.connection = None

    def keep(self) -> None:
        """Nothing was begun."""

    def undo(self, error: BaseException) -> None:
        """Nothing was begun."""


_NOT_OURS = _NotOurs()


class Work:
    """The handlers at work in one thread of a scope: an entry for each call of a hook that is going on, outermost first.

    An entry is the guard of the handler which that call is at, or None while that handler has not touched the database.
    """

    __slots__ = ("guards",)

    def __init__(self, inherited: int) -> None:
        # A handler may start a thread with a copy of its context: its depth counts on there, its guards are of no use there.
        self.guards: list[Guard | None] = [_NOT_OURS] * inherited

    def touch(self, connection: Any) -> None:
        """The running handlers are about to use `connection`: each has a guard from now on."""
        if None in self.guards and connection is connections[DEFAULT_DB_ALIAS]:
            for level in range(len(self.guards)):
                if self.guards[level] is None:
                    self.guards[level] = begun = Guard(connection)
                    begun.begin()

    def open(self, connection: Any) -> None:
        """A statement is about to be sent: the savepoints go first."""
        for guard in self.guards:
            if guard is not None and guard.connection is connection:
                guard.open()

    @contextmanager
    def at_rest(self) -> Iterator[Guard]:
        """The innermost handler has ended: yields its guard, to be kept or undone. What is sent meanwhile is not the handler's."""
        guard = self.guards[-1] or _NOT_OURS
        self.guards[-1] = _NOT_OURS
        try:
            yield guard
        finally:
            self.guards[-1] = None


def work() -> Work:
    """This thread's, inside of a scope; made when it calls its first hook there."""
    at_work = _at_work()
    found: Work | None = at_work.get(get_ident())
    if found is None:
        found = at_work[get_ident()] = Work(max((len(other.guards) for other in list(at_work.values())), default=0))
    return found


def running() -> Work | None:
    """This thread's, if a handler runs in it."""
    found: Work | None = _at_work().get(get_ident())
    return found if found is not None and found.guards else None


def inside_handler() -> bool:
    """Whether a handler runs in this thread, or in one that has started this one with a copy of its context."""
    at_work = _at_work()
    found: Work | None = at_work.get(get_ident())
    return bool(found.guards) if found is not None else any(other.guards for other in list(at_work.values()))


def _at_work() -> dict[int, Any]:
    scope = tenancy.current_scope()
    return {} if scope is None else scope.at_work
