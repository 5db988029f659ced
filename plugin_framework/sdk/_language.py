"""In whose language a plugin writes to somebody."""

from __future__ import annotations

from contextlib import AbstractContextManager

from plugin_framework.sdk._runtime import runtime


def in_language_of(person: object | None = None) -> AbstractContextManager[None]:
    """For what leaves as a text: ``with in_language_of(user): ...`` has gettext, dates and numbers in that person's language.

    Handlers of events run in English, because what they raise is stored. Build the mail or the message within the block, and send it
    after it.

    Args:
        person: one of the organisation's people; None, or one whose language nobody knows, is written to in the organisation's.
    """
    return runtime().in_language_of(person)
