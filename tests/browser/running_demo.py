"""The demo as a newcomer starts it: `manage.py demo` in a process of its own, and what arrives in its inbox."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import StorageStateCookie

from saas.testing.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
OFFSETS = (0, 25, 26, 27)  # the demo's ports, from PORT on


@dataclass(slots=True)
class Demo:
    """A running demo. `again` starts it anew where it was."""

    port: int
    data: Path
    packages: Path | None
    process: subprocess.Popen[str]
    said: list[str]
    signed_in: dict[tuple[str, str], list[StorageStateCookie]] = field(default_factory=dict)  # by address and host

    def url(self, path: str = "/", host: str = "") -> str:
        """An address on an organisation's host, or on the public one."""
        return f"http://{host}{'.' if host else ''}localhost:{self.port}{path}"

    def inbox(self, *, platform: bool = False) -> list[dict[str, Any]]:
        """What has arrived, newest first."""
        address = self.url("/inbox/platform/" if platform else "/inbox/")
        request = urllib.request.Request(f"{address}?format=json")
        with urllib.request.urlopen(request, timeout=10) as answer:
            found: list[dict[str, Any]] = json.load(answer)
        return found

    def wait_for(self, count: int, tenant: str, to: str = "") -> list[dict[str, Any]]:
        """The messages of one organisation, once there are `count` of them (that mention `to`)."""

        def arrived() -> list[dict[str, Any]]:
            found = [row for row in self.inbox() if row["tenant"] == tenant and to in json.dumps(row)]
            return found if len(found) >= count else []

        return wait_until(arrived, what=f"{count} messages of {tenant} about {to!r}; arrived: {self.inbox()}")

    def again(self) -> None:
        """Start it once more, on the same data and the same ports, after it has ended."""
        self.process, self.said = _started(self.data, self.port, self.packages)


def free_port() -> int:
    """A port from which on the demo's four are free."""
    for port in range(20000 + os.getpid() % 20000, 60000, 50):
        with suppress(OSError):
            probes = []
            try:
                for offset in OFFSETS:
                    probe = socket.socket()
                    probes.append(probe)
                    probe.bind(("127.0.0.1", port + offset))
                return port
            finally:
                for probe in probes:
                    probe.close()
    raise AssertionError("no free ports")


def start_demo(data: Path, port: int, packages: Path | None = None) -> Demo:
    """`manage.py demo`, up to `Ready`; with the plugins that are installed in the folder `packages`."""
    return Demo(port, data, packages, *_started(data, port, packages))


def command(data: Path, port: int, packages: Path | None = None) -> subprocess.Popen[str]:
    """`manage.py demo` as a shell starts it: nothing is set but what it is given here."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DATABASE", "SECRET"))}
    for name in ("BASE_DOMAIN", "PLUGIN_ALLOW_LOOPBACK", "EMAIL_URL", "DJANGO_SETTINGS_MODULE", "TENANTRY_DEMO"):
        environment.pop(name, None)
    ours = {"TENANTRY_DATA": str(data), "PORT": str(port), "PYTHONUNBUFFERED": "1"}
    if packages is not None:
        ours["PYTHONPATH"] = str(packages)
    return subprocess.Popen(
        [sys.executable, "manage.py", "demo"],
        cwd=ROOT,
        env={**environment, **ours},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def _started(data: Path, port: int, packages: Path | None) -> tuple[subprocess.Popen[str], list[str]]:
    process = command(data, port, packages)
    said: list[str] = []
    assert process.stdout is not None
    for line in process.stdout:
        said.append(line.rstrip())
        if line.strip() == "Ready":
            return process, said
    process.wait()
    raise AssertionError("The demo ended before it was ready:\n" + "\n".join(said))


def stop_demo(demo: Demo) -> str:
    """Press Ctrl-C, and return what it said until it had ended."""
    demo.process.send_signal(signal.SIGINT)
    rest, _ = demo.process.communicate(timeout=60)
    return rest


def processes_of(data: Path) -> list[str]:
    """Command lines of the living processes that work with `data`, by their environment or their arguments."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                told = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
            except OSError:
                continue
            if str(data).encode() in told:
                found.append(f"{entry.name}: {told[:200]!r}")
    return found
