"""Reads the Host header: which name was asked for, in the one form in which hosts are stored and compared."""

from __future__ import annotations

import ipaddress
import re

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_PORT = re.compile(r":(\d{1,5})$")


class BadHost(ValueError):
    """The Host header is not a host name."""


def normalise(raw: str) -> str:
    """The host of a Host header, lower-case, without port and without the root's trailing dot.

    Raises:
        BadHost: it is no host name, or an IP address: nobody is served by address.
    """
    host = raw
    if port := _PORT.search(raw):
        if not 0 < int(port[1]) < 65536:
            raise BadHost(raw)
        host = raw[: port.start()]
    if not host.isascii():
        raise BadHost(raw)
    host = host.lower().removesuffix(".")
    if len(host) > 253 or not _NAME.fullmatch(host) or _is_address(host):
        raise BadHost(raw)
    return host


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host.replace(".", "").isdigit()  # 127.1 and 2130706433 are addresses to many a client
    return True
