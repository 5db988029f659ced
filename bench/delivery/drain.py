"""How many durable deliveries a second: a backlog is written, the real worker drains it, and the rows say when."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg

from bench.sides import Side, SideFailed

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 120.0  # seconds for one drain
PEER_SCHEMA = "procrastinate"
_LEFT = "SELECT (SELECT count(*) FROM delivery_wake) + (SELECT count(*) FROM delivery_lane WHERE next_at IS NOT NULL)"
_ENDED = """
SELECT count(*) FILTER (WHERE state = 'done' AND attempts = 1), count(*), min(started_at), max(finished_at)
FROM {}.plugin_framework_delivery
"""
_PEER_LEFT = "SELECT count(*) FROM procrastinate_jobs WHERE status <> 'succeeded'"
_PEER_ENDED = """
SELECT (SELECT count(*) FROM procrastinate_jobs WHERE status = 'succeeded'), (SELECT count(*) FROM procrastinate_jobs),
    (SELECT min(at) FROM procrastinate_events WHERE type = 'started'), (SELECT max(at) FROM procrastinate_events WHERE type = 'succeeded')
"""
_PEER_FILL = """
INSERT INTO procrastinate_jobs (queue_name, task_name) SELECT 'default', %s FROM generate_series(1, %s)
"""


@contextmanager
def worker(command: list[str], env: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A worker of either side at work; told to stop afterwards, and waited for."""
    process = subprocess.Popen([sys.executable, *command], cwd=ROOT, env={**os.environ, **env})
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=60)


@dataclass(frozen=True, slots=True)
class Ours:
    """`manage.py worker` as it is shipped."""

    url: str
    env: Mapping[str, str]
    side: Side
    schemas: list[str]

    def backlog(self, lanes: int, each: int) -> float:
        """Drain `each` deliveries in each of `lanes` lanes; microseconds of one."""
        self.side.ask("backlog", lanes=lanes, each=each)
        return self._drained(self.schemas[:lanes], lanes * each)

    def sparse(self) -> float:
        """Drain one delivery in each of two lanes of every tenant; microseconds of one."""
        self.side.ask("sparse")
        return self._drained(self.schemas, 2 * len(self.schemas))

    def _drained(self, schemas: list[str], expected: int) -> float:
        with psycopg.connect(self.url, autocommit=True) as raw:
            raw.execute("ANALYZE")
            with worker(["manage.py", "worker"], self.env) as process:
                _wait(process, lambda: _number(raw, _LEFT))
            return _each([raw.execute(_ENDED.format(schema)).fetchone() for schema in schemas], expected)


@dataclass(frozen=True, slots=True)
class Peer:
    """`procrastinate worker`."""

    url: str
    env: Mapping[str, str]

    def jobs(self, task: str, concurrency: int, jobs: int) -> float:
        """Drain `jobs` jobs; microseconds of one."""
        with psycopg.connect(self.url, autocommit=True) as raw:
            raw.execute("TRUNCATE procrastinate_jobs CASCADE")
            raw.execute(_PEER_FILL, [task, jobs])
            raw.execute("ANALYZE")
            command = ["-m", "procrastinate", "--app", "bench.delivery.peer.app", "--log-level", "warning"]
            command += ["worker", f"--concurrency={concurrency}"]
            with worker(command, {**self.env, "BENCH_PEER": self.url}) as process:
                _wait(process, lambda: _number(raw, _PEER_LEFT))
            return _each([raw.execute(_PEER_ENDED).fetchone()], jobs)

    def prepare(self) -> None:
        """Make its tables."""
        with psycopg.connect(self.url, autocommit=True) as raw:
            raw.execute(f"CREATE SCHEMA {PEER_SCHEMA}")
        command = [sys.executable, "-m", "procrastinate", "--app", "bench.delivery.peer.app", "schema", "--apply"]
        subprocess.run(
            command, cwd=ROOT, env={**os.environ, **self.env, "BENCH_PEER": self.url}, check=True, capture_output=True
        )


def _number(raw: psycopg.Connection, sql: str) -> int:
    row = raw.execute(sql).fetchone()
    assert row is not None
    return int(row[0])


def _wait(process: subprocess.Popen[bytes], left: Callable[[], int]) -> None:
    give_up = time.monotonic() + PATIENCE
    while left():
        if process.poll() is not None or time.monotonic() > give_up:
            raise SideFailed(f"A worker did not drain its backlog; {left()} are left.")
        time.sleep(0.05)


def _each(found: list[tuple[Any, ...] | None], expected: int) -> float:
    ends = [each for each in found if each is not None]
    done, there = sum(each[0] for each in ends), sum(each[1] for each in ends)
    if (done, there) != (expected, expected):
        raise SideFailed(f"{expected} were to be delivered at the first attempt; {done} of {there} were.")
    took: timedelta = max(each[3] for each in ends) - min(each[2] for each in ends)
    return took.total_seconds() / expected * 1e6
