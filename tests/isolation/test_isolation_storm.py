"""A storm on many organisations at once, through real sockets, threads and processes: nobody sees anything of anybody else's.

`make test-storm` does it with 300 organisations, 64 clients and 300,000 requests, in six parts; what they did is kept under bench/.
"""

from __future__ import annotations

import os
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from saas.testing.receivers import mail_server, webhook_server
from tests.conftest import Tenants
from tests.dummies.pages import installed
from tests.faults.world import World
from tests.isolation.storm.checker import check
from tests.isolation.storm.plugins import NosyPlugin, WaryPlugin
from tests.isolation.storm.storm import Size, Storm, count, enough

SIZE = Size(
    tenants=int(os.environ.get("ISOLATION_TENANTS", "10")),
    clients=int(os.environ.get("ISOLATION_CLIENTS", "16")),
    requests=int(os.environ.get("ISOLATION_REQUESTS", "3000")),
    sign_ups=int(os.environ.get("ISOLATION_SIGN_UPS", "3")),
    seed=int(os.environ.get("ISOLATION_SEED", "1")),
)
PLANTED = {"PLANTED": fault} if (fault := os.environ.get("ISOLATION_PLANTED")) else {}  # see test_planted_faults


@pytest.fixture
def storm(committed_db: str, tenants: Tenants, tmp_path: Path) -> Iterator[Storm]:
    world = World(tenants.acme, tenants.globex, committed_db, tmp_path)
    with mail_server() as mail, webhook_server() as hook, installed(NosyPlugin, WaryPlugin), world.ended():
        yield Storm(world, SIZE, mail, hook)


def test_nobody_sees_anything_of_anybody_else(storm: Storm, counted: Callable[[str, int], None]) -> None:
    storm.prepare()
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listening:
        storm.run(listening, **PLANTED)
    run = storm.histories()
    wrong = check(run)
    assert wrong == [], f"{Counter(each.kind.value for each in wrong)}\n{wrong[:20]}"
    assert enough(storm, run) == []
    assert len(run.asked) >= SIZE.requests
    count(counted, storm, run)
