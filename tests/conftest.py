"""Fixtures for all tests: one PostgreSQL server for the run, a template database, two tenants, clients."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from django.conf import settings
from django.db import connection, connections
from django.test import Client

from plugin_framework.tenancy import TenantRef, tenant_scope
from tests.support import databases


def pytest_sessionstart(session: pytest.Session) -> None:
    """Start the server, in the process that the others wait for."""
    if settings.TEST_CLUSTER is not None and not hasattr(session.config, "workerinput"):
        databases.take_part(settings.TEST_CLUSTER)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Stop the server, unless another run in this checkout still uses it."""
    if settings.TEST_CLUSTER is not None and not hasattr(session.config, "workerinput"):
        connections.close_all()
        databases.leave(settings.TEST_CLUSTER)


@pytest.fixture
def counted() -> Callable[[str, int], None]:
    """`counted(what, number)`: what a storm has done, for the report of `make test-storm`."""

    def note(what: str, number: int) -> None:
        if path := os.environ.get("STORM_COUNTS"):
            with Path(path).open("a") as report:
                report.write(json.dumps([what, number]) + "\n")

    return note


@dataclass(frozen=True, slots=True)
class Tenants:
    """The two tenants that every test database has."""

    acme: TenantRef
    globex: TenantRef


def _worker() -> str:
    return f"{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{os.getpid()}"


@pytest.fixture(scope="session")
def template_database(django_db_blocker: pytest.FixtureRequest) -> Iterator[str]:
    """The name of the template database."""
    with django_db_blocker.unblock():  # type: ignore[attr-defined]  # pytest-django's
        yield databases.ensure_template()


@pytest.fixture(scope="session")
def django_db_setup(template_database: str, django_db_blocker: pytest.FixtureRequest) -> Iterator[None]:
    """pytest-django's hook: this worker's own database for tests that are rolled back."""
    name = f"test_{_worker()}"
    with django_db_blocker.unblock():  # type: ignore[attr-defined]  # pytest-django's
        databases.clone(template_database, name)
        with databases.using(name):
            yield
        databases.drop(name)


@pytest.fixture
def committed_db(template_database: str, django_db_blocker: pytest.FixtureRequest) -> Iterator[str]:
    """A database of this test alone, in which commits are real; gives its URL for processes the test starts."""
    name = f"test_{_worker()}_committed"
    with django_db_blocker.unblock():  # type: ignore[attr-defined]  # pytest-django's
        databases.clone(template_database, name)
        with databases.using(name):
            yield _url(name)
        databases.drop(name)


def _url(name: str) -> str:
    found = connection.settings_dict
    where = {"host": found["HOST"], "port": found["PORT"], "user": found["USER"], "password": found["PASSWORD"]}
    given = {key: value for key, value in where.items() if value}  # libpq does not read + as a space
    return f"postgresql:///{quote(name)}?{urlencode(given, quote_via=quote)}"


def _tenants() -> Tenants:
    from tenants import directory

    acme, globex = directory.by_slug("acme"), directory.by_slug("globex")
    assert acme is not None
    assert globex is not None
    return Tenants(acme.ref, globex.ref)


@pytest.fixture
def tenants(request: pytest.FixtureRequest) -> Tenants:
    """`acme` and `globex`; in the test's own database if it uses `committed_db`, else in one that is rolled back."""
    request.getfixturevalue("committed_db" if "committed_db" in request.fixturenames else "db")
    return _tenants()


@pytest.fixture
def client_for(tenants: Tenants) -> Callable[..., Client]:
    """`client_for(tenant)`, or `client_for(tenant, user)` for one who is signed in there."""

    def make(ref: TenantRef | None = None, user: object = None, **extra: object) -> Client:
        client = Client(headers={"host": ref.host if ref else settings.BASE_DOMAIN}, **extra)
        if user is not None:
            assert ref is not None
            with tenant_scope(ref):
                client.force_login(user)
        return client

    return make
