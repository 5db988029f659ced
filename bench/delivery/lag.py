"""How late deliveries come, from the commit of their event to the start of their handler; in quiet, and beside hostile tenants."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

import psycopg

from bench.delivery.drain import worker
from bench.delivery.names import NOTES, SINK
from bench.memory import private
from bench.sides import Side, SideFailed

RATE = 50.0  # events a second
MEMORY = 256 << 20  # bytes a handler's process may add; the hog takes all of it each time
PATIENCE = 30.0  # seconds for the last deliveries

type Worker = subprocess.Popen[bytes]
_FATES = """
SELECT count(*) FILTER (WHERE state <> 'done' AND state <> 'due' OR attempts <> (SELECT count(*) FROM {0}.plugin_framework_deliveryattempt
    WHERE delivery_id = d.id)), count(*) FROM {0}.plugin_framework_delivery d
"""


@dataclass(frozen=True, slots=True)
class Lags:
    """Of one run, in microseconds.

    Attributes:
        unaccounted: deliveries that are neither done nor waiting with all attempts written down.
        child: KB of private memory of the worker's largest child at the end; 0: not to be seen.
    """

    p50: float
    p99: float
    unaccounted: int
    child: int


@dataclass(frozen=True, slots=True)
class Lag:
    """One worker as shipped, and a steady stream of events."""

    url: str
    env: Mapping[str, str]
    side: Side
    schemas: list[str]
    notes: Path

    def quiet(self, tenants: int, seconds: float) -> Lags:
        """To `tenants` tenants."""
        return self._run(tenants, seconds, harm=False, backlog=0)

    def beside_hostile(self, tenants: int, seconds: float, backlog: int) -> Lags:
        """The same, while five others hang, sleep, eat memory, end their process, and have a backlog of so many events."""
        return self._run(tenants, seconds, harm=True, backlog=backlog)

    def _run(self, tenants: int, seconds: float, *, harm: bool, backlog: int) -> Lags:
        self.side.ask("clear")
        self.notes.write_text("")
        with _sink() as port:
            env = {**self.env, NOTES: str(self.notes), SINK: str(port)}
            command = ["manage.py", "worker", "--memory", str(MEMORY), "--stop-grace", "1"]
            with worker(command, env) as process:
                self._warm(tenants, process)
                if backlog:
                    self.side.ask("harm", events=backlog)
                emitted = self.side.ask("stream", seconds=seconds, rate=RATE, tenants=tenants, harm=harm)
                lags = self._noted(emitted, process)
                child = max(map(private, _children(process.pid)), default=0)
        cuts = quantiles(lags, n=100)
        return Lags(cuts[49] / 1000, cuts[98] / 1000, self._unaccounted(), child)

    def _warm(self, tenants: int, worker: Worker) -> None:
        """Let the worker start, and each child meet some of the tenants."""
        self._noted(self.side.ask("stream", seconds=2.0, rate=RATE, tenants=tenants), worker)
        self.notes.write_text("")

    def _noted(self, emitted: int, worker: Worker) -> list[int]:
        give_up = time.monotonic() + PATIENCE
        while len(lines := self.notes.read_text().splitlines()) < emitted:
            if (status := worker.poll()) is not None:
                raise SideFailed(f"The worker ended with status {status}; {len(lines)} of {emitted} deliveries came.")
            if time.monotonic() > give_up:
                raise SideFailed(f"{emitted - len(lines)} of {emitted} deliveries did not come.")
            time.sleep(0.05)
        return [int(line) for line in lines]

    def _unaccounted(self) -> int:
        with psycopg.connect(self.url, autocommit=True) as raw:
            found = (raw.execute(_FATES.format(schema)).fetchone() for schema in self.schemas)
            return sum(row[0] for row in found if row is not None)


def _children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:  # not Linux
        return []


@contextmanager
def _sink() -> Iterator[int]:
    """A local port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=1000) as server:
        yield int(server.getsockname()[1])
