"""The peer of a durable delivery: a procrastinate job per event, on its default connector."""

from __future__ import annotations

import os

import procrastinate

app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=os.environ.get("BENCH_PEER", "")))


@app.task(name="noop")
async def noop() -> None:
    """Nothing; not in a thread, which would only cost it time."""


@app.task(name="noop_sync")
def noop_sync() -> None:
    """Nothing, in a thread."""
