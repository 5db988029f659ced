"""Which addresses count as public."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from plugin_framework.sdk.net._addresses import is_loopback, why_not_public

NOT_PUBLIC = {
    "0.0.0.0": "unspecified",
    "0.1.2.3": "local network",
    "10.0.0.1": "private",
    "10.255.255.255": "private",
    "100.64.0.1": "provider’s own",
    "100.127.255.255": "provider’s own",
    "100.100.100.200": "metadata",
    "127.0.0.1": "this machine",
    "127.255.255.254": "this machine",
    "168.63.129.16": "cloud provider",
    "169.254.0.1": "link-local",
    "169.254.169.254": "metadata",
    "172.16.0.1": "private",
    "172.31.255.255": "private",
    "192.0.0.8": "protocols",
    "192.0.0.192": "metadata",
    "192.0.2.1": "documentation",
    "192.88.99.1": "6to4",
    "192.168.1.1": "private",
    "198.18.0.1": "benchmarks",
    "198.19.255.255": "benchmarks",
    "198.51.100.1": "documentation",
    "203.0.113.1": "documentation",
    "224.0.0.1": "multicast",
    "239.255.255.255": "multicast",
    "240.0.0.1": "reserved",
    "255.255.255.255": "broadcast",
    "::": "unspecified",
    "::1": "this machine",
    "::2": "IPv4-compatible",
    "::127.0.0.1": "IPv4-compatible address that stands for this machine",
    "::8.8.8.8": "IPv4-compatible",
    "::ffff:127.0.0.1": "IPv4-mapped address that stands for this machine",
    "::ffff:8.8.8.8": "IPv4-mapped",
    "::ffff:0:127.0.0.1": "IPv4-translated address that stands for this machine",
    "64:ff9b::7f00:1": "NAT64 address that stands for this machine",
    "64:ff9b::8.8.8.8": "NAT64",
    "64:ff9b:1::a00:1": "NAT64 address that stands for a private address",
    "100::1": "discards",
    "2001::1": "Teredo",
    "2001:0:53aa:64c:0:0:80ff:fffe": "Teredo address that stands for this machine",
    "2001:2::1": "benchmarks",
    "2001:10::1": "protocols",
    "2001:20::1": "protocols",
    "2001:db8::1": "documentation",
    "2002:7f00:1::": "6to4 address that stands for this machine",
    "2002:a9fe:a9fe::1": "6to4 address that stands for the metadata",
    "2002:808:808::": "6to4",
    "2606:4700::5efe:127.0.0.1": "ISATAP address that stands for this machine",
    "2606:4700::200:5efe:10.0.0.1": "ISATAP address that stands for a private",
    "3fff::1": "documentation",
    "4000::1": "not a public",
    "5f00::1": "not a public",
    "fc00::1": "private",
    "fd00:ec2::254": "metadata",
    "fdff::1": "private",
    "fe80::1": "link-local",
    "fe80::1%eth0": "link-local",
    "fec0::1": "private",
    "ff02::1": "multicast",
    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff": "multicast",
}
_PUBLIC = """
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 100.63.255.255 100.128.0.0 126.255.255.255 128.0.0.0 168.63.129.15 168.63.129.17
169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0 192.0.1.0 192.167.255.255 192.169.0.0 198.17.255.255 198.20.0.0
223.255.255.255 2001:4860:4860::8888 2001:200::1 2003::1 2606:4700:4700::1111 2a00:1450:4001::1 2606:4700::5efe:8.8.8.8
"""


@pytest.mark.parametrize(("address", "words"), NOT_PUBLIC.items())
def test_an_address_that_is_not_public_is_named_for_what_it_is(address: str, words: str) -> None:
    assert words in (why_not_public(ip_address(address)) or "it passed")


@pytest.mark.parametrize("address", _PUBLIC.split())
def test_an_ordinary_address_is_public(address: str) -> None:
    assert why_not_public(ip_address(address)) is None


def test_loopback_is_the_plain_spellings_only() -> None:
    loopback = [address for address in (*NOT_PUBLIC, *_PUBLIC.split()) if is_loopback(ip_address(address))]
    assert loopback == ["127.0.0.1", "127.255.255.254", "::1"]
