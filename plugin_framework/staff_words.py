"""Says what was written for an organisation's people to the platform's staff, whose organisation it is not."""

from __future__ import annotations

from collections.abc import Mapping

from plugin_framework.sdk import NotAllowed
from plugin_framework.sdk._words import Phrase, Sentence

_INSTEAD: dict[str, Phrase] = {}


class Refused(NotAllowed):
    """What an organisation's people are refused in words of the engine; `text_for_staff` says the same to the platform's staff."""

    def __init__(self, words: Sentence | str) -> None:
        """`words`: why, and what would help."""
        super().__init__(str(words))
        self.text_for_staff = str(for_staff(words))


def said_to_staff(instead: Mapping[Phrase, Phrase]) -> None:
    """Have each phrase put in other words for the platform's staff, with the same values."""
    _INSTEAD.update({phrase.text: other for phrase, other in instead.items()})


def for_staff(words: object) -> object:
    """`words` with each sentence in them that speaks to the organisation put for the platform's staff."""
    if not isinstance(words, Sentence):
        return words
    other = _INSTEAD.get(words.text)
    return Sentence(other.text if other else words.text, tuple((name, for_staff(each)) for name, each in words.values))


def refusal_for_staff(error: NotAllowed) -> str:
    """Why something was refused, to the platform's staff; what a plugin says of itself stays as it is."""
    return error.text_for_staff if isinstance(error, Refused) else str(error)
