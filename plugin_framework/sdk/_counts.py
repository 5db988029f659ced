"""How many of something: in a sentence or on a page, its thousands are set apart as the reader's language does it."""

from __future__ import annotations

import re

from django.utils.formats import number_format

_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+")


class Counted(int):
    """A number of things, which says itself as people read it: 12,345, or 12.345 in German.

    Never for an id, a port, a year, a status or what a form holds: those are plain numbers. As JSON, and with a format of its own
    (`%d`), a count is a plain number too.
    """

    __slots__ = ()

    def __str__(self) -> str:
        return number_format(int(self), force_grouping=True)

    @property
    def english(self) -> str:
        """As it is stored."""
        return f"{int(self):,}"


def reread_count(text: str) -> Counted | None:
    """The count that was stored as `text`, as far as it can be told from another number: by a comma between its thousands."""
    return Counted(text.replace(",", "")) if _GROUPED.fullmatch(text) else None
