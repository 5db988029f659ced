"""A PgBouncer of a test's own before the test server, in the mode it is told; Debian's, or the one that PGBOUNCER names."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg

from plugin_framework.db.pooler import parameters
from saas.postgres.owner import owner
from saas.testing.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"


def program() -> str:
    """Its path; installed if this system allows it.

    Raises:
        AssertionError: there is none; the text says how to get it.
    """
    if found := os.environ.get("PGBOUNCER"):
        return found
    done = subprocess.run([ROOT / "tools" / "pgbouncer"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@contextmanager
def pgbouncer(folder: Path, mode: str, port: int = 0, program_: str = "", **settings: object) -> Iterator[str]:
    """Run one; gives the address of the test's database through it.

    Args:
        folder: for its configuration and its log.
        mode: `session`, `transaction` or `statement`.
        port: where it listens; a free one unless given.
        program_: another PgBouncer than `program()`.
        settings: more of pgbouncer.ini.
    """
    port = port or free_port()
    where = parameters()
    given = {
        "pool_mode": mode,
        "listen_addr": HOST,
        "listen_port": port,
        "unix_socket_dir": "",
        "auth_type": "any",
        "ignore_startup_parameters": "options, extra_float_digits",
        "logfile": folder / "pgbouncer.log",
        **settings,
    }
    server = {key: where[key] for key in ("host", "port", "user", "password") if where.get(key)}
    database = " ".join(f"{key}={value}" for key, value in server.items())
    lines = ["[databases]", f"* = {database}", "[pgbouncer]", *(f"{name} = {value}" for name, value in given.items())]
    ini = folder / "pgbouncer.ini"
    ini.write_text("\n".join([*lines, ""]))
    process = subprocess.Popen([*owner().prefix, program_ or program(), "--quiet", ini], stdin=subprocess.DEVNULL)
    url = address(port)
    try:
        wait_until(lambda: _listens(port), what=f"PgBouncer to listen; see {folder}/pgbouncer.log")
        yield url
    finally:
        process.terminate()
        process.wait(timeout=30)


def address(port: int) -> str:
    """The test's database behind a pooler that listens on `port`."""
    where = parameters()
    return f"postgresql://{quote(where['user'])}@{HOST}:{port}/{quote(where['dbname'])}"


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as one:
        one.bind((HOST, 0))
        return int(one.getsockname()[1])


def _listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex((HOST, port)) == 0


def through(url: str) -> dict[str, object]:
    """How Django would connect with that DATABASE_URL."""
    return {**psycopg.conninfo.conninfo_to_dict(url), "options": parameters()["options"]}
