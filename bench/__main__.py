"""`python -m bench`: measures, prints the table and writes bench/results.json. The exit status does not judge: machines differ."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

import psycopg

from bench import place, report, rounds, sides, verdicts
from bench.crowd import rows as crowd
from bench.delivery import rows as deliveries
from bench.rows import Row
from saas.postgres import PostgresError

REGISTERED = (10, 100, 1000)
TENANTS = (10, 100, 1000)
PARTS = ("calls", "deliveries", "tenants")


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, run, render."""
    options = _parser().parse_args(arguments)
    effort = rounds.Effort(options.rounds, options.request_ms, options.hook_ms)
    rows: list[Row] = []
    try:
        if "calls" in options.parts:
            with place.database() as url:
                found, samples = _measured(url, tuple(options.registered), effort)
                report.written(found, samples, effort, _version(url), options.results)
                rows += found
        if "deliveries" in options.parts:
            with place.database(durable=True) as url:
                load = _load(options)
                keep = partial(report.deliveries_written, load=load, server=_version(url), file=options.results)
                rows += _kept(deliveries.measured(url, load, _say), keep)
        if "tenants" in options.parts:
            with place.database(resumable=True) as url:
                many = _crowd(options)
                keep = partial(report.crowd_written, crowd=many, server=_version(url), file=options.results)
                rows += _kept(crowd.measured(url, many, _say), keep)
                _say("tenants: removing their databases")
    except (place.Busy, sides.SideFailed, PostgresError, psycopg.OperationalError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    print(report.table(rows))
    return 0


def _kept(found: Iterable[Row], keep: Callable[[list[Row]], None]) -> list[Row]:
    """All of `found`; those there are by then are kept with each, as a run takes a quarter of an hour and may be broken off."""
    rows: list[Row] = []
    for row in found:
        rows.append(row)
        keep(rows)
    return rows


def _crowd(options: argparse.Namespace) -> crowd.Crowd:
    few, many = options.crowd
    return crowd.Crowd(
        few=few,
        many=many,
        warm_up=options.crowd_warm_up,
        rounds=options.crowd_rounds,
        visits=options.crowd_visits,
        work_rounds=options.work_rounds,
        work=options.work,
    )


def _measured(url: str, registered: tuple[int, ...], effort: rounds.Effort) -> tuple[list[Row], rounds.Samples]:
    _say("making two organisations and starting all sides")
    with sides.started(url, registered) as each:
        rows = list(verdicts.statement_rows(each))
        samples = rounds.sampled(each, effort, _say)
    rows += verdicts.request_rows(samples, registered)
    rows += verdicts.hook_rows(samples, registered)
    return rows, samples


def _load(options: argparse.Namespace) -> deliveries.Load:
    beside, hoard = options.beside
    return deliveries.Load(
        rounds=options.delivery_rounds,
        lanes=options.lanes,
        each=options.each,
        jobs=options.jobs,
        tenants=tuple(options.tenants),
        beside=beside,
        hoard=hoard,
        seconds=options.seconds,
        beside_seconds=options.beside_seconds,
    )


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
    parser.add_argument("--delivery-rounds", type=int, default=5, help="how often a backlog is drained")
    parser.add_argument("--lanes", type=int, default=20, help="tenants with a backlog")
    parser.add_argument("--each", type=int, default=1000, help="deliveries in each")
    parser.add_argument("--jobs", type=int, default=2000, help="the peer's backlog")
    parser.add_argument("--tenants", type=int, nargs="+", default=TENANTS, help="numbers of tenants for the lag")
    parser.add_argument(
        "--beside", type=int, nargs=2, default=(95, 10_000), help="tenants beside hostile ones; their backlog"
    )
    parser.add_argument("--seconds", type=float, default=10, help="of each steady stream")
    parser.add_argument("--beside-seconds", type=float, default=120, help="of those beside hostile tenants")
    parser.add_argument(
        "--crowd", type=int, nargs=2, default=(10, 500), help="two numbers of tenants that are compared"
    )
    parser.add_argument("--crowd-warm-up", type=int, default=1500, help="visits before the first that counts")
    parser.add_argument("--crowd-rounds", type=int, default=15, help="how often each installation is visited")
    parser.add_argument("--crowd-visits", type=int, default=30, help="visits in a round")
    parser.add_argument("--work-rounds", type=int, default=5, help="how often a migration is measured")
    parser.add_argument("--work", type=int, default=5, help="new organisations in each of these rounds")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="what is measured")
    parser.add_argument("--results", type=Path, default=Path(__file__).with_name("results.json"), help="where to write")
    return parser


if __name__ == "__main__":
    sys.exit(main())
