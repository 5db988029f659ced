"""Resolving once, checking everything."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from plugin_framework.sdk.net import (
    PUBLIC_ONLY,
    DestinationRefused,
    DestinationUnreachable,
    NetworkPolicy,
    NetworkTimeout,
    resolve,
)

LOOPBACK = NetworkPolicy(allow_loopback=True)
HTTPS = frozenset({443})


def answering(*addresses: str) -> Callable[..., list[tuple[Any, ...]]]:
    """A resolver that gives these records for every name."""

    def resolver(_host: str, port: int, **_options: Any) -> list[tuple[Any, ...]]:
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port, 0, 0))
            if ":" in address
            else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in addresses
        ]

    return resolver


def failing(error: Exception) -> Callable[..., list[tuple[Any, ...]]]:
    """A resolver that raises."""

    def resolver(*_args: Any, **_options: Any) -> list[tuple[Any, ...]]:
        raise error

    return resolver


def test_all_public_records_are_returned_in_order_and_once() -> None:
    found = resolve("a.example", 443, policy=PUBLIC_ONLY, resolver=answering("8.8.8.8", "2606:4700::1", "8.8.8.8"))
    assert [(item.host, item.port, item.address) for item in found] == [
        ("a.example", 443, "8.8.8.8"),
        ("a.example", 443, "2606:4700::1"),
    ]


@pytest.mark.parametrize(
    "records", [("10.0.0.1",), ("8.8.8.8", "10.0.0.1"), ("10.0.0.1", "8.8.8.8"), ("8.8.8.8", "fe80::1%eth0")]
)
def test_one_bad_record_refuses_all(records: tuple[str, ...]) -> None:
    with pytest.raises(
        DestinationRefused, match=r"^a\.example is not allowed: it leads to a .*use the public name"
    ) as refusal:
        resolve("a.example", 443, policy=PUBLIC_ONLY, resolver=answering(*records))
    assert not refusal.value.permanent  # DNS may answer differently tomorrow


def test_an_internal_address_is_told_to_the_log_and_not_to_the_person(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), pytest.raises(DestinationRefused) as refusal:
        resolve("db.internal", 443, policy=PUBLIC_ONLY, resolver=answering("10.20.30.40"))
    assert "10.20.30.40" in caplog.text
    assert "10.20.30.40" not in str(refusal.value)


def test_a_literal_address_is_refused_for_good_and_without_asking_dns() -> None:
    with pytest.raises(
        DestinationRefused, match=r"^169\.254\.169\.254 is not allowed: it is the metadata address"
    ) as refusal:
        resolve("169.254.169.254", 80, policy=PUBLIC_ONLY, resolver=failing(AssertionError("DNS was asked")))
    assert refusal.value.permanent


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "[::1]"])
def test_loopback_passes_where_the_policy_allows_it(host: str) -> None:
    assert resolve(host, 8025, policy=LOOPBACK, ports=HTTPS)[0].is_loopback
    with pytest.raises(DestinationRefused, match="this machine itself"):
        resolve(host, 443, policy=PUBLIC_ONLY, ports=HTTPS)


@pytest.mark.parametrize(
    "host", ["10.0.0.1", "0.0.0.0", "::", "::ffff:127.0.0.1", "::127.0.0.1", "169.254.169.254", "fd00::1"]
)
def test_allowing_loopback_allows_nothing_else(host: str) -> None:
    with pytest.raises(DestinationRefused, match="is not allowed: it is"):
        resolve(host, 443, policy=LOOPBACK, ports=HTTPS)


def test_any_port_will_do_on_loopback_only() -> None:
    assert resolve("dev.test", 8025, policy=LOOPBACK, ports=HTTPS, resolver=answering("127.0.0.1", "::1"))
    for records in (("8.8.8.8",), ("127.0.0.1", "8.8.8.8")):
        with pytest.raises(DestinationRefused, match=r"Port 8025 is not allowed. Use one of these ports: 443\."):
            resolve("dev.test", 8025, policy=LOOPBACK, ports=HTTPS, resolver=answering(*records))


def test_another_port_is_refused_before_dns_is_asked() -> None:
    with pytest.raises(DestinationRefused, match="Port 8025 is not allowed"):
        resolve("a.example", 8025, policy=PUBLIC_ONLY, ports=HTTPS, resolver=failing(AssertionError("DNS was asked")))


def test_a_port_of_the_policy_passes() -> None:
    policy = NetworkPolicy(extra_ports=frozenset({8443}))
    assert resolve("a.example", 8443, policy=policy, ports=HTTPS, resolver=answering("8.8.8.8"))


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_number_that_is_no_port_is_refused(port: int) -> None:
    with pytest.raises(DestinationRefused, match="is not a port number"):
        resolve("a.example", port, policy=LOOPBACK, resolver=answering("8.8.8.8"))


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (socket.gaierror(socket.EAI_NONAME, "x"), "The host a.example is unknown. Check its spelling."),
        (socket.gaierror(socket.EAI_AGAIN, "x"), "The host a.example could not be looked up just now."),
        (OSError("x"), "The host a.example could not be looked up just now."),
        (UnicodeError("x"), "The host a.example could not be looked up just now."),
    ],
)
def test_a_dns_failure_is_said_plainly(error: Exception, words: str) -> None:
    with pytest.raises(DestinationUnreachable) as failure:
        resolve("a.example", 443, policy=PUBLIC_ONLY, resolver=failing(error))
    assert (str(failure.value), failure.value.permanent) == (words, False)


def test_a_mistake_in_the_resolver_is_not_taken_for_a_dns_failure() -> None:
    with pytest.raises(KeyError):
        resolve("a.example", 443, policy=PUBLIC_ONLY, resolver=failing(KeyError("x")))


def test_no_record_at_all_is_unreachable() -> None:
    with pytest.raises(DestinationUnreachable, match="has no address"):
        resolve("a.example", 443, policy=PUBLIC_ONLY, resolver=answering())


def test_a_record_that_is_no_internet_address_is_refused() -> None:
    with pytest.raises(DestinationRefused, match="not an internet address"):
        resolve("a.example", 443, policy=PUBLIC_ONLY, resolver=lambda *_a, **_k: [(1, 1, 0, "", "/run/docker.sock")])


def test_a_resolver_that_hangs_ends_in_a_timeout() -> None:
    release = threading.Event()
    policy = NetworkPolicy(total_timeout=0.2)
    try:
        with pytest.raises(NetworkTimeout, match=r"a\.example could not be looked up within 0\.2 seconds"):
            resolve("a.example", 443, policy=policy, resolver=lambda *_a, **_k: [release.wait(60)])
    finally:
        release.set()


@pytest.mark.parametrize("value", [0, -1, float("inf"), float("nan")])
def test_a_policy_needs_real_limits(value: float) -> None:
    with pytest.raises(ValueError, match="must be a positive number"):
        NetworkPolicy(total_timeout=value)
    with pytest.raises(ValueError, match="timeout must be a positive number"):
        PUBLIC_ONLY.deadline(value)


def test_a_caller_can_shorten_the_deadline_and_not_lengthen_it() -> None:
    assert (PUBLIC_ONLY.deadline(3).seconds, PUBLIC_ONLY.deadline(300).seconds, PUBLIC_ONLY.deadline().seconds) == (
        3,
        15,
        15,
    )
