"""`manage.py demo` as a newcomer treats it: stopped, started again, killed, asked for a port that is taken."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from saas.testing.waiting import wait_until
from tests.browser.conftest import ROOT, free_port, start_demo, stop_demo


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


@pytest.mark.xdist_group("demo-command")
def test_it_comes_back_after_ctrl_c_and_after_a_kill_of_everything(tmp_path: Path) -> None:
    data, port = tmp_path / "da ta", free_port()
    first = start_demo(data, port)
    assert "Making a PostgreSQL server" in "\n".join(first.said)
    assert "Stopping" in stop_demo(first)
    assert first.process.returncode == 0
    assert processes_of(data) == []

    second = start_demo(data, port)
    assert "Making a PostgreSQL server" not in "\n".join(second.said)
    for line in processes_of(data):
        with suppress(ProcessLookupError):  # a worker's children end with it
            os.kill(int(line.partition(":")[0]), signal.SIGKILL)
    second.process.communicate()
    wait_until(lambda: not processes_of(data), what="the end of what was killed")

    third = start_demo(data, port)
    os.kill(third.process.pid, signal.SIGKILL)  # the demo alone: what it started must not keep the ports
    third.process.communicate()
    fourth = start_demo(data, port)
    stop_demo(fourth)
    assert processes_of(data) == []


@pytest.mark.xdist_group("demo-command")
def test_a_port_that_is_taken_is_named_with_the_way_out(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "manage.py", "demo"],
            cwd=ROOT,
            env={**os.environ, "TENANTRY_DATA": str(tmp_path), "PORT": str(port)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert f"Port {port} is in use" in done.stderr
    assert "Traceback" not in done.stderr
