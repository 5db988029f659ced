"""Reads a URL strictly, so that no two readings of it are possible; what is odd is refused, not repaired.

`urllib.parse` drops tabs and line breaks, and takes userinfo, backslashes and empty ports in its stride; other
software reads those differently, which is how a checked URL and a fetched one come apart.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from plugin_framework.sdk._words import Phrase
from plugin_framework.sdk.net._errors import DestinationRefused
from plugin_framework.sdk.net._names import Host, parse_host
from plugin_framework.sdk.net._policy import NetworkPolicy

_URL = re.compile(r"(https?)://([^/?#]*)([^#]*)(?:#.*)?", re.IGNORECASE)
_AUTHORITY = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::([0-9]{1,5}))?")
_UNSAFE = re.compile(r"[\x00-\x20\x7f\\\u0080-\u00a0\u2028\u2029]")
_LONGEST = 8000  # characters; what servers commonly take
PORTS = {"https": 443, "http": 80}
_UNSAFE_SIGNS = Phrase(
    "The URL has blanks, control characters or backslashes in it, or is too long. Copy it again, as a whole."
)
_NO_URL = Phrase("The URL must start with https:// and a host name.")
_NOT_ENCRYPTED = Phrase("The URL must start with https://, because http:// is not encrypted.")
_NOT_QUOTED = Phrase("The URL has letters after the host name that must be percent-encoded. Copy it from a browser.")
_WITH_LOGIN = Phrase("The URL has a user name or password before the host. Remove it; secrets have their own field.")
_NO_AUTHORITY = Phrase(
    "The host and port of the URL cannot be read. Write them as in https://example.com/ or https://example.com:443/."
)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes. The path is not in its ``repr``: in a webhook's URL it often is the secret."""

    scheme: str
    host: Host
    port: int
    path: str = field(repr=False)  # with the query, as it is sent

    @property
    def authority(self) -> str:
        """What the Host header says."""
        return self.host.in_url if self.port == PORTS[self.scheme] else f"{self.host.in_url}:{self.port}"


def parse_url(url: str, *, policy: NetworkPolicy) -> Target:
    """Take a URL apart.

    Raises:
        DestinationRefused: it is malformed or of a scheme that is not allowed; permanent. The text never repeats the
            URL.
    """
    if len(url) > _LONGEST or _UNSAFE.search(url):
        raise _refused(_UNSAFE_SIGNS.text)
    parts = _URL.fullmatch(url)
    if parts is None:
        raise _refused(_NO_URL.text)
    scheme, authority, path = parts[1].lower(), parts[2], parts[3]
    if scheme == "http" and not policy.allow_http:
        raise _refused(_NOT_ENCRYPTED.text)
    if not path.isascii():
        raise _refused(_NOT_QUOTED.text)
    host, port = _parse_authority(authority)
    return Target(scheme, host, PORTS[scheme] if port is None else port, path if path.startswith("/") else f"/{path}")


def usual_ports(policy: NetworkPolicy) -> frozenset[int]:
    """The ports of HTTP on public hosts."""
    return frozenset({443, 80}) if policy.allow_http else frozenset({443})


def _parse_authority(authority: str) -> tuple[Host, int | None]:
    if "@" in authority:
        raise _refused(_WITH_LOGIN.text)
    parts = _AUTHORITY.fullmatch(authority)
    if parts is None:
        raise _refused(_NO_AUTHORITY.text)
    return parse_host(parts[1]), None if parts[2] is None else int(parts[2])


def _refused(message: str) -> DestinationRefused:
    return DestinationRefused(message, permanent=True)
