"""Canaries for the storm: each organisation's own, one for each place, in a form that is found in any text."""

from __future__ import annotations

import re
from secrets import token_hex

PLACES = ("setting", "secret", "row", "cache", "session", "file", "mail", "post", "log", "wary")
MARK = re.compile(r"cnry[0-9a-f]{32}")


def mark() -> str:
    """A canary of 128 bits."""
    return f"cnry{token_hex(16)}"


def marks() -> dict[str, str]:
    """One organisation's canaries, by place."""
    return {place: mark() for place in PLACES}
