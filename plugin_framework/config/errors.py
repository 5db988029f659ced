"""What can be wrong with a schema, and with a configuration."""

from __future__ import annotations

from dataclasses import dataclass


class SchemaError(ValueError):
    """A plugin's schema that cannot be used; the text names the place and the fault."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.path = path


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with a configuration: where (empty: the whole of it), and what, for the person who typed it."""

    path: tuple[str | int, ...]
    message: str
