"""Fixtures of the webhooks' tests: the plugin runs in `acme`, commits are real, and there are as many receivers as wanted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from plugin_framework.tenancy import tenant_scope
from saas.testing import actions
from saas.testing.people import person
from saas.testing.receivers import webhook_server
from tests.conftest import Tenants
from tests.integration.plugins.webhooks.endpoints import Open


@pytest.fixture
def acme(committed_db: str, tenants: Tenants) -> Iterator[Tenants]:
    """The test works inside `acme`, where the plugin runs; commits are real."""
    with tenant_scope(tenants.acme):
        actions.enable("webhooks")
        actions.deliver()
        yield tenants


@pytest.fixture
def opened() -> Iterator[Open]:
    """`opened()`: one more receiver."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(webhook_server())


@pytest.fixture
def ada(acme: Tenants) -> Any:
    return person(acme.acme, "admin", "ada@acme.example")
