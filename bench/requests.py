"""Requests through Django's own WSGI handler, without a client or a socket, so that every side pays for the same."""

from __future__ import annotations

import functools
import io
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler

from bench.clock import microseconds_per_call
from bench.tenants import REQUESTS, host_of
from saas.testing.statements import written_down

BATCH = 10


def microseconds(what: str, milliseconds: float) -> float:
    """One request for the path `what`, response closed."""
    return microseconds_per_call(_caller(what), BATCH, milliseconds)


def statements(path: str) -> list[str]:
    """The SQL that one warm request for `path` sends: what libpq itself notes down of its conversation with the server."""
    call = _caller(path)
    call(2)
    with written_down() as said:
        call(1)
    return said


@functools.cache
def _caller(path: str) -> Callable[[int], None]:
    settings.MIDDLEWARE = settings.MEASURED  # type: ignore[misc]  # the plugin of mypy knows the shipped settings only
    handler, environ = WSGIHandler(), environ_of(host_of(REQUESTS), path)
    answered: list[str] = []

    def start_response(status: str, headers: list[tuple[str, str]], error: Any = None) -> Callable[[bytes], None]:
        answered[:] = [status]
        return lambda _: None

    def call(times: int) -> None:
        for _ in range(times):
            handler(dict(environ), start_response).close()

    call(1)
    if answered != ["200 OK"]:
        raise RuntimeError(f"{path} answered {answered}, so there is nothing to measure.")
    return call


def environ_of(host: str, path: str) -> dict[str, Any]:
    """What a server hands over for a GET."""
    return {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
        "HTTP_HOST": host,
        "SERVER_NAME": host,
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": io.StringIO(),
        "wsgi.url_scheme": "http",
    }
