"""The formats that settings may have; checks of our own, so that a missing optional package never means "anything goes"."""

from __future__ import annotations

import datetime
import ipaddress
import re
import uuid
from collections.abc import Callable
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from jsonschema import FormatChecker

FORMATS = FormatChecker(formats=())
_HOSTNAME = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*", re.IGNORECASE
)


def _check(name: str, test: Callable[[str], object], *raises: type[Exception]) -> None:
    """Register `test` for texts; whatever is no text is left to the schema's ``type``."""

    def conforms(value: object) -> bool:
        return not isinstance(value, str) or test(value) is not False

    FORMATS.checks(name, raises=raises or ValueError)(conforms)


def _uri(text: str) -> bool:
    parts = urlsplit(text)
    _ = parts.port  # raises for one that is none
    return bool(parts.scheme in {"http", "https"} and parts.hostname) and not re.search(r"[\s\x00-\x1f\x7f\\]", text)


_check("email", validate_email, ValidationError)
_check("uri", _uri)
_check("hostname", lambda text: _HOSTNAME.fullmatch(text) is not None)
_check("ipv4", ipaddress.IPv4Address)
_check("ipv6", ipaddress.IPv6Address)
_check("uuid", lambda text: str(uuid.UUID(text)) == text.lower())  # not its other spellings
_check("date", lambda text: datetime.date.fromisoformat(text).isoformat() == text)  # not a week's
_check("time", lambda text: ":" in text and datetime.time.fromisoformat(text) is not None)
_check("date-time", lambda text: "T" in text.upper() and datetime.datetime.fromisoformat(text).tzinfo is not None)
