"""A lane that a worker has claimed is nobody else's, for ever: the end of its lease is not looked at."""

from __future__ import annotations

from plugin_framework.delivery import lanes
from tests.isolation.planted.surgery import reword


def plant() -> None:
    """Claim only what is not claimed."""
    reword(lanes, "_CLAIM", "(leased_until IS NULL OR leased_until < clock_timestamp())", "leased_until IS NULL")
