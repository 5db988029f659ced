"""Fixtures of the databases: one PostgreSQL server for the run, a template database with two tenants, clones of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.conf import settings
from django.db import connection, connections

from plugin_framework.tenancy import TenantRef
from saas.postgres import Cluster
from saas.testing import databases


def pytest_sessionstart(session: pytest.Session) -> None:
    """Start the server, in the process that the others wait for."""
    cluster = _cluster(session)
    if cluster is not None:
        databases.take_part(cluster)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Stop the server, unless another run in this checkout still uses it."""
    cluster = _cluster(session)
    if cluster is not None:
        connections.close_all()
        databases.leave(cluster)


def _cluster(session: pytest.Session) -> Cluster | None:
    """The server this process looks after; None in xdist's workers, and where DATABASE_URL names another."""
    found: Cluster | None = getattr(settings, "TEST_CLUSTER", None)
    return None if hasattr(session.config, "workerinput") else found


@dataclass(frozen=True, slots=True)
class Tenants:
    """The two tenants that every test database has."""

    acme: TenantRef
    globex: TenantRef


def _worker() -> str:
    return f"{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}"


@pytest.fixture(scope="session")
def template_database(django_db_blocker: Any) -> Iterator[str]:
    """The name of the template database."""
    with django_db_blocker.unblock():
        yield databases.ensure_template()


@pytest.fixture(scope="session")
def django_db_setup(template_database: str, django_db_blocker: Any) -> Iterator[None]:
    """pytest-django's hook: this worker's own database for tests that are rolled back."""
    name = f"test_{_worker()}"
    with django_db_blocker.unblock():
        databases.clone(template_database, name)
        with databases.using(name):
            yield
        databases.drop(name)


@pytest.fixture
def media_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of this test alone for the organisations' files, here and in the processes it starts."""
    found = tmp_path / "media"
    monkeypatch.setenv("MEDIA_ROOT", str(found))
    monkeypatch.setattr(settings, "MEDIA_ROOT", found)
    return found


@pytest.fixture
def committed_db(template_database: str, django_db_blocker: Any, media_root: Path) -> Iterator[str]:
    """A database of this test alone, in which commits are real; gives its URL for processes the test starts."""
    name = f"test_{_worker()}_committed"
    with django_db_blocker.unblock():
        databases.clone(template_database, name)
        with databases.using(name):
            yield _url(name)
        databases.drop(name)


def _url(name: str) -> str:
    found = connection.settings_dict
    where = {"host": found["HOST"], "port": found["PORT"], "user": found["USER"], "password": found["PASSWORD"]}
    given = {key: str(value) for key, value in where.items() if value}  # libpq does not read + as a space
    return f"postgresql:///{quote(name)}?{urlencode(given, quote_via=quote)}"


@cache
def two_tenants() -> Tenants:
    """`acme` and `globex`, as the template has them, and so every database that a test begins with: they are looked up once."""
    from tenants import directory

    acme, globex = directory.by_slug("acme"), directory.by_slug("globex")
    if acme is None or globex is None:
        raise LookupError("The test database has not its two tenants; let the template be made anew.")
    return Tenants(acme.ref, globex.ref)
