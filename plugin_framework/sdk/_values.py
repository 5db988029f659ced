"""Frozen values that pass between plugins and the platform."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class TenantInfo:
    """What a plugin may know of the organisation it runs for."""

    slug: str
    name: str
    host: (
        str  # the tenant's primary host, without a scheme; links are built from it, never from a request's Host header
    )


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
    """Something to read above every page of the tenant, for people who are signed in. All of it is text, never HTML."""

    key: str  # the same for the same banner, among the plugin's own
    title: str
    text: str = ""
    level: str = "info"  # or "success", "warning", "error"
    url: str = ""  # where there is more to read; http, https, or a path
    dismiss_url: str = ""  # takes a POST with `next`, the page to go back to


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
