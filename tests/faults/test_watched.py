"""Real web and worker processes, seen from outside: what /metrics adds up, what /readyz says, what stands in the logs."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from saas.testing.waiting import wait_until
from tests.faults.world import Started, World

TOKEN = "a-token-for-tests-" + "z" * 32
GIVEN = "req-from-the-proxy-1"


class Watched:
    """The world with a web server of two processes, and somebody who looks at it."""

    def __init__(self, world: World, listening: socket.socket) -> None:
        self.world = world
        self.environment = {
            "METRICS_DIR": str(world.folder / "counts"),
            "METRICS_TOKEN": TOKEN,
            "LOG_FORMAT": "json",
        }
        number = listening.fileno()
        options = ("--workers", "2", "--threads", "2", "--logger-class", "saas.gunicorn_logs.Logger")
        command = ("-m", "gunicorn", "saas.wsgi", "--bind", f"fd://{number}", "--no-control-socket", *options)
        self.address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        self.web = world.run(*command, inherits=(number,), **self.environment)

    def worker(self) -> Started:
        return self.world.worker(**self.environment)

    def ask(self, path: str, host: str = "localhost", **headers: str) -> tuple[int, str]:
        """Status and body of an answer, with the token."""
        sent = {"Authorization": f"Bearer {TOKEN}", "Host": host, **headers}
        try:
            with urllib.request.urlopen(
                urllib.request.Request(self.address + path, headers=sent), timeout=60
            ) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def attempts(self) -> Counter[tuple[str, str]]:
        """As /metrics has them, by plugin and outcome."""
        found: Counter[tuple[str, str]] = Counter()
        for family in text_string_to_metric_families(self.ask("/metrics")[1]):
            for sample in family.samples:
                if sample.name == "tenantry_delivery_attempts_total":
                    found[sample.labels["plugin"], sample.labels["outcome"]] += int(sample.value)
        return found

    def written(self) -> Counter[tuple[str, str]]:
        """As the database has them."""
        return Counter(
            (row.plugin, attempt.outcome)
            for tenant in self.world.tenants
            for row in self.world.deliveries(tenant)
            for attempt in self.world.attempts(tenant, row.pk)
        )


@pytest.fixture
def watched(world: World) -> Iterator[Watched]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield Watched(world, listening)


def said(process: Started) -> list[dict[str, Any]]:
    """Its lines, each of which is JSON."""
    return [json.loads(line) for line in process.text.splitlines()]


def test_what_killed_processes_counted_is_there_and_every_web_process_says_the_same(watched: Watched) -> None:
    world, worker = watched.world, watched.worker()
    for what in ("ok", "ok", "os_exit", "dead"):
        world.emit(world.acme, do=what)
        world.emit(world.globex, "steady", do="ok")
    wait_until(lambda: all(row.attempts and row.finished_at for row in world.all_deliveries()), seconds=60)
    wait_until(lambda: watched.attempts() == watched.written(), what="the last count")
    assert watched.attempts().keys() == {
        ("faulty", "done"),
        ("faulty", "killed"),
        ("faulty", "failed"),
        ("steady", "done"),
    }
    worker.kill_whole()
    watched.worker()
    before = watched.written()
    world.emit(world.globex, "steady", do="ok")
    wait_until(lambda: watched.written() > before, what="the second worker")
    wait_until(lambda: watched.attempts() == watched.written(), what="the count of the second worker too")
    assert all(watched.attempts() == watched.written() for _ in range(10)), "whichever process answers"


def test_readiness_follows_the_worker(watched: Watched) -> None:
    wait_until(lambda: json.loads(watched.ask("/readyz")[1])["not_ready"] == ["worker"], what="the web server")
    assert watched.ask("/readyz")[0] == 503
    worker = watched.worker()
    wait_until(lambda: watched.ask("/readyz")[0] == 200, what="the worker's first heartbeat")
    worker.stop()
    assert watched.ask("/readyz")[0] == 503, "a worker that stops says so"


def test_every_line_is_json_and_says_what_it_is_about(watched: Watched) -> None:
    world, worker = watched.world, watched.worker()
    world.emit(world.acme, do="raise")
    world.emit(world.globex, do="ok")
    assert watched.ask("/nowhere/", host=world.acme.host, **{"X-Request-ID": GIVEN})[0] == 404
    wait_until(lambda: any("failed, attempt" in line["message"] for line in said(worker)), what="the failure's line")
    (failure,) = [line for line in said(worker) if "failed, attempt" in line["message"]]
    (row,) = world.deliveries(world.acme)
    where = {
        "tenant": "acme",
        "schema": world.acme.schema,
        "plugin": "faulty",
        "delivery": row.pk,
        "attempt": 1,
        "level": "WARNING",
        "logger": "plugin_framework.delivery.attempt",
    }
    assert {name: failure.get(name) for name in where} == where
    assert "ZeroDivisionError: one by none" in failure["exception"]
    (asked,) = [line for line in said(watched.web) if line["message"] == "Not Found: /nowhere/"]
    assert {name: asked.get(name) for name in ("tenant", "schema", "request_id")} == {
        "tenant": "acme",
        "schema": world.acme.schema,
        "request_id": GIVEN,
    }
    worker.stop()
    watched.web.stop()
    assert {line["logger"] for line in said(watched.web)} >= {"gunicorn.error", "django.request"}
    assert all(
        {"time", "level", "logger", "tenant", "message"} <= line.keys() for line in said(worker) + said(watched.web)
    )
