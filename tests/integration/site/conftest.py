"""Fixtures for the tests of an organisation's pages: its people, signed in, and a few plugins to handle."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.test import Client

from saas.testing.people import person
from tests.conftest import Tenants
from tests.dummies import pages


@pytest.fixture
def plugins() -> Iterator[None]:
    """The dummies of `tests.dummies.pages` beside the built-in plugins, and one that was rejected."""
    rejected = {"broken": "broken cannot be loaded from /opt/somewhere/broken.py: no such thing"}
    with pages.installed(pages.Pager, pages.Rota, pages.Clumsy, pages.Refusing, quarantined=rejected):
        yield


@pytest.fixture
def admin(tenants: Tenants, client_for: Callable[..., Client]) -> Client:
    """acme's admin."""
    return client_for(tenants.acme, person(tenants.acme, "admin"))


@pytest.fixture
def member(tenants: Tenants, client_for: Callable[..., Client]) -> Client:
    """A member of acme."""
    return client_for(tenants.acme, person(tenants.acme, "member"))


@pytest.fixture
def stranger(tenants: Tenants, client_for: Callable[..., Client]) -> Client:
    """globex's owner, who shows globex's session cookie to acme."""
    client = client_for(tenants.globex, person(tenants.globex, "owner"))
    client.defaults["HTTP_HOST"] = tenants.acme.host
    return client


@pytest.fixture
def anonymous(tenants: Tenants, client_for: Callable[..., Client]) -> Client:
    """Somebody at acme's host who is not signed in."""
    return client_for(tenants.acme)
