"""Writes down what a process says to PostgreSQL: everything, also what goes past Django's cursors."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.db.backends.signals import connection_created
from psycopg import pq

# A note says who (F is us), the length, the kind of message and its contents, which may have line breaks.
_STATEMENT = re.compile(r"^F\t\d+\t(?:Query|Parse)\t(.*?)(?=^[FB]\t\d+\t|\Z)", re.MULTILINE | re.DOTALL)


@contextmanager
def written_down() -> Iterator[list[str]]:
    """The SQL sent by this thread within the block, in its order; what libpq itself notes down. Complete when the block has ended.

    A connection that is opened meanwhile is listened to as well.
    """
    statements: list[str] = []
    with tempfile.TemporaryFile("w+") as file:

        def listen(**created: Any) -> None:
            raw = connection.connection.pgconn
            raw.trace(file.fileno())
            raw.set_trace_flags(pq.Trace.SUPPRESS_TIMESTAMPS)

        connection.ensure_connection()
        listen()
        connection_created.connect(listen)
        try:
            yield statements
        finally:
            connection_created.disconnect(listen)
            if connection.connection is not None:
                connection.connection.pgconn.untrace()
            file.seek(0)
            statements += [" ".join(said.split()) for said in _STATEMENT.findall(file.read())]
