"""Opens the dashboard of tenants as people who are signed in there do, through the whole program as it is shipped."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from typing import Any

from django.core.handlers.wsgi import WSGIHandler
from django.db import connection

from bench.memory import private
from bench.requests import environ_of

_handler: list[WSGIHandler] = []
_largest = 0


def visit(visits: Sequence[tuple[str, str]], again: bool = True) -> list[list[float]]:
    """Microseconds of each visit, and of another one just after it, which finds all in memory.

    Args:
        visits: hosts and cookies.
        again: whether there is another one.
    """
    taken = []
    for host, cookie in visits:
        taken.append([_microseconds(host, cookie) for _ in range(2 if again else 1)])
        _note_memory()
    return taken


def memory() -> dict[str, int]:
    """KB of private memory: the most that one of the database sessions had after a visit, and this process now; 0: not to be seen."""
    return {"session": _largest, "process": private(os.getpid())}


def _microseconds(host: str, cookie: str) -> float:
    if not _handler:
        _handler.append(WSGIHandler())
    environ, answered = {**environ_of(host, "/"), "HTTP_COOKIE": cookie}, []

    def start_response(status: str, headers: list[tuple[str, str]], error: Any = None) -> Any:
        answered.append(status)

    began = time.perf_counter()
    response = _handler[0](environ, start_response)
    b"".join(response)
    response.close()
    took = time.perf_counter() - began
    if answered != ["200 OK"]:
        raise RuntimeError(f"{host} answered {answered}, so there is nothing to measure.")
    return took * 1e6


def _note_memory() -> None:
    global _largest
    session = connection.connection
    if session is not None and not session.closed:
        _largest = max(_largest, private(session.info.backend_pid))
