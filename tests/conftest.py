"""Fixtures for all our tests: the databases of `saas.testing`, two tenants, clients."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client

from plugin_framework.tenancy import TenantRef, tenant_scope
from saas.testing.server import Tenants, two_tenants

pytest_plugins = ["saas.testing.plugin"]
collect_ignore = ["packages"]  # other people's projects: installed by our tests, not part of them


NEEDED = {"citus": "CITUS_URL", "tracking_pooler": "PGBOUNCER_TRACKING"}  # what no package gives us: marker, variable


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests of what this machine has not are not part of the run, and are counted as deselected."""
    lacking = {marker for marker, variable in NEEDED.items() if not os.environ.get(variable)}
    left_out = [item for item in items if lacking & {mark.name for mark in item.iter_markers()}]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture
def counted() -> Callable[[str, int], None]:
    """`counted(what, number)`: what a storm has done, for the report of `make test-storm`."""

    def note(what: str, number: int) -> None:
        if path := os.environ.get("STORM_COUNTS"):
            with Path(path).open("a") as report:
                report.write(json.dumps([what, number]) + "\n")

    return note


@pytest.fixture
def tenants(request: pytest.FixtureRequest) -> Tenants:
    """`acme` and `globex`; in the test's own database if it uses `committed_db`, else in one that is rolled back."""
    request.getfixturevalue("media_root")
    request.getfixturevalue("committed_db" if "committed_db" in request.fixturenames else "db")
    return two_tenants()


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
