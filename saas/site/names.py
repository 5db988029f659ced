"""Plugin names in addresses."""

from __future__ import annotations

import re

from django.urls import register_converter

_NAME = r"[A-Za-z0-9_.-]{1,100}"
_WHOLE = re.compile(_NAME)


class PluginNameConverter:
    """A plugin's name, or what a rejected one calls itself; whether there is such a plugin is the view's question."""

    regex = _NAME

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(PluginNameConverter, "plugin")


def has_address(name: str) -> bool:
    """Whether `name` can stand in an address: the key of a rejected plugin may be anything."""
    return _WHOLE.fullmatch(name) is not None
