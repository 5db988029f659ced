"""Which address a request is counted for."""

from __future__ import annotations

import pytest
from django.test import RequestFactory
from pytest_django import Settings

from saas.throttle.addresses import client_address


def address(settings: Settings, proxies: int, remote: str, forwarded: str | None = None) -> str:
    settings.TRUSTED_PROXIES = proxies
    headers = {} if forwarded is None else {"x-forwarded-for": forwarded}
    return client_address(RequestFactory().get("/", REMOTE_ADDR=remote, headers=headers))


def test_without_proxies_nobody_chooses_their_own_address(settings: Settings) -> None:
    assert address(settings, 0, "203.0.113.9", "198.51.100.1") == "203.0.113.9"


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (1, "198.51.100.1", "198.51.100.1"),
        (1, "6.6.6.6, 198.51.100.1", "198.51.100.1"),  # the first was written by the client
        (2, "6.6.6.6, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        (2, "198.51.100.1", "10.0.0.1"),  # past one of the proxies: only who connected is known
        (1, None, "10.0.0.1"),
        (1, "198.51.100.1:4711", "198.51.100.1"),
        (1, "[2001:db8:1:2:3::4]:4711", "2001:db8:1:2::"),
        (1, " ", "10.0.0.1"),
        (1, "not an address", "unknown"),
        (1, "198.51.100.1, ", "unknown"),
    ],
)
def test_with_proxies_it_is_the_entry_that_the_first_trusted_one_wrote(
    settings: Settings, proxies: int, forwarded: str | None, expected: str
) -> None:
    assert address(settings, proxies, "10.0.0.1", forwarded) == expected


def test_one_customers_ipv6_addresses_count_as_one(settings: Settings) -> None:
    first, second = (address(settings, 0, f"2001:db8:1:2:{end}") for end in ("1::1", "ffff::9"))
    assert first == second == "2001:db8:1:2::"
    assert address(settings, 0, "2001:db8:1:3::1") != first


def test_ipv4_clients_stay_apart_on_a_server_that_listens_on_both_kinds(settings: Settings) -> None:
    assert address(settings, 0, "::ffff:198.51.100.1") == "198.51.100.1"


@pytest.mark.parametrize("remote", ["", "unix:", "fe80::1%eth0", "1.2.3", "١.1.1.1"])
def test_whatever_is_no_address_is_no_error(settings: Settings, remote: str) -> None:
    assert address(settings, 0, remote) in ("unknown", "fe80::")
