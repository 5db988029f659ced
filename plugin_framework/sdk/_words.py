"""Sentences of the engine and of plugins: written once in English, said in the language of whoever reads them, stored or not."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice

from django.utils.translation import gettext

from plugin_framework.sdk._counts import Amount, Counted, reread_amount, reread_count

_PLACE = re.compile(r"%\((\w+)\)s")
_COLON = re.compile(r": ")  # behind the label of a field, and those of the groups it stands in
_FAR, _DEEP = 300, 8  # characters and colons within which what is wrong begins
_IN_FIELD = "%(field)s: %(what)s"
LEAST = 10  # characters of its own: a phrase of fewer, with places, would be found in anybody's text, so it is not looked for
_phrases: list[Phrase] = []


@dataclass(frozen=True, slots=True, eq=False)
class Sentence:
    """A text with its values; `str()` says it in the current language. Equal to whatever says the same in English."""

    text: str
    values: tuple[tuple[str, object], ...] = ()

    def __str__(self) -> str:
        said = gettext(self.text) if self.text.strip() else self.text
        return said % dict(self.values) if self.values else said

    @property
    def english(self) -> str:
        """What is stored and logged: whoever reads it later may speak another language."""
        values = {name: english(value) for name, value in self.values}
        return self.text % values if values else self.text

    def __eq__(self, other: object) -> bool:
        return self.english == english(other) if isinstance(other, Sentence | str) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.english)


@dataclass(frozen=True, slots=True)
class Phrase:
    """A sentence of the engine or of a plugin, with places like %(name)s in it; made once, when its module is loaded.

    Calling it with the values gives the sentence; `reread` finds it again where it was stored in English. The text is marked for
    translation by standing in this call. `amounts` are the places that hold an `Amount`: read again, nothing else tells a sum of
    money from the number of a version.
    """

    text: str
    amounts: tuple[str, ...] = ()
    _pattern: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        parts = _PLACE.split(self.text)
        pieces = (f"(?P<{part}>.+?)" if number % 2 else re.escape(part) for number, part in enumerate(parts))
        object.__setattr__(self, "_pattern", re.compile("".join(pieces), re.DOTALL))
        if len(parts) == 1 or self.says >= LEAST:
            _phrases.append(self)
            _phrases.sort(key=lambda each: -each.says)  # what says most is tried first

    @property
    def says(self) -> int:
        """How many characters it has besides its places."""
        return len(_PLACE.sub("", self.text))

    def __call__(self, **values: object) -> Sentence:
        """The sentence with these values; one that is a sentence itself is said in the reader's language too."""
        return Sentence(self.text, tuple(values.items()))

    def read(self, text: str) -> Sentence | None:
        """The sentence that `text` is, if it was made of this phrase."""
        found = self._pattern.fullmatch(text)
        return self(**{name: self._value(name, text) for name, text in found.groupdict().items()}) if found else None

    def _value(self, name: str, text: str) -> Sentence | Counted | Amount:
        amount = reread_amount(text) if name in self.amounts else None
        return amount if amount is not None else reread_count(text) or reread(text)


@lru_cache(maxsize=1024)
def reread(text: str) -> Sentence:
    """What was stored in English, as the sentence that it was; what nobody knows here is said as it stands.

    So are the texts of network errors: they are English, for they are mostly stored. `str()` says the sentence in the current language.
    """
    return _known(text) or _behind_labels(text) or Sentence(text)


def _behind_labels(text: str) -> Sentence | None:
    """What is wrong with a field, behind its labels, which are said in the reader's language as far as it has them."""
    for colon in islice(_COLON.finditer(text[:_FAR]), _DEEP):
        if (what := _known(text[colon.end() :])) is not None:
            for label in reversed(text[: colon.start()].split(": ")):
                what = in_field(Sentence(label), what)
            return what
    return None


def _known(text: str) -> Sentence | None:
    return next((found for phrase in _phrases if (found := phrase.read(text)) is not None), None)


def in_field(field: Sentence | str, what: Sentence) -> Sentence:
    """What is wrong with a field, behind its name or label."""
    return Sentence(_IN_FIELD, (("field", field), ("what", what)))


def english(words: object) -> object:
    """A sentence or a number as it is stored; anything else as it is."""
    return words.english if isinstance(words, Sentence | Counted | Amount) else words
