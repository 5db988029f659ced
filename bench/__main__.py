"""`python -m bench`: measures, prints the table and writes bench/results.json. The exit status does not judge: machines differ."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import psycopg

from bench import place, report, rounds, sides, verdicts
from bench.rows import Row
from saas.postgres import PostgresError

REGISTERED = (10, 100, 1000)


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, run, render."""
    options = _parser().parse_args(arguments)
    effort = rounds.Effort(options.rounds, options.request_ms, options.hook_ms)
    try:
        with place.database() as url:
            rows, samples = _measured(url, tuple(options.registered), effort)
            server = _version(url)
    except (place.Busy, sides.SideFailed, PostgresError, psycopg.OperationalError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    report.written(rows, samples, effort, server, options.results)
    print(report.table(rows))
    return 0


def _measured(url: str, registered: tuple[int, ...], effort: rounds.Effort) -> tuple[list[Row], rounds.Samples]:
    _say("making two organisations and starting all sides")
    with sides.started(url, registered) as each:
        rows = list(verdicts.statement_rows(each))
        samples = rounds.sampled(each, effort, _say)
    rows += verdicts.request_rows(samples, registered)
    rows += verdicts.hook_rows(samples, registered)
    return rows, samples


def _say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


def _version(url: str) -> str:
    with psycopg.connect(url) as raw:
        major, minor = divmod(raw.info.server_version, 10000)
        return f"{major}.{minor}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=30, help="how often each side is asked (%(default)s)")
    parser.add_argument("--request-ms", type=float, default=60, help="time for each side's requests in a round")
    parser.add_argument("--hook-ms", type=float, default=25, help="time for each call in a round")
    parser.add_argument("--registered", type=int, nargs="+", default=REGISTERED, help="numbers of plugins, at least 10")
    parser.add_argument("--results", type=Path, default=Path(__file__).with_name("results.json"), help="where to write")
    return parser


if __name__ == "__main__":
    sys.exit(main())
