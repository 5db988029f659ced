"""Hundreds of ways to name this machine, its network and its cloud, made from one list of addresses."""

from __future__ import annotations

import functools
import socket
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from tests.integration.net.receivers import records

V4 = """
127.0.0.1 127.0.0.2 127.1.2.3 127.255.255.254 0.0.0.0 0.0.0.1 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 168.63.129.16
169.254.0.1 169.254.0.23 169.254.42.42 169.254.169.253 169.254.169.254 169.254.170.2 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.192
192.0.2.1 192.88.99.1 192.168.0.1 192.168.255.255
198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
"""
V6 = """
::1 :: ::2 fc00::1 fd00::1 fd00:ec2::23 fd00:ec2::253 fd00:ec2::254 fd20:ce::254
fe80::1 fe80::1%1 fec0::1 ff02::1 100::1 2001:2::1 2001:10::1 2001:20::1 2001:db8::1
3fff::1 4000::1 5f00::1
"""
# How an IPv4 address is spelt inside an IPv6 one: mapped, compatible, translated, NAT64, 6to4, Teredo, ISATAP.
PREFIXES = {
    "2606:4700::5efe:0:0": 0,
    "2606:4700::200:5efe:0:0": 0,
    "fe80::5efe:0:0": 0,
    "::ffff:0:0": 0,
    "::": 0,
    "::ffff:0:0:0": 0,
    "64:ff9b::": 0,
    "64:ff9b:1::": 0,
    "2002::": 80,
    "2001::": -1,
}

LOCAL_NAMES = """
localhost6 localhost4 ip6-loopback loopback broadcasthost localhost.localdomain. a.localhost a.b.localhost localhost.localhost Localhost.
127.0.0.1.nip.io 127-0-0-1.sslip.io localtest.me www.localtest.me lvh.me vcap.me 7f000001.rbndr.us 1.0.0.127.in-addr.arpa kubernetes
kubernetes.default.svc host.docker.internal gateway.docker.internal db redis postgres
"""
METADATA_NAMES = """
metadata metadata.google.internal metadata.google.internal. METADATA.google.internal instance-data instance-data.ec2.internal
metadata.tencentyun.com metadata.platformequinix.com metadata.azure.internal rancher-metadata 169.254.169.254.nip.io
"""
CONTROLS = [chr(code) for code in (*range(0x21), 0x7F, 0x80, 0x85, 0xA0, 0x2028, 0x2029, 0x200B, 0x202E, 0xFEFF)]


def bad_addresses() -> list[str]:
    """Every address that must not be reached, the IPv4 ones also inside IPv6."""
    found = [*V4.split(), *V6.split()]
    for text in V4.split():
        number = int(IPv4Address(text))
        for prefix, shift in PREFIXES.items():
            inner = number ^ 0xFFFFFFFF if shift < 0 else number << shift
            found.append(str(IPv6Address(int(IPv6Address(prefix)) | inner)))
    return list(dict.fromkeys(found))


def spellings(address: str) -> Iterator[str]:
    """An IPv4 address in the forms that one parser or another takes."""
    a, b, c, d = (int(part) for part in address.split("."))
    number = int(IPv4Address(address))
    yield from (address, f"{address}.", f"{address}..", f" {address}", f"{address} ", f"{address}%00.example.com")
    yield from (f"{number}", f"{number:#x}", f"0X{number:08X}", f"0{number:o}", f"0o{number:o}", f"{number + 2**32}")
    yield from (f"{a}.{number & 0xFFFFFF}", f"{a}.{b}.{number & 0xFFFF}", f"{a:#x}.{b}.{c:#o}.{d}".replace("0o", "0"))
    yield from (f"0{a:o}.0{b:o}.0{c:o}.0{d:o}", f"{a:#x}.{b:#x}.{c:#x}.{d:#x}", f"{a:03d}.{b:03d}.{c:03d}.{d:03d}")
    yield from (f"{a + 256}.{b}.{c}.{d}", address.replace(".", "\u3002"), address.replace(".", "\uff0e"))
    yield address.translate({ord(str(digit)): 0xFF10 + digit for digit in range(10)})
    yield address.translate({ord("0"): 0x24EA, **{ord(str(digit)): 0x245F + digit for digit in range(1, 10)}})
    yield "".join(f"%{ord(letter):02x}" for letter in address)
    yield f"[{address}]"


@functools.cache
def hosts() -> dict[str, str]:
    """Hosts as they stand in a URL, each with the address it wants to reach."""
    found: dict[str, str] = {}
    for address in ("127.0.0.1", "169.254.169.254", "10.0.0.1", "0.0.0.0"):
        found |= dict.fromkeys(spellings(address), address)
    found |= {f"[{address}]" if ":" in address else address: address for address in bad_addresses()}
    found |= {f"[{around}{address}]": address for address in V4.split() for around in ("::ffff:", "::", "64:ff9b::")}
    found |= {
        f"[{prefix}{address}]": address for address in V4.split() for prefix in ("0:0:0:0:0:ffff:", "2002:7f00:1::")
    }
    loopback = (
        "[0:0:0:0:0:0:0:1]",
        "[0000::0001]",
        "[::1%25lo]",
        "[::1%lo]",
        "[::0.0.0.1]",
        "[v1.127.0.0.1]",
        "[::1]x",
        "::1",
    )
    found |= dict.fromkeys(loopback, "::1")
    found |= {f"name-{number}.test": address for number, address in enumerate(bad_addresses())}
    found |= {f"mixed-{number}.test": address for number, address in enumerate(bad_addresses()[:40])}
    names = (
        "localhost",
        "LOCALHOST",
        "localhost.",
        "localhost.localdomain",
        "ip6-localhost",
        "lo\u00adcalhost",
        "\u24db\u24deocalhost",
    )
    found |= dict.fromkeys(names, "127.0.0.1")
    found |= dict.fromkeys(LOCAL_NAMES.split(), "127.0.0.1") | dict.fromkeys(METADATA_NAMES.split(), "169.254.169.254")
    return found | {
        name: "127.0.0.1" for control in CONTROLS for name in (f"local{control}host", f"127.0.0.1{control}")
    }


def tricks(port: int) -> list[str]:
    """URLs that two parsers read differently, and schemes that are none of ours."""
    here = f"127.0.0.1:{port}"
    found = _odd_schemes(here)
    for scheme in ("http", "https"):
        found += [*_odd_users(scheme, here), *_odd_slashes(scheme, here), *_odd_ports(scheme, port)]
    return found


def _odd_schemes(here: str) -> list[str]:
    schemes = ("ftp", "file", "gopher", "dict", "ldap", "ws", "wss", "jar:http", "tftp", "unix")
    return [
        *(f"{scheme}://{here}/" for scheme in schemes),
        f"javascript:fetch('//{here}')",
        "data:text/html,x",
        f"//{here}/",
        f"///{here}/",
        here,
        f"http:{here}",
        f"http:/{here}/",
    ]


def _odd_users(scheme: str, here: str) -> list[str]:
    """What stands before an @, or looks as if it did."""
    start = f"{scheme}://"
    users = ("good.test", "a:b", "", "good.test:80", "good.test#", "good.test%23", "a@b")
    tails = ("\\@good.test/", "@good.test/", "#@good.test/", "?@good.test/", "&@good.test")
    between = ("\\", "\\@", "#@", "?@", "%40", ":80@", "\t@", "\n", "\r\n", "%0d%0a", " ")
    doubled = ("good.test@", "x:y@", "%40", "%00@", "\u3000@")
    return [
        *(f"{start}{user}@{here}/" for user in users),
        *(f"{start}{here}{tail}" for tail in tails),
        *(f"{start}good.test{trick}{here}/" for trick in between),
        *(f"{start}good.test@{user}{here}/" for user in doubled),
    ]


def _odd_slashes(scheme: str, here: str) -> list[str]:
    start = f"{scheme}://"
    betweens = (":", ":/", ":///", "://///", ":\\", ":%2f%2f", "\uff1a//", ":\u2044\u2044")
    return [
        f"{start}\\{here}/",
        f"{start}/{here}/",
        f"{scheme}:\\\\{here}/",
        f"{start}{here}\x00/",
        f" {start}{here}/",
        *(f"{scheme}{between}{here}/" for between in betweens),
    ]


def _odd_ports(scheme: str, port: int) -> list[str]:
    start = f"{scheme}://"
    ports = (0, 1, 22, 25, 2375, 5432, 6379, 9200, 11211, 65535, 65536, "", "0080", "-1")
    return [
        *(f"{start}127.0.0.1:{odd}/" for odd in ports),
        f"{start}127.0.0.1:\uff18\uff10/",
        f"{start}127.0.0.1:+{port}/",
        f"{start}127.0.0.1:0x{port:x}/",
        f"{start}127.0.0.1:{port + 65536}/",
        f"{start}127.0.0.1:{port}:80/",
        f"{start}[::1]:{port}x/",
        f"{start}[::1/",
        f"{start}::1:{port}/",
        f"{start}",
    ]


def urls(port: int) -> list[str]:
    """All of it as URLs for a canary's port."""
    plain = [f"{scheme}://{host}:{port}/" for host in hosts() for scheme in ("http", "https")]
    return [*plain, *tricks(port)]


def resolver(host: str, port: int, **_options: Any) -> list[tuple[Any, ...]]:
    """Knows the names of `hosts`, never asks DNS, and lets the C library read numbers in all the ways it knows."""
    table = hosts()
    name = host.removesuffix(".")
    if name.startswith("mixed-"):
        return records(("8.8.8.8", table[name]), port)
    if name in table and not name[0].isdigit():
        return records((table[name],), port)
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
