"""What the console decides is felt by a process that has long been serving the organisation."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

from plugin_framework import lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.catalog.models import Availability
from plugin_framework.tenancy import tenant_scope
from saas.console import actions
from tenants import operations
from tests.conftest import Tenants

ROOT = Path(__file__).resolve().parents[3]
_SERVE = """
import sys, django
django.setup()
from django.test import Client
client = Client(headers={"host": "acme.localhost"})
for line in sys.stdin:
    print(client.get("/apps/orders/").status_code, flush=True)
"""


class Server:
    """Another process that answers one request each time it is asked to."""

    def __init__(self, database_url: str) -> None:
        env = {**os.environ, "DATABASE_URL": database_url, "DJANGO_SETTINGS_MODULE": settings.SETTINGS_MODULE}
        self._process = subprocess.Popen(
            [sys.executable, "-c", _SERVE], cwd=ROOT, env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def status(self) -> int:
        """The status of the orders plugin's first page at acme's, for somebody not signed in."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def stop(self) -> None:
        """End it, and wait for it."""
        self._process.communicate(timeout=30)


@pytest.fixture
def server(committed_db: str, tenants: Tenants) -> Iterator[Server]:
    """The other process; acme has enabled orders."""
    with tenant_scope(tenants.acme):
        lifecycle.enable("orders", SYSTEM)
    running = Server(committed_db)
    yield running
    running.stop()


def test_withdrawing_and_offering_are_felt_on_the_next_request(server: Server) -> None:
    assert server.status() == 302
    actions.offer("orders", Availability.WITHDRAWN, SYSTEM, message="It counts wrongly.")
    assert server.status() == 404
    actions.offer("orders", Availability.EVERYONE, SYSTEM)
    assert server.status() == 302


def test_suspending_and_resuming_are_felt_on_the_next_request(server: Server) -> None:
    assert server.status() == 302
    operations.suspend("acme", "Unpaid.", SYSTEM)
    assert server.status() == 503
    operations.resume("acme", SYSTEM)
    assert server.status() == 302
