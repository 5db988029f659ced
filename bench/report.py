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

from bench.delivery.rows import Load
from bench.rounds import Effort, Samples
from bench.rows import Row

_PACKAGES = ("Django", "django-tenants", "psycopg", "pluggy", "blinker", "procrastinate")
_HEAD = ("what", "peer", "ours", "peer's", "ratio", "middle half", "reach", "")


def table(rows: Sequence[Row]) -> str:
    """Aligned columns under a heading."""
    lines = [_HEAD, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEAD))]
    drawn = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    return "\n".join([drawn[0], "-" * max(map(len, drawn)), *drawn[1:]])


def _cells(row: Row) -> tuple[str, ...]:
    number = "{:.2f} us" if row.unit == "us" else "{:.0f}"
    theirs = "-" if row.theirs is None else number.format(row.theirs)
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    spread = "" if row.spread is None else "{:.2f} to {:.2f}".format(*row.spread)
    verdict = {True: "reached", False: "NOT REACHED", None: ""}[row.reached]
    return row.what, row.peer, number.format(row.ours), theirs, ratio, spread, row.reach, verdict


def written(rows: Sequence[Row], samples: Samples, effort: Effort, load: Load, server: str, file: Path) -> None:
    """Write the results to `file`.

    Args:
        server: PostgreSQL's version.
    """
    found = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cores": os.cpu_count(), "kind": platform.machine(), "system": platform.system()},
        "versions": _versions(server),
        "effort": dataclasses.asdict(effort),
        "load": dataclasses.asdict(load),
        "rows": [dataclasses.asdict(row) for row in rows],
        "medians_us": {name: round(median(taken), 3) for name, taken in samples.items()},
    }
    file.write_text(json.dumps(found, indent=1) + "\n")


def _versions(server: str) -> Mapping[str, str]:
    return {"Python": platform.python_version(), "PostgreSQL": server} | {name: version(name) for name in _PACKAGES}
