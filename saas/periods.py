"""Checks the times and other numbers that the environment sets."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured

MOST_DAYS = 36_500


def days(number: int, name: str) -> int:
    """`number` of days, from the variable `name`.

    Raises:
        ImproperlyConfigured: it is less than one, or more than a century: nothing may be deleted at once by a slip.
    """
    if not 1 <= number <= MOST_DAYS:
        raise ImproperlyConfigured(f"{name} is {number}; set it to a number of days from 1 to {MOST_DAYS}.")
    return number


def at_least_one(number: int, name: str) -> int:
    """`number`, from the variable `name`.

    Raises:
        ImproperlyConfigured: it is less than one.
    """
    if number < 1:
        raise ImproperlyConfigured(f"{name} is {number}; set it to 1 or more.")
    return number
