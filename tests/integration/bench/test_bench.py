"""The benchmark runs as a whole, on small counts; how fast anything is, is not looked at."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path

import psycopg
import pytest

from bench import place
from bench.__main__ import main
from saas.testing.waiting import wait_until

pytestmark = pytest.mark.xdist_group("bench")  # they look which databases there are
FEW = (
    "--delivery-rounds 1 --lanes 2 --each 20 --jobs 20 --tenants 3 --beside 3 50 --seconds 1 --beside-seconds 1".split()
)
CROWD = "--crowd 2 4 --crowd-warm-up 4 --crowd-rounds 2 --crowd-visits 2 --work-rounds 1 --work 1".split()
SMALL = ["--rounds", "2", "--request-ms", "1", "--hook-ms", "1", *FEW, *CROWD, "--registered", "10", "12"]


def databases() -> set[str]:
    with psycopg.connect(os.environ["DATABASE_URL"]) as raw:
        found = raw.execute("SELECT datname FROM pg_database WHERE datname LIKE 'tenantry_bench_%'")
        return {name for (name,) in found}


def test_all_rows_are_made_and_shown_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = databases()
    results = tmp_path / "results.json"
    results.write_text(json.dumps({"tenants": {"5000": "measured once"}}))
    assert main([*SMALL, "--results", str(results)]) == 0
    wait_until(lambda: databases() <= before, what="the end of the benchmark's database")
    shown, written = capsys.readouterr().out, json.loads(results.read_text())
    assert written["tenants"]["5000"] == "measured once"
    of_tenants = written["tenants"]["4"]["rows"]
    of_deliveries = written["deliveries"]["rows"]
    for row in [*written["rows"], *of_deliveries, *of_tenants]:
        assert row["what"] in shown
        assert (
            row["ours"] >= 0 or row["unit"] == "us"
        )  # a request's time over the bare view may be noise on such counts
    peers = {row["peer"] for row in [*written["rows"], *of_deliveries]}
    for peer in ("django-tenants", "pluggy", "Signal", "blinker", "procrastinate"):
        assert any(peer in each for each in peers)
    for what in ("as they come", "warm", "sign-up", "migration with nothing to do", "memory of a database session"):
        assert any(what in row["what"] for row in of_tenants)
    statements = [row for row in written["rows"] if row["unit"] == "statements"]
    assert [(row["ours"], row["theirs"]) for row in statements] == [(1, 3), (1, 3), (0, None)]
    assert all(row["reached"] for row in statements)
    text = results.read_text()
    assert str(place.DATA.parent) not in text
    assert set(written["machine"]) == {"cores", "kind", "system"}


def test_two_at_once_are_refused_with_a_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL")
    place.DATA.mkdir(exist_ok=True)
    with (place.DATA / "bench.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert main(SMALL) == 1
    assert "Another benchmark runs" in capsys.readouterr().err


def test_a_side_that_ends_early_ends_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = databases()
    assert main([*SMALL[:-2], "1", "--results", str(tmp_path / "none.json")]) == 1  # too few plugins to enable ten
    assert "ended early" in capsys.readouterr().err
    wait_until(lambda: databases() <= before, what="the end of the benchmark's database")
    assert not (tmp_path / "none.json").exists()
