"""A world for fault tests: two tenants with two plugins, worker processes on them, and what these processes noted."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.db import connection, transaction
from django.db.models.functions import Now

from plugin_framework.activation import BoundHandler
from plugin_framework.delivery import lanes
from plugin_framework.delivery.emit import emit_event
from plugin_framework.delivery.models import Lane, Wake
from plugin_framework.models import Delivery, DeliveryAttempt
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from saas.testing.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
HOOK = "fault_work"
OPTIONS = ("--children", "2", "--poll", "0.1")


def runs(pid: int) -> bool:
    """Whether a process exists and has not ended; one that nobody has buried yet has ended."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


@dataclass(slots=True)
class Started:
    """A process that a test has started, and what it says."""

    process: subprocess.Popen[bytes]
    output: Path

    @property
    def text(self) -> str:
        return self.output.read_text(errors="replace")

    def children(self) -> list[int]:
        """Process ids of its children."""
        path = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in path.read_text().split()] if path.exists() else []

    def stop(self) -> int:
        """Ask it to end, and wait until it has."""
        self.process.terminate()
        return self.process.wait(timeout=60)

    def kill(self) -> None:
        """End it as the system would, without a warning; a worker's children end with it."""
        self.process.kill()
        self.process.wait(timeout=60)

    def kill_whole(self) -> None:
        """Do so, and return when its children have ended too."""
        children = self.children()
        self.kill()
        wait_until(lambda: not any(map(runs, children)), what="the children to die")


@dataclass(slots=True)
class World:
    """Two tenants with two plugins, on a database in which commits are real."""

    acme: TenantRef
    globex: TenantRef
    url: str
    folder: Path
    started: list[Started] = field(default_factory=list)

    @property
    def tenants(self) -> tuple[TenantRef, TenantRef]:
        return self.acme, self.globex

    def emit(self, tenant: TenantRef, *plugins: str, roll_back: bool = False, **what: object) -> None:
        """One event in a transaction of its own, for the handlers of `plugins`."""
        handlers = [BoundHandler(name, "on_work", HOOK, print, False) for name in plugins or ("faulty",)]
        with tenant_scope(tenant), transaction.atomic():
            emit_event(HOOK, ({"do": "ok", **what},), handlers)
            if roll_back:
                transaction.set_rollback(True)

    def worker(self, *options: str, failpoints: str = "", **environment: str) -> Started:
        """Start `manage.py worker`."""
        extra = {"TENANTRY_FAILPOINTS": failpoints, **environment}
        return self.run("manage.py", "worker", *OPTIONS, *options, **extra)

    def web(self, listening: socket.socket, failpoints: str = "", threads: int = 1, **environment: str) -> Started:
        """Start the web server on a socket that listens already: what is asked meanwhile waits there."""
        number = listening.fileno()
        command = ("-m", "gunicorn", "saas.wsgi", "--bind", f"fd://{number}", "--preload", "--no-control-socket")
        command = (*command, "--threads", str(threads))
        return self.run(*command, inherits=(number,), TENANTRY_FAILPOINTS=failpoints, **environment)

    def run(self, *command: str, inherits: tuple[int, ...] = (), **environment: str) -> Started:
        """Start a Python process on the test's database; it inherits the files with the numbers `inherits`."""
        output = self.folder / f"process-{len(self.started)}.txt"
        own = {
            "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
            "DATABASE_URL": self.url,
            "TENANTRY_FAULT_LOG": str(self.notes_file),
            "PYTHONDONTWRITEBYTECODE": "",  # many starts: compile once, wherever that was forbidden
        }
        with output.open("wb") as file:
            process = subprocess.Popen(
                [sys.executable, *command],
                cwd=ROOT,
                env={**os.environ, **own, **environment},
                stdout=file,
                stderr=subprocess.STDOUT,
                pass_fds=inherits,
            )
        self.started.append(Started(process, output))
        return self.started[-1]

    @contextmanager
    def ended(self) -> Iterator[None]:
        """At the end, end whatever still runs, also what sleeps."""
        try:
            yield
        finally:
            for started in self.started:
                if started.process.poll() is None:
                    for pid in (*started.children(), started.process.pid):
                        os.kill(pid, signal.SIGCONT)
                    started.kill()

    @property
    def notes_file(self) -> Path:
        return self.folder / "notes.jsonl"

    def notes(self, what: str = "") -> list[dict[str, Any]]:
        """What handlers noted, in order."""
        lines = self.notes_file.read_text().splitlines() if self.notes_file.exists() else []
        return [note for note in map(json.loads, lines) if what in ("", note["note"])]

    def calls(self, what: str = "end") -> Counter[str]:
        """How often handlers came to `what`, by idempotency key."""
        return Counter(note["key"] for note in self.notes(what))

    def places(self) -> dict[str, str]:
        """In which tenant handlers were called, by idempotency key."""
        return {note["key"]: note["tenant"] for note in self.notes("begin")}

    def belongs(self) -> dict[str, str]:
        """In which tenant they should have been."""
        return {str(row.idempotency_key): each.slug for each in self.tenants for row in self.deliveries(each)}

    def deliveries(self, tenant: TenantRef, **filters: object) -> list[Delivery]:
        """Rows as they are in the database now."""
        with tenant_scope(tenant):
            return list(Delivery.objects.filter(**filters).order_by("id"))

    def all_deliveries(self, **filters: object) -> list[Delivery]:
        """Rows of both tenants."""
        return [row for tenant in self.tenants for row in self.deliveries(tenant, **filters)]

    def attempts(self, tenant: TenantRef, delivery: int) -> list[DeliveryAttempt]:
        """The attempts of one delivery."""
        with tenant_scope(tenant):
            return list(DeliveryAttempt.objects.filter(delivery_id=delivery).order_by("number"))

    def pass_time(self) -> None:
        """Make every waiting delivery due now, and end the pauses of breakers."""
        with public_scope():
            Lane.objects.filter(paused_until__gt=Now()).update(paused_until=Now())
        for tenant in self.tenants:
            with tenant_scope(tenant), connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE plugin_framework_delivery SET next_at = now() WHERE state = 'due' AND next_at > now()"
                )
                changed = cursor.rowcount
            if changed:
                with public_scope():
                    lanes.hurry(tenant.schema)  # tells the workers too

    def settle(self, *, seconds: float = 60) -> None:
        """Wait until nothing is due any more, letting the waits of retries pass."""

        def settled() -> bool:
            self.pass_time()
            return not self.all_deliveries(state="due")

        wait_until(settled, seconds=seconds, what="all deliveries to end")

    def lanes(self) -> list[Lane]:
        """All lanes."""
        with public_scope():
            return list(Lane.objects.all())

    def wakes(self) -> list[Wake]:
        """All wake-ups not folded yet."""
        with public_scope():
            return list(Wake.objects.all())
