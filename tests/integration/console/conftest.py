"""Fixtures for the tests of the superadmin's console."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.test import Client

from plugin_framework.tenancy import TenantRef
from plugin_framework.tenancy_directory import platform as platform_entry
from saas.testing.people import person
from tests.conftest import Tenants
from tests.dummies import pages


@pytest.fixture
def plugins() -> Iterator[None]:
    """The dummies of `tests.dummies.pages` beside the built-in plugins, and one that was rejected."""
    with pages.installed(
        pages.Pager, pages.Rota, pages.Clumsy, quarantined={"broken": "broken has no version.", "Odd/one": "odd."}
    ):
        yield


@pytest.fixture
def platform(tenants: Tenants) -> TenantRef:
    """The platform's own tenant."""
    entry = platform_entry()
    assert entry is not None
    return entry.ref


@pytest.fixture
def staff(platform: TenantRef, client_for: Callable[..., Client]) -> Client:
    """The platform's admin."""
    return client_for(platform, person(platform, "admin", "root@platform.example"))


@pytest.fixture
def acme_admin(tenants: Tenants, client_for: Callable[..., Client]) -> Client:
    """acme's admin, at acme's host."""
    return client_for(tenants.acme, person(tenants.acme, "admin"))
