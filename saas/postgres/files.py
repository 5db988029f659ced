"""The files of a server: its settings, its socket's folder, and what its pid file says about who runs."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from pathlib import Path

from saas.postgres.errors import PostgresError
from saas.postgres.owner import Owner

SETTINGS = "tenantry.conf"
PORT = 5432  # no TCP port is opened; the socket's name has the number
SOCKET_NAME = f".s.PGSQL.{PORT}"
NOBODYS_PID = 2**31 - 1  # above every system's largest process number
LONGEST_SOCKET = 107  # bytes of a path that Linux and macOS take
_PLAIN = re.compile(r"[\w/. +-]+")  # a comma or an @ would mean something to libpq

_SETTINGS = """\
# Written at every start. Your own settings belong in postgresql.auto.conf (ALTER SYSTEM).
listen_addresses = ''
port = {port}
unix_socket_directories = '{socket_dir}'
unix_socket_permissions = 0700
max_connections = 200
max_locks_per_transaction = 256 # one transaction makes or drops all tables of a schema
timezone = 'UTC'
log_timezone = 'UTC'
"""
_NOT_DURABLE = """\
fsync = off
synchronous_commit = off
full_page_writes = off
max_wal_size = 128MB
min_wal_size = 32MB
"""


def write_settings(data_dir: Path, *, durable: bool) -> None:
    """Write our part of the server's settings; at every start, because the folder may have been moved."""
    path = str(socket_dir(data_dir)).replace("'", "''")
    (data_dir / SETTINGS).write_text(_SETTINGS.format(socket_dir=path, port=PORT) + ("" if durable else _NOT_DURABLE))


def socket_dir(data_dir: Path) -> Path:
    """The data folder itself, or a private folder with a short name if its path is too long or too odd for a socket."""
    path = str(data_dir)
    if len(os.fsencode(path)) + 1 + len(SOCKET_NAME) <= LONGEST_SOCKET and _PLAIN.fullmatch(path):
        return data_dir
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"tenantry-{os.geteuid()}-{digest}"


def socket(data_dir: Path) -> Path:
    """The socket itself; it is there while the server listens."""
    return socket_dir(data_dir) / SOCKET_NAME


def make_socket_dir(data_dir: Path, run_as: Owner) -> None:
    """Make the socket's folder if it is not the data folder.

    Raises:
        PostgresError: somebody else has made it, and could listen in our place.
    """
    folder = socket_dir(data_dir)
    if folder == data_dir:
        return
    run_as.make_folder(folder)
    found = folder.lstat()
    expected = os.geteuid() if run_as.uid is None else run_as.uid
    if folder.is_symlink() or found.st_uid != expected or found.st_mode & 0o077:
        raise PostgresError(f"{folder} belongs to somebody else or is open to others. Remove it, or set TENANTRY_DATA.")


def open_log(path: Path, run_as: Owner) -> None:
    """Make the log file, private, where the server's account can write it."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
    if run_as.uid is not None and run_as.gid is not None:
        os.chown(path, run_as.uid, run_as.gid)


def server_pid(data_dir: Path) -> int | None:
    """The process that serves `data_dir`, or None.

    The number in the pid file may be that of a server long dead, and by now of somebody else. The server works in its data
    folder, so the process that does is the one, even if the folder was moved since.
    """
    pid = _recorded_pid(data_dir)
    if pid is None:
        return None
    if not Path("/proc/self/cwd").exists():
        return pid if _exists(pid) else None  # without /proc nothing tells them apart: rather none started than two
    try:
        return pid if os.path.samefile(f"/proc/{pid}/cwd", data_dir) else None
    except OSError:
        return None  # gone, or of an account that is not ours


def disown_stale_pid(data_dir: Path) -> None:
    """Write over the number of a dead server: PostgreSQL takes any living process (or zombie) with it for its own.

    The rest of the pid file stays, because it names the shared memory by which PostgreSQL finds out whether processes of the dead
    server are still at work in this folder, and waits for them.
    """
    path = data_dir / "postmaster.pid"
    if server_pid(data_dir) is not None or not path.exists():
        return
    _, *rest = path.read_text().splitlines(keepends=True) or [""]
    path.write_text("".join([f"{NOBODYS_PID}\n", *rest]))
    (socket_dir(data_dir) / f"{SOCKET_NAME}.lock").unlink(missing_ok=True)


def _recorded_pid(data_dir: Path) -> int | None:
    try:
        return int((data_dir / "postmaster.pid").read_text().splitlines()[0])
    except (FileNotFoundError, ValueError, IndexError):
        return None


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
