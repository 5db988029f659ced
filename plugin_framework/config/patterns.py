"""Tells regular expressions that may backtrack without end from those that cannot.

Deliberately strict: what is refused can be written without a repeat inside a repeat; what is accepted runs in polynomial time on
the short texts that settings are.
"""

from __future__ import annotations

import re._constants as codes  # type: ignore[import-not-found]  # private to Python, but stable since 3.11, and pinned by a test
import re._parser as parser  # type: ignore[import-not-found]  # the same
from typing import Any

_REPEATS = {codes.MAX_REPEAT, codes.MIN_REPEAT}


def is_risky(pattern: str) -> bool:
    """Whether `pattern` (valid) has an unbounded repeat inside another, or around alternatives; or refers back to a group."""
    return _risky(parser.parse(pattern), inside=False)


def _risky(tree: Any, *, inside: bool) -> bool:
    return any(_item_is_risky(code, value, inside) for code, value in tree)


def _item_is_risky(code: Any, value: Any, inside: bool) -> bool:
    if code in _REPEATS:
        _low, high, body = value
        many = high is codes.MAXREPEAT or high > 50
        return (many and inside) or _risky(body, inside=inside or many or high > 1)
    if code is codes.BRANCH:
        return inside or any(_risky(each, inside=inside) for each in value[1])
    if code is codes.SUBPATTERN:
        return _risky(value[-1], inside=inside)
    if code in (codes.ASSERT, codes.ASSERT_NOT):
        return _risky(value[1], inside=inside)
    return code in (codes.GROUPREF, codes.GROUPREF_EXISTS)
