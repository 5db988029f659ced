"""Asks the database something, and gives up waiting after a while even if the database never says a word.

A statement timeout is the server's, and a server that hangs does not keep it. So the question is put in a thread, on a connection of
its own: whoever asks waits for so long and no longer, and while one thread waits, nobody starts another.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from django.db import connection, transaction

from plugin_framework.tenancy import public_scope


class Silent(Exception):
    """The database did not answer in time."""


class _Run[T]:
    """One question that was put."""

    def __init__(self, look: Callable[[], T], statement_ms: int) -> None:
        self._look, self._statement_ms = look, statement_ms
        self.ended = threading.Event()
        self.found: T | None = None
        self.error: Exception | None = None
        threading.Thread(target=self._run, name="probe", daemon=True).start()

    def _run(self) -> None:
        try:
            with public_scope(), transaction.atomic():
                with connection.cursor() as cursor:
                    cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(self._statement_ms)])
                self.found = self._look()
        except Exception as error:  # noqa: BLE001  # raised again where somebody waits for it
            self.error = error
        finally:
            connection.close()
            self.ended.set()


class Probe[T]:
    """A question that can be asked at any time, by many at once."""

    def __init__(self, look: Callable[[], T], seconds: float = 2.0) -> None:
        """`look` is called in the public scope, in a transaction; an answer may take `seconds`."""
        self._look, self._seconds = look, seconds
        self._lock = threading.Lock()
        self._running: _Run[T] | None = None

    def ask(self) -> T:
        """The answer to the question asked now, or to one that somebody has just asked.

        Raises:
            Silent: there was none in time. django.db.Error: the database refused, or cannot be reached.
        """
        with self._lock:
            if self._running is None or self._running.ended.is_set():
                self._running = _Run(self._look, round(self._seconds * 1000))
            run = self._running
        if not run.ended.wait(self._seconds):
            raise Silent
        if run.error is not None:
            raise run.error
        return run.found  # type: ignore[return-value]  # it is there: there was no error
