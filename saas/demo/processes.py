"""Starts the demo's processes, and makes sure that none outlives it."""

from __future__ import annotations

import ctypes
import logging
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

log = logging.getLogger(__name__)
PR_SET_PDEATHSIG = 1
GRACE = 5.0  # seconds a process gets to end by itself


class DemoError(RuntimeError):
    """The demo cannot go on; the text says why and what to do."""


def free_or_explain(port: int) -> None:
    """Refuse to start on a port that somebody else has; processes of a demo that was just killed get a moment to end.

    Raises:
        DemoError: with the way out.
    """
    give_up = time.monotonic() + GRACE
    while not _is_free(port):
        if time.monotonic() > give_up:
            raise DemoError(
                f"Port {port} is in use. Stop what uses it, or choose another: PORT={port + 1000} make demo"
            )
        time.sleep(0.1)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def start(arguments: Sequence[str], env: Mapping[str, str], logfile: Path) -> subprocess.Popen[bytes]:
    """Start a process that is told to end when this one ends, even by SIGKILL; its output goes to `logfile`."""
    logfile.parent.mkdir(parents=True, exist_ok=True)
    with logfile.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, *arguments],
            env=dict(env),
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C goes to the demo alone, which stops the others in order
            preexec_fn=_end_with_parent,  # noqa: PLW1509  # one C call, no threads started yet
        )


def _end_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def wait_until_ready(url: str, processes: Mapping[str, subprocess.Popen[bytes]], seconds: float) -> None:
    """Return once `url` answers 200.

    Raises:
        DemoError: a process ended, or the time is up.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        complain_about_dead(processes)
        try:
            with urllib.request.urlopen(url, timeout=1) as answer:  # noqa: S310  # our own loopback address
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise DemoError(f"{url} did not answer within {seconds:.0f} seconds; the logs are in the data folder.")


def complain_about_dead(processes: Mapping[str, subprocess.Popen[bytes]]) -> None:
    """Raise if one of `processes` has ended.

    Raises:
        DemoError: naming it and its exit status.
    """
    for name, process in processes.items():
        if process.poll() is not None:
            raise DemoError(
                f"The {name} process ended with status {process.returncode}; see its log in the data folder."
            )


def stop(processes: Mapping[str, subprocess.Popen[bytes]]) -> None:
    """Ask each to end, then insist."""
    for process in processes.values():
        process.terminate()
    for name, process in processes.items():
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            log.warning("The %s process did not end within %.0f seconds and is killed.", name, GRACE)
            process.kill()
            process.wait()
