"""Where the benchmark runs: a PostgreSQL server of its own, or a database of its own on yours; removed afterwards either way."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from saas.postgres import Cluster

DATA = Path(__file__).resolve().parents[1] / ".data"


class Busy(RuntimeError):
    """Another benchmark runs in this checkout. Wait for it: two at once would only measure each other."""


@contextmanager
def database(*, durable: bool = False, resumable: bool = False) -> Iterator[str]:
    """The address of an empty database.

    Args:
        durable: what is committed there is as safe as where the program is in use; of your own server that is yours to say.
        resumable: on a server of ours, what is there when a run breaks off is there for the next one, databases beside it included.

    Raises:
        Busy: another run has the server.
    """
    yours = os.environ.get("DATABASE_URL")
    with _database_on(yours) if yours else _own_server(durable, resumable) as url:
        yield url


def beside(url: str, name: str, *, anew: bool = False) -> str:
    """The address of another database on the server of `url`, made if it is not there.

    Args:
        anew: one that is there is dropped first.
    """
    name = f"{conninfo_to_dict(url)['dbname']}_{name}"
    with psycopg.connect(url, autocommit=True) as raw:
        if anew:
            raw.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        if raw.execute("SELECT FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
            raw.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return make_conninfo(url, dbname=name)


@contextmanager
def _own_server(durable: bool, resumable: bool) -> Iterator[str]:
    DATA.mkdir(exist_ok=True)
    with (DATA / "bench.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy(Busy.__doc__) from None
        cluster = Cluster(DATA / ("bench-crowd-postgres" if resumable else "bench-postgres"), durable=durable)
        whole = False
        try:
            cluster.start()
            yield cluster.url()
            whole = True
        finally:
            if whole or not resumable:
                cluster.delete()
            else:
                cluster.stop()


@contextmanager
def _database_on(server: str) -> Iterator[str]:
    name = f"tenantry_bench_{secrets.token_hex(4)}"
    with psycopg.connect(server, autocommit=True) as raw:
        raw.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield make_conninfo(server, dbname=name)
        finally:
            made = raw.execute("SELECT datname FROM pg_database WHERE starts_with(datname, %s)", [name]).fetchall()
            for (each,) in made:
                raw.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(each)))
