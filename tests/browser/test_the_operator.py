"""The operator's journey: the demo is killed in every way, started again, asked for a port that is taken, and looked after."""

from __future__ import annotations

import os
import signal
import socket
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest

from saas.testing.waiting import wait_until
from tests.browser.conftest import Visit
from tests.browser.running_demo import Demo, command, processes_of
from tests.browser.steps import ROOT

pytestmark = pytest.mark.xdist_group("demo")


def test_it_comes_back_after_a_kill_of_the_demo_alone_and_of_everything(
    demo: Demo, visit: Visit, tmp_path: Path
) -> None:
    with socket.socket() as taken:  # it is waited for a few seconds, for who has it may be about to end: meanwhile …
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = command(tmp_path, port)
        assert "Making a PostgreSQL server" in "\n".join(demo.said)
        visit(ROOT, "admin")

        os.kill(demo.process.pid, signal.SIGKILL)  # what it has started must not keep the ports
        demo.process.communicate()
        demo.again()
        assert "Making a PostgreSQL server" not in "\n".join(demo.said)

        for line in processes_of(demo.data):
            with suppress(ProcessLookupError):  # a worker's children end with it
                os.kill(int(line.partition(":")[0]), signal.SIGKILL)
        demo.process.communicate()
        wait_until(lambda: not processes_of(demo.data), what="the end of what was killed")
        demo.again()
        told, _ = refused.communicate(timeout=60)
    assert refused.returncode == 1
    assert f"Port {port} is in use" in told
    assert "Traceback" not in told

    with urllib.request.urlopen(demo.url("/readyz"), timeout=10) as answer:
        assert answer.status == 200
    operator = visit(ROOT, "admin")
    operator.go("/health/", "admin")
    assert operator.page.url.endswith("/health/"), "who was signed in is signed in still"
    operator.look("queue-and-workers")
