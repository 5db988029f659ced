"""Fixtures of the engine's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from plugin_framework import activation, lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.tenancy import tenant_scope
from tests.conftest import Tenants
from tests.dummies.pages import installed
from tests.integration.engine import dummies


@pytest.fixture
def plugins() -> Iterator[None]:
    """The engine's dummies are installed; nobody has enabled them."""
    dummies.CALLS.clear()
    dummies.LIVES.clear()
    classes = (dummies.Caller, dummies.Omega, dummies.Broken, dummies.Alpha, dummies.Looping, dummies.Living)
    with installed(*classes):
        yield
        activation.cache.clear()


@pytest.fixture
def acme(plugins: None, tenants: Tenants) -> Iterator[Tenants]:
    """Inside acme, which has the plugin that declares the hook points."""
    with tenant_scope(tenants.acme):
        lifecycle.enable("caller", SYSTEM)
        yield tenants
