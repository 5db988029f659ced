"""Frozen values that pass between plugins and the platform."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from django.utils.http import url_has_allowed_host_and_scheme

BANNER_LEVELS = ("info", "success", "warning", "error")
_KEY = re.compile(r"[A-Za-z0-9_-]{1,50}")


@dataclass(frozen=True, slots=True)
class TenantInfo:
    """What a plugin may know of the organisation it runs for."""

    slug: str
    name: str
    host: (
        str  # the tenant's primary host, without a scheme; links are built from it, never from a request's Host header
    )
    timezone: str = field(
        default="UTC", kw_only=True
    )  # its IANA name; inside the tenant Django's `localtime` and `localdate` follow it


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What "Test connection" found, in words for the tenant's admin."""

    ok: bool
    message: str


@dataclass(frozen=True, slots=True)
class NavItem:
    """One entry of the tenant's navigation. `url` is relative to the plugin's own pages unless it starts with a slash."""

    label: str
    url: str = ""
    icon: str = ""
    for_admins: bool = False  # others do not see it; that hides the entry, and the page still has to refuse them


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel on the tenant's dashboard: a title and a template of the plugin with its context."""

    title: str
    template: str
    context: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Banner:
    """A few words above every page of the tenant. Plain text throughout: the page escapes it, line breaks in `text` are kept.

    Args:
        key: tells it from the plugin's other banners: letters, digits, ``_`` and ``-``.
        level: one of ``info``, ``success``, ``warning``, ``error``.
        link_url: a path on this host (``/apps/orders/``), or an address with http or https; needs `link_label`.
        dismiss_url: a path on this host. Given one, the banner has a button that posts there; the view answers
            `banner_dismissed` once it has noted who pressed it.

    Raises:
        ValueError: something of it could not be shown, or not safely; the text says what.
    """

    key: str
    title: str
    text: str = ""
    level: str = "info"
    link_url: str = ""
    link_label: str = ""
    dismiss_url: str = ""

    def __post_init__(self) -> None:
        if not _KEY.fullmatch(self.key):
            raise ValueError(f"The key of a banner is made of letters, digits, _ and -, not {self.key!r}.")
        if self.level not in BANNER_LEVELS:
            raise ValueError(f"A banner's level is one of {', '.join(BANNER_LEVELS)}, not {self.level!r}.")
        if bool(self.link_url) is not bool(self.link_label):
            raise ValueError("A link takes both an address and words to press: give both, or neither.")
        if self.link_url and not (is_local_path(self.link_url) or _is_web_address(self.link_url)):
            raise ValueError("A link leads to a path that begins with / or to an address with http:// or https://.")
        if self.dismiss_url and not is_local_path(self.dismiss_url):
            raise ValueError("What dismisses a banner is a path of this host that begins with /.")


@dataclass(frozen=True, slots=True)
class ErrorReport:
    """An unhandled error, redacted: no arguments, no local variables, no query strings. ``str()`` is the message."""

    message: str
    kind: str  # the exception's class
    where: str  # "module:function:line" of the innermost frame
    path: str  # the request's path, without its query
    fingerprint: str  # the same for the same error at the same place
    at: str  # ISO 8601, UTC

    def __str__(self) -> str:
        return self.message


def is_local_path(url: str) -> bool:
    """Whether `url` leads to a page of this host, in any browser's reading of it."""
    return _is_plain(url) and url.startswith("/") and url_has_allowed_host_and_scheme(url, allowed_hosts=None)


def _is_web_address(url: str) -> bool:
    """With a host, and without a name in front of it, which makes ``https://bank.example@elsewhere`` look like the bank's."""
    try:
        parts = urlsplit(url)
    except ValueError:  # an unfinished IPv6 address, say
        return False
    return _is_plain(url) and parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc


def _is_plain(url: str) -> bool:
    """Without spaces and control characters: browsers leave some of them out, and read another address than we have checked."""
    return url.isprintable() and " " not in url and "\\" not in url
