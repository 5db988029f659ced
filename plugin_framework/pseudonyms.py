"""What stands for somebody whose data was erased, in what is kept of the past; it leads back to nobody."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from typing import Any

_PSEUDONYM = re.compile(r"erased person [0-9a-f]{8}")


def new() -> str:
    """One that nobody has."""
    return f"erased person {secrets.token_hex(4)}"


def without(config: Mapping[str, Any]) -> dict[str, Any]:
    """`config` without the values that are nothing but a pseudonym; a text in which one stands stays."""
    return {key: _cleared(value) for key, value in config.items() if not _is_one(key) and not _is_one(value)}


def _cleared(value: Any) -> Any:
    if isinstance(value, dict):
        return without(value)
    return [_cleared(each) for each in value if not _is_one(each)] if isinstance(value, list) else value


def _is_one(value: Any) -> bool:
    return isinstance(value, str) and _PSEUDONYM.fullmatch(value) is not None
