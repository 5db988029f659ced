"""Test databases: a template with two tenants, made once for a state of the code, and clones of it."""

from __future__ import annotations

import atexit
import fcntl
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import psycopg
from django.db import connection, connections
from psycopg import sql

from plugin_framework.db import pooler
from saas.postgres import Cluster

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("saas", "tenants", "plugin_framework", "plugins")


_taking_part: list[IO[str]] = []  # open for the whole run: the system frees the lock if we are killed


def take_part(cluster: Cluster) -> None:
    """Start the test server unless it runs, and keep other runs from stopping it under us."""
    cluster.data_dir.parent.mkdir(parents=True, exist_ok=True)
    file = cluster.data_dir.with_name("test-runs.lock").open("a")
    fcntl.flock(file, fcntl.LOCK_SH)
    _taking_part.append(file)
    cluster.start()


def leave(cluster: Cluster) -> None:
    """Stop the test server if no other run uses it."""
    file = _taking_part.pop()
    with suppress(BlockingIOError), file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        cluster.stop()


def fingerprint() -> str:
    """Changes with any line of the program, so that a template never is of yesterday's code."""
    digest = hashlib.sha256()
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*")):
            if path.suffix in {".py", ".sql"}:
                digest.update(path.relative_to(ROOT).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]


@contextmanager
def server() -> Iterator[psycopg.Connection[Any]]:
    """A connection to the server itself, outside of every test database."""
    with psycopg.connect(**_server(), autocommit=True) as raw:
        yield raw


def _server() -> dict[str, Any]:
    return pooler.parameters() | {"dbname": "postgres", "options": ""}


def ensure_template() -> str:
    """The name of the template, made now if this state of the code has none; other processes wait meanwhile."""
    name = f"tenantry_template_{fingerprint()}"
    keep(name)
    with server() as raw:
        raw.execute("SELECT pg_advisory_lock(727001)")
        if raw.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
            _drop_old_templates(raw)
            building = f"{name}_building"
            drop(building)
            raw.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(building)))
            with using(building):
                _fill()
            raw.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(building), sql.Identifier(name))
            )
    return name


def keep(template: str) -> None:
    """Keep other runs, of other code, from dropping the template while this process lives."""
    held = psycopg.connect(**_server(), autocommit=True)
    held.execute("SELECT pg_advisory_lock_shared(hashtextextended(%s, 0))", [template])
    atexit.register(held.close)


def _drop_old_templates(raw: psycopg.Connection[Any]) -> None:
    """Drop those that no run uses."""
    for (old,) in raw.execute("SELECT datname FROM pg_database WHERE datname LIKE 'tenantry_template_%'").fetchall():
        unused = raw.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", [old]).fetchone()
        if unused == (True,):
            drop(old)
            raw.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [old])


def _fill() -> None:
    from plugin_framework.audit import Actor
    from plugin_framework.delivery.models import Schedule
    from plugin_framework.tenancy import public_scope
    from tenants.fleet import migrate_everything
    from tenants.provisioning import create_tenant

    failed = [outcome for outcome in migrate_everything() if outcome.error]
    assert not failed, failed
    create_tenant("acme", "Acme", Actor("tests"))
    create_tenant("globex", "Globex", Actor("tests"))
    with public_scope():
        Schedule.objects.all().delete()  # what the platform does by night would come into tests that run then


def clone(template: str, name: str) -> None:
    """Make `name` a fresh copy of `template`."""
    with server() as raw:
        _drop(raw, name)
        raw.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
                sql.Identifier(name), sql.Identifier(template)
            )
        )


def drop(name: str) -> None:
    """Remove a database, whoever is connected to it."""
    with server() as raw:
        _drop(raw, name)


def _drop(raw: psycopg.Connection[Any], name: str) -> None:
    raw.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def using(name: str) -> Iterator[None]:
    """Point Django's connection at database `name`; what this process remembers of another one is forgotten."""
    before = connection.settings_dict["NAME"]
    _switch(name)
    try:
        yield
    finally:
        _switch(before)


def _switch(name: str) -> None:
    from plugin_framework import activation
    from plugin_framework.catalog import offers
    from plugin_framework.db import recorded
    from saas.console import adoption

    connection.close()
    connections["default"].settings_dict["NAME"] = name
    connections.databases["default"]["NAME"] = name  # for the connections of threads started later
    activation.cache.clear()
    offers.forget()
    recorded.forget()
    adoption.known.clear()
