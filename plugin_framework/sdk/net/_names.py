"""Turns what people write as a host into one canonical name or address, or says why it is none."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from plugin_framework.sdk._words import Phrase
from plugin_framework.sdk.net._addresses import Address
from plugin_framework.sdk.net._errors import DestinationRefused

_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_SHOWABLE = re.compile(r"[\w.:%\[\]-]{1,253}")
# IDNA 2003 (what Python has) and 2008 (what registries use) read these differently: two readings, two hosts.
_AMBIGUOUS = frozenset("ßς\u200c\u200dẞ")
_EMPTY = Phrase("The host is empty. Enter a host name such as smtp.example.com.")
_ENTERED = Phrase("What was entered as the host")
_NO_NAME = Phrase("%(host)s is not a host name. Enter one such as smtp.example.com, with nothing before or after it.")
_NOT_ASCII = Phrase("%(host)s cannot be turned into an ASCII host name. Write it in its xn-- form.")
_NO_V6 = Phrase("%(host)s is not an IPv6 address. Write it without a zone and without a port, as in 2001:4860::1.")
_NO_V4 = Phrase("%(host)s is not a host name, and not an IPv4 address in its usual form of four decimal numbers.")


@dataclass(frozen=True, slots=True)
class Host:
    """A canonical host: a lower-case ASCII name without a final dot, or an address in its shortest spelling."""

    text: str
    address: Address | None = None  # set when the host is an address and not a name

    def __str__(self) -> str:
        return self.text

    @property
    def in_url(self) -> str:
        """As it stands in a URL or a Host header."""
        return f"[{self.text}]" if isinstance(self.address, IPv6Address) else self.text


def parse_host(text: str) -> Host:
    """Read a host as a person wrote it.

    An IPv4 address must be four plain decimal numbers: the C library would also take `0x7f.1`, `017700000001` and
    `2130706433`, and other software reads some of those differently.

    Raises:
        DestinationRefused: it is neither a host name nor an address; permanent.
    """
    if not text.strip():
        raise _refused(_EMPTY.text)
    if ":" in text or text.startswith("["):
        return _parse_v6(text)
    name = _to_ascii(text).removesuffix(".")
    if _NUMBER.fullmatch(name.rpartition(".")[2]):
        return _parse_v4(name, written=text)
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise _refused(_NO_NAME(host=show(text)).english)
    return Host(name)


def show(text: str) -> str:
    """A host fit for a message: what does not look like one could be anything, a secret too, and is not repeated."""
    return text if _SHOWABLE.fullmatch(text) else _ENTERED.text


def _to_ascii(text: str) -> str:
    if text.isascii():
        return text.lower()
    encoded = b""
    if len(text) <= 253 and not _AMBIGUOUS.intersection(text):
        try:
            encoded = text.encode("idna")
        except UnicodeError:
            encoded = b""
    if not encoded:
        raise _refused(_NOT_ASCII(host=show(text)).english)
    return encoded.decode("ascii").lower()


def _parse_v6(text: str) -> Host:
    inner = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        if "%" in inner:
            raise AddressValueError("zone")
        address = IPv6Address(inner)
    except AddressValueError:
        address = None
    if address is None:
        raise _refused(_NO_V6(host=show(text)).english)
    return Host(str(address), address)


def _parse_v4(name: str, *, written: str) -> Host:
    try:
        address = IPv4Address(name)
    except AddressValueError:
        address = None
    if address is None:
        raise _refused(_NO_V4(host=show(written)).english)
    return Host(str(address), address)


def _refused(message: str) -> DestinationRefused:
    return DestinationRefused(message, permanent=True)
