"""PostgreSQL killed under load: what was answered is durable, and web and worker recover by themselves. A server of the test's own."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import signal
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from plugin_framework.tenancy import TenantRef
from saas.postgres import Cluster
from saas.postgres.binaries import bin_dir
from saas.postgres.owner import owner
from saas.testing.waiting import wait_until
from tests.faults.checker import Delivered, Histories, Receipt, Saw, check
from tests.faults.world import World

KILLS = int(os.environ.get("POSTGRES_KILLS", "3"))
CLIENTS = 4
RECOVERY = 30  # seconds, which the design allows
QUIET = {"LOG_LEVEL": "ERROR"}


@dataclass(slots=True, eq=False)
class Load:
    """Clients that register people without a pause, each with what it was answered."""

    port: int
    ended: threading.Event = field(default_factory=threading.Event)
    answers: dict[tuple[str, str], Saw] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def run(self) -> None:
        """One client."""
        while not self.ended.is_set():
            email = f"p{next(self.numbers)}@people.example"
            self.answers["acme", email] = Saw.UNKNOWN
            if self.register(email) == 201:
                self.answers["acme", email] = Saw.OK

    def register(self, email: str) -> int | None:
        """The answer's status; None if the connection broke."""
        body = json.dumps({"name": "P", "email": email, "password": "a long pass phrase 7"})
        headers = {"Host": "acme.localhost", "Content-Type": "application/json"}
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)) as web:
            try:
                web.request("POST", "/register/", body, headers)
                return web.getresponse().status
            except (OSError, http.client.HTTPException):
                return None

    def answered(self) -> int:
        """How many have been told that they are in."""
        return sum(saw is Saw.OK for saw in list(self.answers.values()))


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """A server that keeps what it has committed, as in production."""
    with tempfile.TemporaryDirectory(prefix="tenantry") as folder:
        made = Cluster(Path(folder) / "postgres", durable=True)
        made.start()
        yield made
        made.delete()


@pytest.fixture
def world(cluster: Cluster, tmp_path: Path) -> Iterator[World]:
    """Its processes work on that server; the test itself only looks."""
    nobody = TenantRef("acme", "Acme", "acme.localhost", "t_" + "x" * 20)
    here = World(nobody, nobody, cluster.url(), tmp_path)
    for command in (
        ("migrate_tenants",),
        ("tenants", "create", "acme", "--name", "Acme"),
        ("plugins", "enable", "--plugin", "poster", "--tenant", "acme"),
    ):
        done = here.run("manage.py", *command)
        assert done.process.wait(timeout=120) == 0, done.text
    yield here
    for started in here.started:
        if started.process.poll() is None:
            started.kill()


def _kill_postmaster(cluster: Cluster) -> None:
    """SIGKILL the server's first process; whoever looks after servers starts it again."""
    pid = cluster.status().pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    cluster.start()


def _stop_immediately(cluster: Cluster) -> None:
    """As a power cut does it, without a checkpoint."""
    programs = owner().programs(bin_dir(), cluster.data_dir)
    owner().run([programs / "pg_ctl", "stop", "-D", cluster.data_dir, "-m", "immediate", "-w"], capture_output=True)
    cluster.start()


def _kill_backend(cluster: Cluster) -> None:
    """SIGKILL one connection's process; the server ends all others and recovers by itself."""
    with psycopg.connect(cluster.url(), autocommit=True) as own:
        found = own.execute(
            "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() LIMIT 1"
        ).fetchone()
    assert found is not None
    os.kill(found[0], signal.SIGKILL)


WAYS: tuple[Callable[[Cluster], None], ...] = (_kill_postmaster, _stop_immediately, _kill_backend)


def test_what_was_answered_is_kept_and_all_recover_by_themselves(
    cluster: Cluster, world: World, counted: Callable[[str, int], None], tmp_path: Path
) -> None:
    receipts = tmp_path / "receipts.jsonl"
    world.run("-m", "tests.faults.receiver", str(tmp_path / "port"), str(receipts))
    wait_until((tmp_path / "port").exists)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = (tmp_path / "port").read_text()
        os.environ["TENANTRY_FAULT_PORT"] = port
        try:
            web = world.web(listening, threads=CLIENTS)
            worker = world.worker(**QUIET)
        finally:
            del os.environ["TENANTRY_FAULT_PORT"]
        load = Load(listening.getsockname()[1])
        clients = [threading.Thread(target=load.run) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        try:
            _serving(load, receipts)
            for number in range(KILLS):
                WAYS[number % len(WAYS)](cluster)
                _serving(load, receipts)
        finally:
            load.ended.set()
            for client in clients:
                client.join()
        assert web.process.poll() is None, web.text
        assert worker.process.poll() is None, worker.text
        wait_until(lambda: _open(cluster) == 0, seconds=120, what="all deliveries to end")
    found = _histories(cluster, load, receipts)
    assert check(found) == []
    counted("PostgreSQL killed", KILLS)
    counted("registrations tried", len(found.clients))
    counted("answered", load.answered())
    counted("rows", len(found.rows))
    counted("received", sum(receipt.accepted for receipt in found.receipts))


def _serving(load: Load, receipts: Path) -> None:
    """Somebody new is registered, and something new is delivered."""
    answered, delivered = load.answered(), _size(receipts)
    wait_until(lambda: load.answered() > answered + CLIENTS, seconds=RECOVERY, what="the web server to recover")
    wait_until(lambda: _size(receipts) > delivered, seconds=RECOVERY, what="the worker to recover")


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _schema(own: psycopg.Connection) -> str:
    row = own.execute("SELECT schema_name FROM public.tenants_tenant WHERE slug = 'acme'").fetchone()
    assert row is not None
    return str(row[0])


def _open(cluster: Cluster) -> int:
    """Deliveries that have not come to their end; their waits are over."""
    with psycopg.connect(cluster.url(), autocommit=True) as own:
        schema = _schema(own)
        own.execute(
            f"UPDATE {schema}.plugin_framework_delivery SET next_at = now() WHERE state = 'due' AND next_at > now()"
        )
        own.execute(
            "UPDATE public.delivery_lane SET next_at = now(), seq = seq + 1, paused_until = NULL "
            "WHERE next_at > now() OR paused_until > now()"
        )
        row = own.execute(f"SELECT count(*) FROM {schema}.plugin_framework_delivery WHERE state = 'due'").fetchone()
        assert row is not None
        return int(row[0])


def _histories(cluster: Cluster, load: Load, receipts: Path) -> Histories:
    lines = [json.loads(line) for line in receipts.read_bytes().splitlines()]
    with psycopg.connect(cluster.url()) as own:
        schema = _schema(own)
        people = own.execute(f"SELECT email FROM {schema}.accounts_user").fetchall()
        rows = own.execute(
            "SELECT (SELECT email FROM {0}.accounts_user WHERE id::text = payload->0->>'pk'), idempotency_key, state, "
            "(SELECT count(*) FROM {0}.plugin_framework_deliveryattempt a WHERE a.delivery_id = d.id AND outcome <> 'done') "
            "FROM {0}.plugin_framework_delivery d WHERE plugin = 'poster'".replace("{0}", schema)
        ).fetchall()
    return Histories(
        clients=load.answers,
        receipts=tuple(Receipt(line["key"], line["tenant"], line["row"], line["accepted"]) for line in lines),
        rows=frozenset(("acme", email) for (email,) in people),
        deliveries=tuple(Delivered("acme", email, str(key), state, cut) for email, key, state, cut in rows),
    )
