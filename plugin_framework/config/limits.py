"""Caps on a configuration, checked before anything else looks at it."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Literal

from plugin_framework.sdk._counts import Counted
from plugin_framework.sdk._words import Phrase, Sentence

MAX_BYTES = 64 * 1024
MAX_DEPTH = 32
MAX_INTEGER = 2**63
MAX_KEY = 100  # characters; what the column of top-level keys takes

_NOT_JSON = Phrase("Holds something that is not JSON.")
_LARGE = Phrase("Is larger than %(most)s KiB.")
_DEEP = Phrase("Is nested deeper than %(most)s levels.")
_NOT_FINITE = Phrase("Holds a number that is not finite.")
_TOO_LARGE = Phrase("Holds a number that is too large.")
_KEY = Phrase("Holds a key that is not a text.")
_LONG_KEY = Phrase("Holds a key longer than %(most)s characters.")
_NUL = Phrase("Holds a NUL character, which cannot be stored.")
_HALF = Phrase("Holds half of a character, which cannot be stored.")
type Problem = Sentence | Literal[""]


def problem_with(config: Mapping[str, Any]) -> Problem:
    """What makes `config` unfit to be stored, in a sentence; empty if nothing does."""
    if problem := _look(config, 0):
        return problem
    try:
        size = len(json.dumps(config, ensure_ascii=False).encode())
    except (TypeError, ValueError, UnicodeEncodeError):
        return _NOT_JSON()
    return _LARGE(most=Counted(MAX_BYTES // 1024)) if size > MAX_BYTES else ""


def _look(value: Any, depth: int) -> Problem:
    if depth > MAX_DEPTH:
        return _DEEP(most=MAX_DEPTH)
    if isinstance(value, str):
        return text_problem(value)
    if isinstance(value, float) and not math.isfinite(value):
        return _NOT_FINITE()
    if isinstance(value, int) and abs(value) > MAX_INTEGER:
        return _TOO_LARGE()
    if isinstance(value, Mapping):
        return next((p for k, v in value.items() if (p := _key(k) or _look(v, depth + 1))), "")
    if isinstance(value, list | tuple):
        return next((problem for each in value if (problem := _look(each, depth + 1))), "")
    return "" if value is None or isinstance(value, bool | int | float) else _NOT_JSON()


def _key(key: Any) -> Problem:
    if not isinstance(key, str):
        return _KEY()
    return _LONG_KEY(most=Counted(MAX_KEY)) if len(key) > MAX_KEY else text_problem(key)


def text_problem(text: str) -> Problem:
    """What makes `text` unfit to be stored, in a sentence; empty if nothing does."""
    if "\x00" in text:
        return _NUL()
    if any("\ud800" <= character <= "\udfff" for character in text):
        return _HALF()
    return ""
