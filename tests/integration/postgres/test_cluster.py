"""The embedded PostgreSQL server: it starts anywhere, is found again after a crash, and never exists half."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from saas.postgres import Cluster, PostgresError
from saas.postgres.files import socket_dir
from saas.postgres.owner import Owner, owner, separate_account

OWNERS = [owner(), separate_account()] if os.geteuid() == 0 else [owner()]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A private folder with a short name: a socket's path has 107 bytes at most."""
    with tempfile.TemporaryDirectory(prefix="tenantry it's ") as path:
        yield Path(path)


@pytest.fixture
def run_as() -> Owner:
    """As whom the server runs, where a test does not try them all."""
    return owner()


@pytest.fixture
def cluster(folder: Path, run_as: Owner) -> Iterator[Cluster]:
    """A server that is made by the test, and deleted after it."""
    made = Cluster(folder / "postgres", durable=False, run_as=run_as)
    yield made
    made.delete()
    assert not made.data_dir.exists()


def _answers(cluster: Cluster) -> str:
    with psycopg.connect(cluster.url()) as connection:
        row = connection.execute("SELECT current_database() || ' ' || lower('ÅÄ')").fetchone()
    assert row is not None
    return str(row[0])


@pytest.mark.parametrize("run_as", OWNERS)
def test_a_server_is_made_started_stopped_and_started_again(cluster: Cluster) -> None:
    assert not cluster.status().running
    cluster.start()
    first = cluster.status().pid
    assert _answers(cluster) == "tenantry åä"
    cluster.start()
    assert cluster.status().pid == first
    cluster.stop()
    assert not cluster.status().running
    cluster.stop()
    cluster.start()
    assert _answers(cluster) == "tenantry åä"


@pytest.mark.parametrize("run_as", OWNERS)
def test_a_killed_server_comes_back_with_what_was_committed(cluster: Cluster) -> None:
    cluster.start()
    with psycopg.connect(cluster.url(), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        connection.execute("CHECKPOINT")  # the server of the tests does not sync what it commits
    for _again in range(4):  # each time it may be met while it is still dying
        with psycopg.connect(cluster.url()):
            pid = cluster.status().pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
        cluster.start()
        assert cluster.status().pid != pid
        with psycopg.connect(cluster.url()) as connection:
            assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


@pytest.mark.parametrize("run_as", OWNERS)
def test_deleting_one_server_leaves_another_its_programs(cluster: Cluster, folder: Path, run_as: Owner) -> None:
    cluster.start()
    other = Cluster(folder / "other" / "postgres", durable=False, run_as=run_as)
    other.start()
    other.delete()
    with psycopg.connect(cluster.url()) as connection:
        connection.execute("DO $$ BEGIN PERFORM 1; END $$")  # the first use of a language loads one of its libraries


def test_a_process_that_got_the_number_of_a_dead_server_is_not_taken_for_it(cluster: Cluster) -> None:
    cluster.start()
    cluster.stop()
    (cluster.data_dir / "postmaster.pid").write_text(f"{os.getpid()}\n{cluster.data_dir}\n0\n5432\n")
    assert not cluster.status().running
    cluster.start()
    assert _answers(cluster) == "tenantry åä"
    assert cluster.status().pid != os.getpid()


def test_an_interrupted_setup_is_done_again(cluster: Cluster) -> None:
    beside = cluster.data_dir.with_name("postgres.new")
    (beside / "base").mkdir(parents=True)
    cluster.start()
    assert _answers(cluster) == "tenantry åä"
    assert not beside.exists()


def test_data_of_another_version_is_left_alone_and_named(cluster: Cluster) -> None:
    cluster.start()
    cluster.stop()
    version = cluster.data_dir / "PG_VERSION"
    true_version = version.read_text()
    version.write_text("9\n")
    with pytest.raises(PostgresError, match=r"is of PostgreSQL 9, but the programs are \d+"):
        cluster.start()
    version.write_text(true_version)


def test_a_folder_of_somebody_else_is_refused_and_kept(folder: Path) -> None:
    theirs = folder / "postgres"
    theirs.mkdir()
    (theirs / "holiday.txt").write_text("precious")
    with pytest.raises(PostgresError, match="is not PostgreSQL's"):
        Cluster(theirs, run_as=owner()).start()
    assert (theirs / "holiday.txt").read_text() == "precious"


def test_processes_that_start_it_at_once_get_one_server(folder: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from saas.postgres import Cluster\n"
        "c = Cluster(Path(sys.argv[1]), durable=False); c.start(); print(c.status().pid)"
    )
    arguments = [sys.executable, "-c", program, str(folder / "postgres")]
    started = [subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    try:
        pids = {process.communicate(timeout=60)[0] for process in started}
        assert len(pids) == 1
        assert pids == {f"{Cluster(folder / 'postgres').status().pid}\n"}
    finally:
        Cluster(folder / "postgres").delete()


def test_a_path_too_long_for_a_socket_gets_a_short_private_one(folder: Path) -> None:
    deep = folder / ("x" * 60) / ("y" * 60)
    deep.mkdir(parents=True)
    cluster = Cluster(deep / "postgres", durable=False)
    try:
        cluster.start()
        assert _answers(cluster) == "tenantry åä"
        assert cluster.socket_dir.stat().st_mode & 0o777 == 0o700
    finally:
        cluster.delete()
    assert not cluster.socket_dir.exists()


def test_a_socket_folder_that_somebody_else_opened_is_refused(folder: Path) -> None:
    deep = folder / ("x" * 100)
    squatted = socket_dir(deep / "postgres")
    squatted.mkdir(mode=0o777)
    squatted.chmod(0o777)
    try:
        with pytest.raises(PostgresError, match="open to others"):
            Cluster(deep / "postgres", durable=False).start()
    finally:
        squatted.rmdir()


def test_a_server_whose_folder_was_moved_is_still_found(folder: Path) -> None:
    before, after = folder / "here", folder / "there"
    before.mkdir()
    Cluster(before / "postgres", durable=False, run_as=owner()).start()
    before.rename(after)
    moved = Cluster(after / "postgres", durable=False, run_as=owner())
    try:
        assert moved.status().running
        moved.start()
        assert _answers(moved) == "tenantry åä"
    finally:
        moved.delete()


def test_no_folder_above_gets_other_permissions(folder: Path) -> None:
    private = folder / "private"
    private.mkdir(mode=0o700)
    cluster = Cluster(private / "postgres", durable=False)
    cluster.start()
    cluster.delete()
    assert private.stat().st_mode & 0o777 == 0o700


def test_variables_meant_for_other_servers_do_not_reach_ours(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGDATA", "/nowhere")
    monkeypatch.setenv("PGPORT", "1")
    cluster = Cluster(folder / "postgres", durable=False)
    cluster.start()
    try:
        assert _answers(cluster) == "tenantry åä"
    finally:
        cluster.delete()


def test_an_ordinary_user_runs_it_as_themselves() -> None:
    assert Owner().place(Path("/x/postgres")) == Path("/x/postgres")
    assert Owner().programs(Path("/x/bin"), Path("/x/postgres")) == Path("/x/bin")
