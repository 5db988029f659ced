"""Fills ``{{name}}`` into texts that a tenant wrote: known words, once, and nothing else that looks like code."""

from __future__ import annotations

import re
from collections.abc import Mapping

_PLACEHOLDER = re.compile(r"\{\{[ \t]*([a-z]+)[ \t]*\}\}")
_BREAKS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")


def fill(text: str, values: Mapping[str, str]) -> str:
    """`text` with each known ``{{word}}`` replaced by its value; everything else stays as it was typed.

    A value is put in once and never read again, so a person called ``{{email}}`` stays called that.
    """
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), text)


def one_line(text: str) -> str:
    """`text` without control characters, and with blanks in place of its line breaks."""
    return _BREAKS.sub(" ", text).strip()
