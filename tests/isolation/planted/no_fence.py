"""A worker that slept through its lease may still mark what another has claimed meanwhile."""

from __future__ import annotations

from plugin_framework.delivery import rows
from tests.isolation.planted.surgery import reword


def plant() -> None:
    """Ask nobody for the fence."""
    for name in ("_FINISH", "_FINISH_AND_START", "_FINISH_AND_NEXT"):
        reword(rows, name, "WHERE id = %(id)s AND fence = %(fence)s AND state", "WHERE id = %(id)s AND state")
