"""Sessions are kept in one place for all tenants."""

from __future__ import annotations

from django.conf import settings


def plant() -> None:
    """Files, which have no schemas; Django reads the setting when the middleware is made."""
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.file"
