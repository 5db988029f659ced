"""Fixtures for the guarded clients."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import pytest

from plugin_framework.sdk.net import NetworkPolicy
from tests.integration.net.receivers import Authority, Receiver, Script, make_authority


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Certificates for *.acme.test and 127.0.0.1."""
    return make_authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def policy() -> NetworkPolicy:
    """Loopback and plain HTTP allowed; long enough for a busy machine."""
    return NetworkPolicy(allow_loopback=True, allow_http=True)


@pytest.fixture
def hurried() -> NetworkPolicy:
    """The same with a deadline that a server which never ends is sure to miss."""
    return NetworkPolicy(allow_loopback=True, allow_http=True, total_timeout=0.3)


@pytest.fixture
def receiver() -> Iterator[Callable[..., Receiver]]:
    """`receiver(script)`: a server on loopback, gone after the test."""
    with contextlib.ExitStack() as stack:

        def start(script: Script, **options: object) -> Receiver:
            return stack.enter_context(Receiver(script, **options))  # type: ignore[arg-type] # as the class has them

        yield start
