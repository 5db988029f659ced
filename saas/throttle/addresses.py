"""Where a request comes from, as far as that can be believed."""

from __future__ import annotations

import ipaddress
import re

from django.conf import settings
from django.http import HttpRequest

_IPV4_WITH_PORT = re.compile(r"([0-9.]+):[0-9]+")
_IPV6_WITH_PORT = re.compile(r"\[([0-9a-fA-F:.]+)\](?::[0-9]+)?")


def client_address(request: HttpRequest) -> str:
    """The client's address; an IPv6 one as its /64 network, which one customer has as a whole.

    With TRUSTED_PROXIES = n, the n-th last entry of X-Forwarded-For: what stands before it was written by the client.

    Returns:
        The address, or "unknown" for whatever is none: all of these count as one.
    """
    found = request.META.get("REMOTE_ADDR", "")
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").strip()
    proxies: int = settings.TRUSTED_PROXIES
    if proxies and forwarded:
        entries = forwarded.split(",")
        found = entries[-proxies] if len(entries) >= proxies else found
    try:
        address = ipaddress.ip_address(_without_port(found.strip()))
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:  # how a server that listens on both kinds sees every IPv4 client
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address), 64), strict=False).network_address)


def _without_port(entry: str) -> str:
    """Some proxies append the port that the client came from."""
    found = _IPV4_WITH_PORT.fullmatch(entry) or _IPV6_WITH_PORT.fullmatch(entry)
    return found[1] if found else entry
