"""What plugins say of themselves, in the reader's language."""

from __future__ import annotations

from django.utils.translation import gettext


def spoken(text: str) -> str:
    """A plugin's plain text as the reader's catalogue has it; as the plugin says it where none knows it."""
    return gettext(text) if text.strip() else text
