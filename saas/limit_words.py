"""What Django's form fields say of their limits: in the voice of the settings forms, with numbers as people read them.

Django's own words put plain integers into `%d`, so no translation can set their thousands apart; what it documents to be set is the
`message` of a validator. So forms of plugins and of packages say it too.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal

from django.core import validators
from django.utils.translation import gettext, gettext_noop

from plugin_framework.sdk._counts import said_number


class _Limit(str):
    """A message that Django fills with `%`: then it is said in the reader's language."""

    __slots__ = ()

    def __mod__(self, values: Mapping[str, object]) -> str:
        return gettext(str(self)) % {name: _said(value) for name, value in values.items()}


def say() -> None:
    """Let the validators speak so, from now on."""
    validators.MaxLengthValidator.message = _Limit(
        gettext_noop("Must have at most %(limit_value)s characters; it has %(show_value)s.")
    )
    validators.MinLengthValidator.message = _Limit(
        gettext_noop("Must have at least %(limit_value)s characters; it has %(show_value)s.")
    )
    validators.MaxValueValidator.message = _Limit(gettext_noop("Must be at most %(limit_value)s."))
    validators.MinValueValidator.message = _Limit(gettext_noop("Must be at least %(limit_value)s."))
    validators.DecimalValidator.messages |= {
        "max_digits": _Limit(gettext_noop("Must have at most %(max)s digits.")),
        "max_decimal_places": _Limit(gettext_noop("Must have at most %(max)s decimals.")),
        "max_whole_digits": _Limit(gettext_noop("Must have at most %(max)s digits before its decimals.")),
    }


def _said(value: object) -> object:
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool) and math.isfinite(value):
        return said_number(value)
    return value
