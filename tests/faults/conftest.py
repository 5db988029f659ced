"""What fault tests share: a world on a database of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from plugin_framework.catalog.revisions import bump_tenant
from plugin_framework.models import PluginState
from plugin_framework.tenancy import tenant_scope
from tests.faults.world import World


@pytest.fixture
def world(committed_db: str, tenants: Any, tmp_path: Path) -> Iterator[World]:
    """A world whose processes are ended with the test."""
    here = World(tenants.acme, tenants.globex, committed_db, tmp_path)
    for tenant in here.tenants:
        with tenant_scope(tenant), transaction.atomic():
            for plugin in ("faulty", "steady"):
                PluginState.objects.create(plugin=plugin, enabled=True, version="1.0.0")
            bump_tenant()
    with here.ended():
        yield here
