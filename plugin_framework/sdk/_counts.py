"""Numbers that people read: in a sentence or on a page, they are written as the reader's language does it."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

from django.utils.formats import number_format
from django.utils.translation import gettext, ngettext
from django.utils.translation.trans_real import gettext_noop  # the one beside gettext reads the settings

_STEP = 1024
# Between the number and its unit is a space that no line is broken at.
_UNITS = (
    gettext_noop("%(size)s\xa0KB"),
    gettext_noop("%(size)s\xa0MB"),
    gettext_noop("%(size)s\xa0GB"),
    gettext_noop("%(size)s\xa0TB"),
)
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


class Amount(Decimal):
    """A sum of money, or another number with decimals, which says itself as people read it: 1,234.50, or 1.234,50 in German."""

    def __str__(self) -> str:
        return number_format(Decimal(self), force_grouping=True)

    @property
    def english(self) -> str:
        """As it is stored."""
        return f"{Decimal(self):,f}"


def said_number(value: float | Decimal) -> Counted | Amount:
    """A bound or another number of which nobody knows beforehand whether it is whole, as people read it."""
    exact = Decimal(str(value))
    return Counted(exact) if exact == exact.to_integral_value() else Amount(exact)


def reread_count(text: str) -> Counted | None:
    """The count that was stored as `text`, as far as it can be told from another number: by a comma between its thousands."""
    return Counted(text.replace(",", "")) if _GROUPED.fullmatch(text) else None


def reread_amount(text: str) -> Amount | None:
    """The amount that was stored as `text`; None if that is no number. Who calls it knows that an amount stood there."""
    try:
        found = Amount(text.replace(",", ""))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def size(count: int) -> str:
    """So many bytes, in the largest unit of which there is one: 1,000 KB, 1.5 MB, 2 GB. A tenth that is zero is left out."""
    if count < _STEP:
        return ngettext("%(size)s\xa0byte", "%(size)s\xa0bytes", count) % {"size": Counted(count)}
    amount, unit = count / _STEP, 0
    while round(amount, 1) >= _STEP and unit < len(_UNITS) - 1:
        amount, unit = amount / _STEP, unit + 1
    tenths = round(amount, 1)
    said = number_format(tenths, decimal_pos=0 if tenths == int(tenths) else 1, force_grouping=True)
    return gettext(_UNITS[unit]) % {"size": said}
