"""Asks whether what stands between us and PostgreSQL keeps each client's search_path to itself; one that does not shows one
tenant's rows to another, and no error.

A pooler in transaction mode gives the statements of one client to whichever server connection is free. It is safe only if it
carries search_path along, which it can do only where the server reports it: PostgreSQL 18, or a Citus of 12 and later.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from django.db import connections

from plugin_framework.tenancy import NOWHERE

CLIENTS = 2
ROUNDS = 3
PATIENCE = 3  # seconds to connect, unless DATABASE_URL says otherwise
HEARING = 1.0  # seconds until a notification must have come
_LOOK = "SELECT pg_backend_pid(), current_setting('search_path')"
_SET = "SELECT set_config('search_path', %s, false)"


class UnsafePooler(RuntimeError):
    """Something between us and PostgreSQL would mix tenants up; the text says what was seen and what to change. Nothing is served."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one statement of a client met."""

    client: int
    wanted: str  # the search_path that this client has set
    path: str  # the one in force on the server
    reported: str | None  # the one that the client has been told of; None: the server does not report it
    backend: int  # the server's process


def parameters() -> dict[str, Any]:
    """How Django connects, for a connection of psycopg's own."""
    left_out = {"cursor_factory", "context", "prepare_threshold", "pool"}
    given = connections["default"].get_connection_params()
    return {name: value for name, value in given.items() if name not in left_out}


def refuse_unsafe(given: Mapping[str, Any] | None = None) -> bool:
    """Make sure that clients do not see each other's search_path; it takes some milliseconds.

    Args:
        given: how to connect; as Django does, unless given.

    Returns:
        Whether server connections are shared between clients, safely (pooling by transaction).

    Raises:
        UnsafePooler: they would. psycopg.OperationalError: the database cannot be reached; nothing is known.
    """
    with contextlib.ExitStack() as stack:
        try:
            clients = [stack.enter_context(_client(given)) for _ in range(CLIENTS)]
        except psycopg.OperationalError as error:
            if "unsupported startup parameter" in str(error):
                raise UnsafePooler(_REFUSES_OPTIONS) from error
            raise
        fresh = [_look(client, number, "") for number, client in enumerate(clients)]
        used = _backends(clients)
    if open_ones := [each.path for each in fresh if each.path not in (NOWHERE, "")]:
        raise UnsafePooler(_STARTS_OPEN.format(path=open_ones[0]))
    return len(used) != CLIENTS or len(set(used.values())) != CLIENTS


def hears(given: Mapping[str, Any] | None = None) -> bool:
    """Whether a notification reaches who listens: not through a pooler that shares server connections.

    Raises:
        psycopg.OperationalError: the database cannot be reached.
    """
    channel = f"tenantry_test_{secrets.token_hex(8)}"
    with _client(given) as listener, _client(given) as speaker:
        listener.execute(f"LISTEN {channel}")
        speaker.execute(f"NOTIFY {channel}")
        heard = any(True for _ in listener.notifies(timeout=HEARING, stop_after=1))
        listener.execute(f"UNLISTEN {channel}")
    return heard


@contextlib.contextmanager
def _client(given: Mapping[str, Any] | None) -> Iterator[psycopg.Connection[Any]]:
    wanted = {"connect_timeout": PATIENCE, **(parameters() if given is None else given)}
    with psycopg.connect(**wanted, autocommit=True, prepare_threshold=None) as client:
        yield client


def _backends(clients: list[psycopg.Connection[Any]]) -> dict[tuple[int, int], int]:
    """The server's processes that each client worked with, by client and process.

    Raises:
        UnsafePooler: one of them met a path that was not its own.
    """
    used = {}
    with contextlib.closing(_observe(clients)) as looks:
        for each in looks:
            told = each.path if each.reported is None else each.reported
            if not _bare(each.wanted) == _bare(each.path) == _bare(told):
                raise UnsafePooler(_LEAKS.format(told=_told(each)))
            used[each.client, each.backend] = each.backend
    return used


def _observe(clients: list[psycopg.Connection[Any]]) -> Generator[Seen]:
    """Let the clients set paths of their own and look at them again, in turns, within transactions and without."""
    # Of the form of a tenant's, but they name no schema: what a leaking pooler leaves behind must not open anything to anybody.
    names = [f"tenantry_test_{secrets.token_hex(4)}" for _ in clients]
    numbered = list(enumerate(clients))
    try:
        for turn in range(ROUNDS):  # now one is in no tenant, now the other, now neither
            paths = [NOWHERE if number == turn else f'"{name}", {name}' for number, name in enumerate(names)]
            for number, client in numbered:
                client.execute(_SET, [paths[number]])
                yield _look(client, number, paths[number])
            for number, client in numbered:
                yield _look(client, number, paths[number])
            for number, client in reversed(numbered):
                with client.transaction():
                    yield _look(client, number, paths[number])
    finally:
        for client in clients * ROUNDS:  # whichever connections of the server they were left in
            if not client.closed:
                client.execute("RESET search_path")


def _look(client: psycopg.Connection[Any], number: int, wanted: str) -> Seen:
    backend, path = client.execute(_LOOK).fetchone() or (0, "")
    reported = client.pgconn.parameter_status(b"search_path")
    return Seen(number, wanted, path, None if reported is None else reported.decode(), backend)


def _bare(path: str) -> str:
    """Without the quotes: who carries a path along may have it spelt anew."""
    return path.replace('"', "")


def _told(stray: Seen) -> str:
    if _bare(stray.path) != _bare(stray.wanted):
        return f"a client that had set {stray.wanted} worked with {stray.path}"
    return f"a client that worked with {stray.path} was told {stray.reported}"


_LEAKS = (
    "DATABASE_URL leads through a pooler that gives one client's search_path to another: {told}. "
    "Tenants would see each other's data, so nothing is served. Connect to PostgreSQL directly, or pool by session; "
    "PgBouncer 1.20 and later may pool by transaction with `track_extra_parameters = search_path` before a PostgreSQL 18. "
    "See docs/operations/poolers.md."
)
_STARTS_OPEN = (
    "A new connection starts with the search_path {path}, not with the empty one: a pooler drops the startup parameter "
    "`options`, so that code without a tenant would see tables. Give the database the empty path: "
    "ALTER DATABASE … SET search_path = ''. See docs/operations/poolers.md."
)
_REFUSES_OPTIONS = (
    "The pooler that DATABASE_URL leads to refuses the startup parameter `options`. For PgBouncer set "
    "`ignore_startup_parameters = options`, and give the database the empty path: ALTER DATABASE … SET search_path = ''. "
    "See docs/operations/poolers.md."
)
