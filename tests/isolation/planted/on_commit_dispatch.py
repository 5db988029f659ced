"""An event is written when its transaction has been committed, and not with it: whoever dies in between has lost it."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from plugin_framework import hooks
from plugin_framework.delivery.emit import emit_event
from plugin_framework.delivery.failpoints import failpoint


def _later(*args: Any) -> None:
    def emit() -> None:
        failpoint("after_commit")
        emit_event(*args)

    transaction.on_commit(emit)


def plant() -> None:
    """Leave it to on_commit."""
    hooks.emit_event = _later  # type: ignore[assignment]  # planted on purpose
