"""What can be wrong with a schema, and with a configuration."""

from __future__ import annotations

from dataclasses import dataclass

from plugin_framework.sdk._words import Sentence, in_field


class SchemaError(ValueError):
    """A plugin's schema that cannot be used; the text names the place and the fault."""

    def __init__(self, path: str, fault: Sentence) -> None:
        super().__init__(f"{path}: {fault.english}" if path else fault.english)
        self.path = path


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with a configuration: where (empty: the whole of it), and what, for the person who typed it."""

    path: tuple[str | int, ...]
    words: Sentence | str

    @property
    def message(self) -> str:
        """What is wrong, in the current language."""
        return str(self.words)

    @property
    def sentence(self) -> Sentence:
        """The same behind the name of its field, for operators and developers; people read its label (`ConfigSchema.sentence`)."""
        words = self.words if isinstance(self.words, Sentence) else Sentence(self.words)
        return in_field(".".join(map(str, self.path)), words) if self.path else words

    def __str__(self) -> str:
        return str(self.sentence)
