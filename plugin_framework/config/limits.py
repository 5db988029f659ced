"""Caps on a configuration, checked before anything else looks at it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

MAX_BYTES = 64 * 1024
MAX_DEPTH = 32
MAX_INTEGER = 2**63
MAX_KEY = 100  # characters; what the column of top-level keys takes


def problem_with(config: Mapping[str, Any]) -> str:
    """What makes `config` unfit to be stored, in a sentence; empty if nothing does."""
    if problem := _look(config, 0):
        return problem
    try:
        size = len(json.dumps(config, ensure_ascii=False).encode())
    except (TypeError, ValueError, UnicodeEncodeError):
        return "Holds something that is not JSON."
    return f"Is larger than {MAX_BYTES // 1024} KiB." if size > MAX_BYTES else ""


def _look(value: Any, depth: int) -> str:
    if depth > MAX_DEPTH:
        return f"Is nested deeper than {MAX_DEPTH} levels."
    if isinstance(value, str):
        return text_problem(value)
    if isinstance(value, float) and not math.isfinite(value):
        return "Holds a number that is not finite."
    if isinstance(value, int) and abs(value) > MAX_INTEGER:
        return "Holds a number that is too large."
    if isinstance(value, Mapping):
        return next((p for k, v in value.items() if (p := _key(k) or _look(v, depth + 1))), "")
    if isinstance(value, list | tuple):
        return next((problem for each in value if (problem := _look(each, depth + 1))), "")
    return "" if value is None or isinstance(value, bool | int | float) else "Holds something that is not JSON."


def _key(key: Any) -> str:
    if not isinstance(key, str):
        return "Holds a key that is not a text."
    return f"Holds a key longer than {MAX_KEY} characters." if len(key) > MAX_KEY else text_problem(key)


def text_problem(text: str) -> str:
    """What makes `text` unfit to be stored, in a sentence; empty if nothing does."""
    if "\x00" in text:
        return "Holds a NUL character, which cannot be stored."
    if any("\ud800" <= character <= "\udfff" for character in text):
        return "Holds half of a character, which cannot be stored."
    return ""
