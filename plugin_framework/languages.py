"""In whose language something is said that is not a page: a mail, a message to a channel. Whatever is stored stays English."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.conf import settings
from django.utils import translation

from plugin_framework.tenancy import tenant_or_none


def _nobody() -> str:
    return ""


_organisations: Callable[[], str] = _nobody


def bind(organisations: Callable[[], str]) -> None:
    """Say who knows the current tenant's language ("" if it is not known); at start, in every process."""
    global _organisations
    _organisations = organisations


def of(person: object | None = None) -> str:
    """The language of `person` where it is known, else the organisation's, else the one that is spoken now."""
    own = str(getattr(person, "language", "") or "")
    if is_spoken(own):
        return own
    theirs = _organisations() if tenant_or_none() is not None else ""
    return theirs if is_spoken(theirs) else translation.get_language() or settings.LANGUAGE_CODE


def is_spoken(language: str) -> bool:
    """Whether the platform has texts in it."""
    return language in dict(settings.LANGUAGES)


@contextmanager
def spoken_to(person: object | None = None) -> Iterator[None]:
    """Within it, texts, dates and numbers are in the language of `person`, as `of` finds it."""
    with translation.override(of(person)):
        yield
