"""Packages installed by pip into folders of their own, and the unchanged host started with such a folder on its path."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flit_core import buildapi

from tests.conftest import Tenants
from tests.integration.packages.broken import FAULTY, MISSPELT

ROOT = Path(__file__).resolve().parents[3]
GUESTBOOK = ROOT / "tests" / "packages" / "guestbook"


def pip_install(target: Path, *packages: Path) -> None:
    """Build and install packages as their author would, from nothing but what is on this machine."""
    options = "--no-deps --no-build-isolation --no-index --disable-pip-version-check --no-compile --quiet"
    command = [sys.executable, "-m", "pip", "install", *options.split(), "--target", target, *packages]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, cwd=target.parent, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def wheel_of(source: Path, into: Path) -> Path:
    """The wheel of a package, by its own build backend: for many packages, pip's processes for each take most of the time."""
    into.mkdir(exist_ok=True)
    with contextlib.chdir(source):  # as the interface of build backends wants it
        return into / buildapi.build_wheel(str(into))


@dataclass(frozen=True, slots=True)
class Packages:
    """Folders to put on a path: with the guest book, with it among the faulty ones, with one that waits for a misspelt hook."""

    good: Path
    faulty: Path
    misspelt: Path


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Packages:
    """Installed once for the run, by whichever process comes first."""
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    found = Packages(base / "good", base / "faulty", base / "misspelt")
    with (base / "packages.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (base / "packages.done").exists():
            sources = base / "sources"
            pip_install(found.good, GUESTBOOK)
            wheels = [wheel_of(each.write(sources), base / "wheels") for each in FAULTY]
            pip_install(found.faulty, GUESTBOOK, *wheels)
            pip_install(found.misspelt, MISSPELT.write(sources))
            (base / "packages.done").touch()
    return found


@dataclass(frozen=True, slots=True)
class Said:
    """What a program said, and how it ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Host:
    """The platform as it is, in processes of its own, with what was installed in `folder`."""

    url: str
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        return {"DJANGO_SETTINGS_MODULE": "saas.settings", "DATABASE_URL": self.url, "PYTHONPATH": str(self.folder)}

    def manage(self, *arguments: str) -> Said:
        """Run `manage.py`."""
        return self._run("manage.py", *arguments)

    def ask(self, *requests: dict[str, Any]) -> list[dict[str, Any]]:
        """Ask for pages; see `probe`."""
        done = self._run("-m", "tests.integration.packages.probe", stdin=json.dumps(requests))
        assert done.code == 0, done.err
        found: list[dict[str, Any]] = json.loads(done.out)
        return found

    def _run(self, *command: str, stdin: str = "") -> Said:
        done = subprocess.run(
            [sys.executable, *command],
            cwd=ROOT,
            env={**os.environ, **self.environment, "PYTHONDONTWRITEBYTECODE": ""},  # several starts: compile once
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
        )
        return Said(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def host(committed_db: str, tenants: Tenants) -> Iterator[Callable[[Path], Host]]:
    """`host(folder)`: the platform with what is in `folder`, on a database in which commits are real."""
    return lambda folder: Host(committed_db, folder)
