"""Absolute addresses of the platform's hosts, as people see them in their browser."""

from __future__ import annotations

from django.conf import settings


def url_of(host: str, path: str = "/") -> str:
    """The address of `path` on `host`, with the public scheme and port."""
    scheme, usual = ("https", 443) if settings.HTTPS else ("http", 80)
    port = "" if usual == settings.PUBLIC_PORT else f":{settings.PUBLIC_PORT}"
    return f"{scheme}://{host}{port}{path}"
