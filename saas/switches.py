"""Reads switches of the environment that must not be off by a slip of the pen."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured

_ON, _OFF = {"1", "true", "yes", "on"}, {"", "0", "false", "no", "off"}


def switch(value: str, name: str) -> bool:
    """Whether the variable `name`, which holds `value`, is on.

    Raises:
        ImproperlyConfigured: it is neither on nor off.
    """
    found = value.strip().lower()
    if found not in _ON | _OFF:
        raise ImproperlyConfigured(f"{name} is {value!r}; set it to true or false.")
    return found in _ON
