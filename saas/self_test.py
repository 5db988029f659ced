"""What a process finds out before it serves anything, and the WSGI application that serves nothing until it has."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

import psycopg
from django.conf import settings
from django.db import OperationalError, connection

from plugin_framework.citus import cluster
from plugin_framework.db import pooler

log = logging.getLogger(__name__)
EVERY = 1.0  # seconds between tries while the database cannot be reached
ALWAYS = ("/healthz", "/metrics")  # they say how this process does, not whether it may serve

_UNREACHED = (psycopg.OperationalError, OperationalError)

type Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def examine() -> None:
    """Make sure that what is served through this process can neither mix tenants up nor lose events.

    Raises:
        UnsafePooler, CitusError: it could; the text says why and what to do. OperationalError: the database cannot be reached.
    """
    pooler.refuse_unsafe()
    if settings.CITUS:
        try:
            cluster.refuse_unprepared()
        finally:
            connection.close()  # a process that forks after this must not share it


class TestedApplication:
    """Serves `application` once the way to the database was found safe.

    One that is not safe stops the start. A database that cannot be reached does not: a server must be able to start before it.
    Until it was reached and found safe, every page is answered with 503.

    Raises:
        UnsafePooler, CitusError: at the start. Later, when the database appears, it is logged, and nothing is served.
    """

    __test__ = False  # its name is not one of pytest's

    def __init__(self, application: Application) -> None:
        self._application = application
        self._lock = threading.Lock()
        self._next = 0.0
        try:
            examine()
            self._passed = True
        except _UNREACHED as error:
            self._passed = False
            log.warning("The database cannot be reached yet; nothing is served before it was: %s", str(error).strip())

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request."""
        if self._passed or environ.get("PATH_INFO") in ALWAYS or self._try_again():
            return self._application(environ, start_response)
        headers = [("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store"), ("Retry-After", "5")]
        start_response("503 Service Unavailable", headers)
        return [b"This service is not ready yet. Please try again in a moment.\n"]

    def _try_again(self) -> bool:
        """One thread at a time, and not at every request."""
        if time.monotonic() < self._next or not self._lock.acquire(blocking=False):
            return self._passed
        try:
            examine()
            self._passed = True
        except (*_UNREACHED, pooler.UnsafePooler, cluster.CitusError) as error:
            self._next = time.monotonic() + EVERY
            log.error("Nothing is served: %s", str(error).strip())
        finally:
            self._lock.release()
        return self._passed
