"""Where a request comes from, as far as that can be believed."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str:
    """The client's address; an IPv6 one as its /64 network, which one customer has as a whole.

    With TRUSTED_PROXIES = n, the n-th last entry of X-Forwarded-For: what stands before it was written by the client.
    """
    found = request.META.get("REMOTE_ADDR", "")
    proxies: int = settings.TRUSTED_PROXIES
    if proxies:
        entries = [entry.strip() for entry in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if entry.strip()]
        found = entries[-proxies] if len(entries) >= proxies else found
    try:
        address = ipaddress.ip_address(found)
    except ValueError:
        return "unknown"
    if address.version == 6:
        return str(ipaddress.ip_network((address, 64), strict=False).network_address)
    return str(address)
