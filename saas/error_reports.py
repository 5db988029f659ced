"""Django's reports of errors, on the page while developing and by mail to the admins, without anybody's secrets."""

from __future__ import annotations

from collections.abc import Callable, ItemsView
from pprint import pformat
from types import FrameType
from typing import Any

from django.http import HttpRequest, QueryDict
from django.utils.safestring import SafeString
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

from plugin_framework import masking
from plugin_framework.sdk._masking import SHORTEST, Masker


class Filter(SafeExceptionReporterFilter):
    """Hides whatever was posted (any of it may be a password) and the secrets that the engine knows, with DEBUG on as well."""

    def is_active(self, request: HttpRequest | None) -> bool:
        """Always: developers' screens are shared, too."""
        return True

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, str]:
        """The names alone."""
        return dict.fromkeys(request.POST, self.cleansed_substitute) if request is not None else {}

    def get_traceback_frame_variables(self, request: HttpRequest | None, tb_frame: FrameType) -> ItemsView[str, Any]:
        """The variables, each hidden before the report wraps and shortens it."""
        found = super().get_traceback_frame_variables(request, tb_frame)
        return {name: _Shown(value, hider(request)) for name, value in found}.items()


class Reporter(ExceptionReporter):
    """Searches the finished report once more: messages, notes and the source's own lines may quote a secret."""

    def get_traceback_html(self) -> SafeString:
        return SafeString(hider(self.request)(str(super().get_traceback_html())))

    def get_traceback_text(self) -> SafeString:
        return SafeString(hider(self.request)(str(super().get_traceback_text())))


class _Shown:
    """A value that shows itself without secrets."""

    def __init__(self, value: Any, hide: Callable[[str], str]) -> None:
        self._value, self._hide = value, hide

    def __repr__(self) -> str:
        plain = repr(self._value)
        hidden = self._hide(plain)
        return hidden if hidden != plain else pformat(self._value)


def hider(request: HttpRequest | None) -> Callable[[str], str]:
    """A function that hides what is known, and what was posted in `request`, in a text."""
    posted = request.POST if request is not None else QueryDict()
    values = {value for _, found in posted.lists() for value in found if len(value) >= SHORTEST}
    maskers = [Masker(value) for value in sorted(values, key=len, reverse=True)]

    def hide(text: str) -> str:
        for masker in maskers:
            text = masker.mask(text)
        return masking.masked(text)

    return hide
