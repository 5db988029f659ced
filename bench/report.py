"""The table in plain text, and the same as JSON with all that is needed to read it later. Nothing in it names this machine."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from bench.crowd.rows import Crowd
from bench.delivery.rows import Load
from bench.rounds import Effort, Samples
from bench.rows import Row

_PACKAGES = ("Django", "django-tenants", "psycopg", "pluggy", "blinker", "procrastinate")
CROWDS, DELIVERIES = "tenants", "deliveries"  # parts of the results of their own; the first by the number of tenants
_HEAD = ("what", "peer", "ours", "peer's", "ratio", "middle half", "reach", "")


def table(rows: Sequence[Row]) -> str:
    """Aligned columns under a heading."""
    lines = [_HEAD, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEAD))]
    drawn = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([drawn[0], "-" * max(map(len, drawn)), *drawn[1:]])


def _cells(row: Row) -> tuple[str, ...]:
    number = {"us": "{:.2f} us", "KB": "{:.0f} KB"}.get(row.unit, "{:.0f}")
    theirs = "-" if row.theirs is None else number.format(row.theirs)
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    spread = "" if row.spread is None else "{:.2f} to {:.2f}".format(*row.spread)
    verdict = {True: "reached", False: "NOT REACHED", None: ""}[row.reached]
    return row.what, row.peer, number.format(row.ours), theirs, ratio, spread, row.reach, verdict


def written(rows: Sequence[Row], samples: Samples, effort: Effort, server: str, file: Path) -> None:
    """Write the results about requests and calls to `file`; the other parts, about deliveries and many tenants, stay as they are.

    Args:
        server: PostgreSQL's version.
    """
    found = {
        **_about(server),
        "effort": dataclasses.asdict(effort),
        "rows": [dataclasses.asdict(row) for row in rows],
        "medians_us": {name: round(median(taken), 3) for name, taken in samples.items()},
    }
    kept = {name: part for name, part in _before(file).items() if name in (DELIVERIES, CROWDS)}
    _write(found | kept, file)


def deliveries_written(rows: Sequence[Row], load: Load, server: str, file: Path) -> None:
    """Write the results about deliveries to `file`, beside all else that is there; so far as they are known, for a run takes long."""
    found = {**_about(server), "load": dataclasses.asdict(load), "rows": [dataclasses.asdict(row) for row in rows]}
    _write(_before(file) | {DELIVERIES: found}, file)


def crowd_written(rows: Sequence[Row], crowd: Crowd, server: str, file: Path) -> None:
    """Write the results about one number of tenants to `file`, beside those about others and all else that is there."""
    found = {**_about(server), "load": dataclasses.asdict(crowd), "rows": [dataclasses.asdict(row) for row in rows]}
    before = _before(file)
    before.setdefault(CROWDS, {})[str(crowd.many)] = found
    _write(before, file)


def _write(results: Mapping[str, Any], file: Path) -> None:
    file.write_text(json.dumps(results, indent=1) + "\n")


def _before(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    return found


def _about(server: str) -> Mapping[str, Any]:
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cores": os.cpu_count(), "kind": platform.machine(), "system": platform.system()},
        "versions": _versions(server),
    }


def _versions(server: str) -> Mapping[str, str]:
    return {"Python": platform.python_version(), "PostgreSQL": server} | {name: version(name) for name in _PACKAGES}
