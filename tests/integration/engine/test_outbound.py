"""A handler that somebody waits for makes no connections; an event's handler and everything else does."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from plugin_framework import activation, hooks, lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.db.savepoints import work
from plugin_framework.sdk import action, event, filter_value, hook
from plugin_framework.tenancy import tenant_scope
from tests.conftest import Tenants
from tests.dummies.pages import installed
from tests.integration.engine.dummies import Bare


class Caller(Bare):
    """Connects to wherever it is told, in each kind of handler."""

    name = "connecting"
    declares = (
        action("dial", "port", doc="Connect now."),
        filter_value("dialled", "port", doc="Connect now, and say what came of it."),
        event("dial_later", "port", doc="Connect in the worker."),
    )

    def connect(self, port: int) -> str:
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            return "connected"

    @hook("dial")
    def on_dial(self, port: int) -> str:
        get_user_model().objects.count()  # the database stays reachable
        return self.connect(port)

    @hook("dialled")
    def on_dialled(self, port: Any) -> Any:
        return self.http.get(f"http://localhost:{port}/")

    @hook("dial_later")
    def on_dial_later(self, port: int) -> str:
        return self.connect(port)


@pytest.fixture
def port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def acme(tenants: Tenants) -> Iterator[None]:
    with installed(Caller), tenant_scope(tenants.acme):
        lifecycle.enable("connecting", SYSTEM)
        yield


@pytest.mark.usefixtures("acme")
def test_an_action_is_refused_with_the_way_out(port: int, caplog: pytest.LogCaptureFixture) -> None:
    assert hooks.call_hook("dial", port) == []
    assert "in the handler of an event instead" in caplog.text


@pytest.mark.usefixtures("acme")
def test_a_filter_is_refused_and_its_value_kept(port: int, caplog: pytest.LogCaptureFixture) -> None:
    assert hooks.apply_filters("dialled", port) == port
    assert "in the handler of an event instead" in caplog.text


@pytest.mark.usefixtures("acme")
def test_an_events_handler_and_a_page_connect_as_they_like(port: int) -> None:
    plugin: Any = activation.current().plugins["connecting"]
    assert plugin.on_dial_later(port) == "connected"
    with socket.create_connection(("127.0.0.1", port), timeout=5):
        pass


@pytest.mark.usefixtures("acme")
def test_a_unix_socket_is_no_connection_to_anywhere(tmp_path_factory: pytest.TempPathFactory) -> None:
    with socket.socket(socket.AF_UNIX) as client, pytest.raises(OSError, match=r"No such file|not found"):
        work().guards.append(None)
        try:
            client.connect(str(tmp_path_factory.mktemp("s") / "x"))
        finally:
            work().guards.pop()
