"""Web and worker behind a pooler: one that mixes tenants up is not served through, whenever it appears."""

from __future__ import annotations

import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from saas.testing.waiting import wait_until
from tests.faults.world import Started, World
from tests.support.pgbouncer import address, free_port, pgbouncer

HELD_AGAINST_IT = "leads through a pooler that gives one client's search_path to another"


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    """Where the web server is to listen."""
    one = socket.create_server(("127.0.0.1", 0))
    yield one
    one.close()


@pytest.fixture
def empty_path(world: World) -> None:
    """The database gives no path to whoever asks for none."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"ALTER DATABASE {connection.ops.quote_name(connection.settings_dict['NAME'])} SET search_path = ''"
        )


def _web(world: World, listening: socket.socket, url: str) -> Started:
    world.url = url
    return world.web(listening)


def _status(listening: socket.socket, path: str) -> int:
    port = listening.getsockname()[1]
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Host": "acme.localhost"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_a_web_server_does_not_start_behind_a_pooler_that_leaks(
    world: World, empty_path: None, listening: socket.socket, tmp_path: Path
) -> None:
    with pgbouncer(tmp_path, "transaction") as url:
        web = _web(world, listening, url)
        assert web.process.wait(timeout=60) != 0
        assert HELD_AGAINST_IT in web.text


def test_a_worker_does_not_start_behind_a_pooler_that_leaks(world: World, empty_path: None, tmp_path: Path) -> None:
    with pgbouncer(tmp_path, "transaction") as url:
        world.url = url
        worker = world.worker()
        assert worker.process.wait(timeout=60) == 1
        assert HELD_AGAINST_IT in worker.text
        assert "Traceback" not in worker.text


def test_a_database_that_comes_later_is_served_from_once_it_is_found_safe(
    world: World, empty_path: None, listening: socket.socket, tmp_path: Path
) -> None:
    port = free_port()
    web = _web(world, listening, address(port))
    assert _status(listening, "/healthz") == 200
    assert {_status(listening, path) for path in ("/", "/readyz", "/accounts/login/")} == {503}
    with pgbouncer(tmp_path, "transaction", port):
        wait_until(lambda: _status(listening, "/") == 503 and HELD_AGAINST_IT in web.text, what="it to be found out")
        assert _status(listening, "/accounts/login/") == 503
    with pgbouncer(tmp_path, "session", port):
        wait_until(lambda: _status(listening, "/accounts/login/") == 200, what="the page to be served")
    assert web.process.poll() is None
