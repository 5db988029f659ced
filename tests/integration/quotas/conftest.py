"""Fixtures for the tests of quotas: acme's people and the platform's staff at their pages."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from plugin_framework.tenancy_directory import platform
from saas.testing.people import person
from tests.conftest import Tenants


@pytest.fixture
def owner(tenants: Tenants, client_for: Callable[..., Client]) -> Client:
    """acme's owner, at acme's host."""
    return client_for(tenants.acme, person(tenants.acme, "owner"))


@pytest.fixture
def visitor(tenants: Tenants, client_for: Callable[..., Client]) -> Client:
    """Somebody at acme's host who is not signed in."""
    return client_for(tenants.acme)


@pytest.fixture
def staff(tenants: Tenants, client_for: Callable[..., Client]) -> Client:
    """The platform's admin, in the console."""
    entry = platform()
    assert entry is not None
    return client_for(entry.ref, person(entry.ref, "admin", "root@platform.example"))
