"""Hundreds of hostile destinations against canaries on this machine: nobody knocks anywhere."""

from __future__ import annotations

from collections.abc import Callable
from email.message import EmailMessage
from typing import Any

import pytest

from plugin_framework.sdk.net import (
    DestinationRefused,
    DestinationUnreachable,
    HttpClient,
    NetworkError,
    NetworkPolicy,
    SmtpClient,
)
from tests.integration.net import hostile
from tests.integration.net.receivers import LOOKOUT, Receiver, Talk

Start = Callable[..., Receiver]


@pytest.fixture
def canaries(receiver: Start) -> tuple[Receiver, Receiver]:
    """Servers on 127.0.0.1 and ::1 that want to be visited."""
    return receiver(Talk.hang), receiver(Talk.hang, host="::1")


@pytest.fixture
def open_ports(canaries: tuple[Receiver, Receiver]) -> NetworkPolicy:
    """A policy that leaves nothing but the address between a client and the canaries: their ports and http pass."""
    return NetworkPolicy(allow_http=True, extra_ports=frozenset(canary.port for canary in canaries))


def attempts(
    canaries: tuple[Receiver, Receiver], call: Callable[[Any], object], inputs: list[Any]
) -> tuple[list[Any], list[Any]]:
    """Run `call` for each input; what came through, and the connections that were tried."""
    through = []
    with LOOKOUT.watch() as seen:
        for item in inputs:
            try:
                call(item)
            except (DestinationRefused, DestinationUnreachable):
                continue
            except NetworkError as error:
                through.append((item, error))
            else:
                through.append((item, "an answer"))
    return through, [*seen, *(talk for canary in canaries for talk in canary.talks)]


@pytest.mark.parametrize("which", [0, 1], ids=["127.0.0.1", "::1"])
def test_no_hostile_url_reaches_anything(
    canaries: tuple[Receiver, Receiver], open_ports: NetworkPolicy, which: int
) -> None:
    client = HttpClient(open_ports, resolver=hostile.resolver)
    urls = hostile.urls(canaries[which].port)
    assert len(set(urls)) >= 300
    assert attempts(canaries, lambda url: client.post(url, json={}), urls) == ([], [])


def test_no_hostile_mail_server_is_connected_to(canaries: tuple[Receiver, Receiver], open_ports: NetworkPolicy) -> None:
    client = SmtpClient(open_ports, resolver=hostile.resolver)
    message = EmailMessage()

    def send(host: str) -> None:
        for port in (canaries[0].port, canaries[1].port, 25):
            client.check(host=host, port=port, tls="none")
            client.send(message, host=host, port=port, tls="tls", sender="a@acme.test", recipients=["b@acme.test"])

    assert attempts(canaries, send, list(hostile.hosts())) == ([], [])


def test_allowing_loopback_lets_nothing_else_through(canaries: tuple[Receiver, Receiver]) -> None:
    client = HttpClient(NetworkPolicy(allow_loopback=True, allow_http=True), resolver=hostile.resolver)
    elsewhere = [
        f"http://{host}:{canaries[0].port}/"
        for host, address in hostile.hosts().items()
        if not (address.startswith("127.") or address == "::1") or "%" in host
    ]
    assert len(elsewhere) >= 300
    assert attempts(canaries, client.get, elsewhere) == ([], [])


def test_the_canaries_do_sing(canaries: tuple[Receiver, Receiver]) -> None:
    client = HttpClient(NetworkPolicy(allow_loopback=True, allow_http=True, total_timeout=0.3))
    through, knocks = attempts(canaries, client.get, [canary.url for canary in canaries])
    assert (len(through), len(knocks)) == (2, 4)  # each is seen by the look-out and by the canary itself
