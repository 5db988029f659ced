"""Savepoints that cost nothing until they are needed: opened in front of a hook handler's first SQL statement.

Handlers mostly do not touch the database; an eager savepoint would cost each of them two round trips. Nested dispatch stacks
them; the sids stay out of Django's own list, where an inner ``atomic(savepoint=False)`` would pop the wrong one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from psycopg import pq


@dataclass(slots=True, eq=False)
class Guard:
    """One handler's savepoint: unopened until its first statement, with what has to be put back if it fails."""

    callbacks: int
    needs_rollback: bool
    sid: str | None = None


class LazySavepoints:
    """The savepoints of the handlers running on one connection, outermost first."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._stack: list[Guard] = []
        self.pending = False

    def begin(self) -> Guard:
        """Guard what follows; nothing is sent yet."""
        guard = Guard(len(self._connection.run_on_commit), self._connection.needs_rollback)
        self._stack.append(guard)
        self.pending = True
        return guard

    def open(self) -> None:
        """Send the savepoints of all guards that have none yet, outermost first."""
        self.pending = False  # first: sending a savepoint asks for a cursor, which would come back here
        for guard in self._stack:
            if guard.sid is None:
                self._connection.savepoint_state += 1
                sid = f"tenantry_{self._connection.savepoint_state}"
                self._connection._savepoint(sid)
                guard.sid = sid

    def keep(self, guard: Guard) -> bool:
        """End `guard`, keeping its work; False when that is impossible because the handler broke the transaction."""
        if self._connection.needs_rollback != guard.needs_rollback or self._aborted():
            self.undo(guard)
            return False
        self._pop(guard)
        if guard.sid is not None:
            self._connection._savepoint_commit(guard.sid)
        return True

    def undo(self, guard: Guard) -> None:
        """End `guard`, undoing its work: statements, on_commit callbacks and Django's rollback mark."""
        self._pop(guard)
        if guard.sid is not None:
            self._connection._savepoint_rollback(guard.sid)
            self._connection.search_path_set_schemas = (
                None  # where the server does not report it, it may have been reverted
            )
        self._connection.needs_rollback = guard.needs_rollback
        del self._connection.run_on_commit[guard.callbacks :]

    def _pop(self, guard: Guard) -> None:
        while self._stack and self._stack.pop() is not guard:
            pass  # a nested dispatch that died without ending its guard
        self.pending = any(item.sid is None for item in self._stack)

    def _aborted(self) -> bool:
        raw = self._connection.connection
        return raw is not None and raw.pgconn.transaction_status == pq.TransactionStatus.INERROR
