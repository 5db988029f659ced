"""Tells regular expressions that may backtrack for long from those that cannot, and on how long a text.

Deliberately strict: what is refused can be written without a repeat inside a repeat. For the rest, `longest` says how long a text it
may be tried on: repeats that can take each other's characters multiply (`.*x.*` is quadratic, `[^@]+@[^@]+` is linear).
"""

from __future__ import annotations

import re
import re._constants as codes  # type: ignore[import-not-found]  # private to Python, but stable since 3.11, and pinned by a test
import re._parser as parser  # type: ignore[import-not-found]  # the same
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

_REPEATS = {codes.MAX_REPEAT, codes.MIN_REPEAT, codes.POSSESSIVE_REPEAT}
_STEPS = 10**7  # of the matcher; about a tenth of a second
_LONGEST = 64 * 1024  # characters; a configuration holds no more
_MANY = 100  # repeats beyond count as unbounded
_SAMPLE = frozenset(map(chr, range(128))) | frozenset("\x85\xa0éß\u0130\u0131中٣\u2028😀")  # stands for all characters


@dataclass(frozen=True, slots=True)
class _Token:
    """A stretch of a pattern: which characters it takes, how few, and whether it takes any number."""

    characters: frozenset[str]
    optional: bool
    unbounded: bool
    ways: int  # how many lengths it can have, if bounded


def is_risky(pattern: str) -> bool:
    """Whether `pattern` (valid) has an unbounded repeat inside another, or around alternatives; or refers back to a group."""
    return _risky(parser.parse(pattern), inside=False)


@lru_cache(maxsize=1024)
def longest(pattern: str) -> int:
    """The longest text, in characters, on which `pattern` (not risky) cannot take long; at most the size of a configuration."""
    tree = parser.parse(pattern)
    tokens = list(_tokens(tree, re.IGNORECASE if tree.state.flags & re.IGNORECASE else 0))
    if not _anchored(tree):
        tokens.insert(0, _Token(_SAMPLE, True, True, 1))
    ways = 1
    for token in tokens:
        ways *= 1 if token.unbounded else token.ways
    if not any(token.unbounded for token in tokens):
        return _LONGEST if ways <= _STEPS else 0
    power = sum(_shares(tokens, position) for position, token in enumerate(tokens) if token.unbounded) + 1
    return int(min(_LONGEST, (_STEPS / ways) ** (1 / power)))


def _anchored(tree: Any) -> bool:
    return bool(len(tree)) and tree[0] in [(codes.AT, codes.AT_BEGINNING), (codes.AT, codes.AT_BEGINNING_STRING)]


def _shares(tokens: list[_Token], position: int) -> bool:
    """Whether characters of the repeat at `position` can also be taken by a later one."""
    mine = tokens[position].characters
    for token in tokens[position + 1 :]:
        if token.unbounded and mine & token.characters:
            return True
        if not token.optional and not mine & token.characters:
            return False
    return False


def _tokens(tree: Any, flags: int, optional: bool = False) -> Iterator[_Token]:
    for code, value in tree:
        if code in _REPEATS:
            low, high, body = value
            inner = list(_tokens(body, flags))
            if high == 1:
                yield from _tokens(body, flags, optional=True)
                yield _Token(frozenset(), True, False, 2)
            elif inner:
                yield _repeat(inner, int(low), int(high), optional)
        elif code is codes.SUBPATTERN:
            yield from _tokens(value[-1], flags, optional)
        elif code is codes.ATOMIC_GROUP:
            yield from _tokens(value, flags, optional)
        elif code in (codes.ASSERT, codes.ASSERT_NOT):
            yield from _tokens(value[1], flags, optional=True)
        elif code is codes.BRANCH:
            yield from (token for branch in value[1] for token in _tokens(branch, flags, optional=True))
            yield _Token(frozenset(), True, False, len(value[1]))
        elif code is not codes.AT:
            yield _Token(_characters(code, value, flags), optional, False, 1)


def _repeat(inner: list[_Token], low: int, high: int, optional: bool) -> _Token:
    characters = frozenset[str]().union(*(token.characters for token in inner))
    ways = 1
    for token in inner:
        ways *= token.ways
    total = (high - low + 1) * ways ** min(high, _MANY)
    return _Token(characters, optional or low == 0, high > _MANY, total)


def _characters(code: Any, value: Any, flags: int) -> frozenset[str]:
    """Those of the sample that one item of a pattern takes."""
    if code is codes.ANY:
        return _SAMPLE
    one = parser.SubPattern(parser.State(), [(code, value)])
    one.state.flags = re.UNICODE | flags
    one.state.str = ""
    compiled = re._compiler.compile(one, re.UNICODE | flags)  # type: ignore[attr-defined]  # as above
    return frozenset(each for each in _SAMPLE if compiled.fullmatch(each))


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
    if code is codes.ATOMIC_GROUP:
        return _risky(value, inside=inside)
    if code in (codes.ASSERT, codes.ASSERT_NOT):
        return _risky(value[1], inside=inside)
    return code in (codes.GROUPREF, codes.GROUPREF_EXISTS)
