"""Sessions are kept in one place for all tenants, and nothing in them says whose they are."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase


def _plain(self: SessionBase, session: dict[str, Any]) -> str:
    return json.dumps(session)


def _read(self: SessionBase, text: str) -> Any:
    return json.loads(text)


def plant() -> None:
    """Files, which have no schemas (Django reads the setting when the middleware is made); and no signature, which has the tenant in it."""
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.file"
    SessionBase.encode, SessionBase.decode = _plain, _read  # type: ignore[method-assign]  # planted on purpose
