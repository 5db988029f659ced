"""A plugin switched on or off in one process is so for the very next request in every other, every time."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings

from plugin_framework import configuration, lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.tenancy import tenant_scope
from tests.conftest import Tenants

ROOT = Path(__file__).resolve().parents[2]
TOGGLES, PROCESSES = int(os.environ.get("TOGGLES", "100")), 3
_SERVE = """
import sys, django
django.setup()
from django.test import Client
clients = [Client(headers={"host": f"{slug}.localhost"}) for slug in ("acme", "globex")]
for line in sys.stdin:
    print(*(client.get("/apps/canary/").status_code for client in clients), flush=True)
"""


class Server:
    """Another process: answers with the statuses of the plugin's page at acme and at globex."""

    def __init__(self, database_url: str) -> None:
        env = {**os.environ, "DATABASE_URL": database_url, "DJANGO_SETTINGS_MODULE": settings.SETTINGS_MODULE}
        env["LOG_LEVEL"] = "ERROR"
        command = [sys.executable, "-c", _SERVE]
        self._process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=env,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def ask(self) -> None:
        """Have it make one request to each organisation."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()

    def answer(self) -> tuple[int, ...]:
        """What came of them."""
        assert self._process.stdout is not None
        return tuple(int(status) for status in self._process.stdout.readline().split())

    def stop(self) -> None:
        """End it, and wait for it."""
        self._process.communicate(timeout=30)


@pytest.fixture
def servers(committed_db: str, tenants: Tenants) -> Iterator[list[Server]]:
    """Three processes that have served both organisations already; both have the plugin set up, and acme has it enabled."""
    for ref in (tenants.acme, tenants.globex):
        with tenant_scope(ref):
            configuration.configure("canary", SYSTEM, {"canary": f"of {ref.slug}"})
    with tenant_scope(tenants.acme):
        lifecycle.enable("canary", SYSTEM)
    running = [Server(committed_db) for _ in range(PROCESSES)]
    for server in running:
        server.ask()
    assert [server.answer() for server in running] == [(200, 404)] * PROCESSES
    yield running
    for server in running:
        server.stop()


def test_the_next_request_in_every_process_knows(
    servers: list[Server], tenants: Tenants, counted: Callable[[str, int], None]
) -> None:
    wrong = []
    with tenant_scope(tenants.acme):
        for number in range(TOGGLES):
            enabled = number % 2 == 1
            (lifecycle.enable if enabled else lifecycle.disable)("canary", SYSTEM)
            for server in servers:
                server.ask()
            answers = [server.answer() for server in servers]
            if answers != [(200 if enabled else 404, 404)] * PROCESSES:
                wrong.append((number, answers))
    assert wrong == []
    counted(f"toggles that the next request in {PROCESSES} other processes knew of", TOGGLES)
