"""Fixtures for the tests of people: somebody at acme's host, and a plugin that watches the door."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.test import Client

from tests.conftest import Tenants
from tests.dummies.doorkeeper import at_the_door_of


@pytest.fixture
def acme(tenants: Tenants, client_for: Callable[..., Client]) -> Client:
    """Somebody at acme's host who is not signed in."""
    return client_for(tenants.acme)


@pytest.fixture
def globex(tenants: Tenants, client_for: Callable[..., Client]) -> Client:
    """Somebody at globex's host who is not signed in."""
    return client_for(tenants.globex)


@pytest.fixture
def doorkeeper(tenants: Tenants) -> Iterator[None]:
    """The plugin is enabled in acme alone."""
    with at_the_door_of(tenants.acme):
        yield
