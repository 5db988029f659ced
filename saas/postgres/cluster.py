"""One PostgreSQL server of ours: made whole or not at all, started, found again after a crash, stopped."""

from __future__ import annotations

import fcntl
import logging
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from saas.postgres import files
from saas.postgres.binaries import bin_dir, major_version
from saas.postgres.errors import PostgresError
from saas.postgres.owner import Owner, owner

log = logging.getLogger(__name__)
USER = "tenantry"
PATIENCE = 60  # seconds a server may take to recover before we say that it does not start
DYING = 10  # seconds until a server that refuses connections is taken for a broken one, not for one that just ends


@dataclass(frozen=True, slots=True)
class Status:
    """Whether the server runs, as which process, and where its data and its log are."""

    running: bool
    pid: int | None
    data_dir: Path
    log_file: Path


class Cluster:
    """A server with its data in a folder, reached by a Unix socket that only its owner can open.

    Arguments:
        data_dir: where the data is kept. Nothing outside it and its parent's `NAME.log` and `NAME.lock` is written.
        durable: False gives up crash safety for speed, for data that can be made again (tests).
        database: made by `start` if it is not there.
        run_as: as whom the server runs; found out unless given.
    """

    def __init__(
        self, data_dir: Path, *, durable: bool = True, database: str = USER, run_as: Owner | None = None
    ) -> None:
        self._owner = run_as or owner()
        self.data_dir = self._owner.place(data_dir.absolute())
        self.log_file = self.data_dir.with_name(f"{self.data_dir.name}.log")
        self._durable, self._database = durable, database

    @property
    def socket_dir(self) -> Path:
        """The folder of the socket."""
        return files.socket_dir(self.data_dir)

    def url(self, database: str = "") -> str:
        """The address of one of its databases, as libpq reads it."""
        name, host = quote(database or self._database, safe=""), quote(str(self.socket_dir), safe="")
        return f"postgresql://{USER}@/{name}?host={host}&port={files.PORT}"  # said, because PGPORT may say otherwise

    def status(self) -> Status:
        """What is known of the server now."""
        pid = files.server_pid(self.data_dir)
        return Status(pid is not None, pid, self.data_dir, self.log_file)

    def start(self) -> None:
        """Make the server if there is none yet, and start it unless it runs. Safe to call from several processes at once.

        Raises:
            PostgresError: it does not start, or its data is of another major version.
        """
        with self._alone():
            programs = self._owner.programs(bin_dir(), self.data_dir)
            if not (self.data_dir / "PG_VERSION").exists():
                self._make(programs)
            self._check_version(programs)
            if files.server_pid(self.data_dir) is not None and not files.socket(self.data_dir).exists():
                self._pg_ctl(programs, "stop", "-m", "fast")  # its folder was moved: it listens where nobody looks
            self._serve(programs)

    def stop(self) -> None:
        """Stop the server and wait until it has ended; nothing happens if it does not run.

        Raises:
            PostgresError: it does not end.
        """
        if not self.data_dir.exists():
            return
        with self._alone():
            if files.server_pid(self.data_dir) is not None:
                self._pg_ctl(self._owner.programs(bin_dir(), self.data_dir), "stop", "-m", "fast")

    def delete(self) -> None:
        """Stop the server and remove its data and its log."""
        self.stop()
        gone = self.data_dir.with_name(f"{self.data_dir.name}.gone")
        if self.data_dir.exists():
            shutil.rmtree(gone, ignore_errors=True)  # of one that was interrupted
            self.data_dir.rename(gone)  # a folder with its name is always a whole server
        if gone.exists():
            shutil.rmtree(gone)
        for path in (self.log_file, self._lock_file):
            path.unlink(missing_ok=True)
        if self.socket_dir != self.data_dir and self.socket_dir.exists():
            shutil.rmtree(self.socket_dir)  # a killed server has left its socket
        if self.data_dir.parent.exists():
            self._owner.forget(self.data_dir)

    @property
    def _lock_file(self) -> Path:
        return self.data_dir.with_name(f"{self.data_dir.name}.lock")

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the lock of this server; the system frees it if we are killed."""
        self._lock_file.parent.mkdir(parents=True, exist_ok=True)
        with self._lock_file.open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _make(self, programs: Path) -> None:
        """`initdb` beside and renamed into place: a folder with this name is always a whole server."""
        if self.data_dir.exists() and any(self.data_dir.iterdir()):
            raise PostgresError(f"{self.data_dir} exists and is not PostgreSQL's. Move it away, or set TENANTRY_DATA.")
        beside = self.data_dir.with_name(f"{self.data_dir.name}.new")
        shutil.rmtree(beside, ignore_errors=True)  # of one that was interrupted; we hold the lock
        self._owner.make_folder(beside)
        log.info("Making a PostgreSQL server in %s", self.data_dir)
        who = ["-U", USER, "-A", "trust"]
        language = ["-E", "UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"]  # the same on every host
        command: list[str | Path] = [programs / "initdb", "-D", beside, *who, *language, "--no-instructions"]
        done = self._owner.run(command, capture_output=True)
        if done.returncode:
            raise PostgresError(f"PostgreSQL could not be set up: {done.stderr.strip() or done.stdout.strip()}")
        with (beside / "postgresql.conf").open("a") as file:
            file.write(f"\ninclude '{files.SETTINGS}'\n")
        beside.rename(self.data_dir)

    def _check_version(self, programs: Path) -> None:
        data, program = (self.data_dir / "PG_VERSION").read_text().strip(), major_version(programs)
        if data != program:
            raise PostgresError(
                f"The data in {self.data_dir} is of PostgreSQL {data}, but the programs are {program}. "
                f"Set PG_BIN to a PostgreSQL {data}, or dump and restore it, or remove it with `make clean`."
            )

    def _serve(self, programs: Path) -> None:
        """Launch the server unless it runs. One that was killed a moment ago still looks alive: then once more."""
        while True:
            found = files.server_pid(self.data_dir)
            if found is None:
                self._launch(programs)
            try:
                return self._ensure_database()
            except psycopg.OperationalError:
                if found is None or not self._ends(found):
                    raise

    def _ends(self, pid: int) -> bool:
        """Wait a while for the server `pid` to be gone; whether it is."""
        give_up = time.monotonic() + DYING
        while files.server_pid(self.data_dir) == pid:
            if time.monotonic() > give_up:
                return False
            time.sleep(0.05)
        return True

    def _launch(self, programs: Path) -> None:
        """Start the server; one that was killed may have left processes that have to see it first."""
        files.write_settings(self.data_dir, durable=self._durable)
        files.make_socket_dir(self.data_dir, self._owner)
        files.disown_stale_pid(self.data_dir)
        give_up = time.monotonic() + PATIENCE
        while True:
            try:
                return self._pg_ctl(programs, "start")
            except PostgresError as error:
                if "shared memory block" not in str(error) or time.monotonic() > give_up:
                    raise
                time.sleep(0.2)

    def _pg_ctl(self, programs: Path, *command: str) -> None:
        """Have `pg_ctl` do it: it detaches the server from our terminal and waits until it answers, or has ended."""
        before = self.log_file.stat().st_size if self.log_file.exists() else 0
        if command[0] == "start":
            files.open_log(self.log_file, self._owner)
            command = (*command, "-l", str(self.log_file))
        waiting = ["-w", "-t", str(PATIENCE), "-s"]
        done = self._owner.run([programs / "pg_ctl", *command, "-D", self.data_dir, *waiting], capture_output=True)
        if done.returncode:
            why = self.log_file.read_text(errors="replace")[before:][-2000:] if self.log_file.exists() else ""
            raise PostgresError(
                f"PostgreSQL did not {command[0]} ({self.log_file}): {done.stderr.strip()}\n{why}".strip()
            )

    def _ensure_database(self) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            there = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [self._database]).fetchone()
            if there is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(self._database)))
