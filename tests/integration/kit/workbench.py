"""An author's home folder: a shell, Tenantry beside it, and an environment of Python's into which packages can be installed."""

from __future__ import annotations

import subprocess
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from threading import Timer
from uuid import uuid4

from saas.postgres import Cluster

ROOT = Path(__file__).resolve().parents[3]
_NOT_OURS = {".venv", ".data", ".git"}
PATIENCE = 180  # seconds for one command


class Shell:
    """One bash, in which commands run after each other as if they were typed."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._data = home / "data"
        environment = {
            "HOME": str(home),
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "COLUMNS": "100",
            "TENANTRY_DATA": str(self._data),
        }
        self._process = subprocess.Popen(
            ["bash", "--norc", "--noprofile"],
            cwd=home,
            env=environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def run(self, command: str) -> tuple[int, str]:
        """Run `command`; its exit status, and what it printed on either stream."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        end = uuid4().hex
        self._process.stdin.write(f"{{ {command}\n}} </dev/null\nprintf '%s %d\\n' {end} $?\n")
        self._process.stdin.flush()
        alarm = Timer(PATIENCE, self._process.kill)
        alarm.start()
        printed = ""
        try:
            for line in self._process.stdout:
                text, found, status = line.partition(end)
                printed += text
                if found:
                    return int(status), printed
        finally:
            alarm.cancel()
        raise AssertionError(f"The shell has ended, or was stopped after {PATIENCE} s, in `{command}`:\n{printed}")

    def folder(self) -> Path:
        """Where it is now."""
        return Path(self.run("pwd")[1].strip())

    def close(self) -> None:
        """End it, and whatever server it has started in its own data folder."""
        self._process.communicate("exit\n", timeout=60)
        Cluster(self._data / "postgres").delete()


@contextmanager
def workbench(home: Path) -> Iterator[Shell]:
    """A shell in `home`, in which `~/tenantry` is this checkout with an environment of its own."""
    checkout = home / "tenantry"
    checkout.mkdir(parents=True)
    for entry in ROOT.iterdir():
        if entry.name not in _NOT_OURS:
            (checkout / entry.name).symlink_to(entry)
    venv.create(checkout / ".venv", symlinks=True)
    (site,) = (checkout / ".venv").glob("lib/python*/site-packages")
    places = {
        Path(spec.origin).parents[1]
        for name in ("django", "pip", "flit_core")
        if (spec := find_spec(name)) and spec.origin
    }
    (site / "of-the-tests.pth").write_text("".join(f"{each}\n" for each in sorted(places)))
    shell = Shell(home)
    try:
        yield shell
    finally:
        shell.close()
