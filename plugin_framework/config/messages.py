"""Puts what the validator found into words for a tenant's admin. A value is never quoted: it might be a secret."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, cast

from jsonschema.exceptions import ValidationError

from plugin_framework.config.errors import FieldError
from plugin_framework.config.patterns import longest

_TYPES = {
    "string": "a text", "integer": "a whole number", "number": "a number", "boolean": "yes or no", "array": "a list",
    "object": "a group of fields",
}  # fmt: skip
_FORMATS = {
    "email": "an e-mail address, like ada@example.com", "uri": "a web address, like https://example.com", "date": "a date, like 2026-01-31",
    "time": "a time, like 14:30:00", "date-time": "a date and time with its zone, like 2026-01-31T14:30:00Z",
    "hostname": "a host name, like mail.example.com", "ipv4": "an IPv4 address", "ipv6": "an IPv6 address", "uuid": "a UUID",
}  # fmt: skip
_YES_NO = {True: "yes", False: "no"}


def _said(value: Any) -> str:
    return _YES_NO[value] if isinstance(value, bool) else str(value)


_WORDS: dict[str, Callable[[Any], str]] = {
    "type": lambda v: f"Must be {_TYPES.get(v, v)}.",
    "enum": lambda v: f"Must be one of: {', '.join(map(_said, v))}.",
    "const": lambda v: f"Must be {_said(v)}.",
    "minimum": lambda v: f"Must be at least {v}.",
    "maximum": lambda v: f"Must be at most {v}.",
    "exclusiveMinimum": lambda v: f"Must be more than {v}.",
    "exclusiveMaximum": lambda v: f"Must be less than {v}.",
    "multipleOf": lambda v: f"Must be a multiple of {v}.",
    "minLength": lambda v: "Required." if v == 1 else f"Must have at least {v} characters.",
    "maxLength": lambda v: f"Must have at most {v} characters.",
    "pattern": lambda v: "Does not have the expected form.",
    "format": lambda v: f"Must be {_FORMATS.get(v, v)}.",
    "minItems": lambda v: "Needs at least one entry." if v == 1 else f"Needs at least {v} entries.",
    "maxItems": lambda v: "Takes one entry only." if v == 1 else f"Takes at most {v} entries.",
    "uniqueItems": lambda v: "Holds the same entry twice.",
    "minProperties": lambda v: f"Needs at least {v} fields.",
    "maxProperties": lambda v: f"Takes at most {v} fields.",
    "additionalProperties": lambda v: "Holds a field that is not known.",
}


def field_errors(error: ValidationError) -> Iterator[FieldError]:
    """`error` as errors of fields; what is required and missing is the missing field's error."""
    path = tuple(error.absolute_path)
    if (
        error.validator == "pattern"
        and isinstance(error.instance, str)
        and len(error.instance) > longest(str(error.validator_value))
    ):
        yield FieldError(path, f"Must have at most {longest(str(error.validator_value))} characters.")
    elif error.validator == "required" and isinstance(error.instance, dict):
        for name in cast("list[str]", error.validator_value):
            if name not in error.instance:
                yield FieldError((*path, name), "Required.")
    else:
        words = _WORDS.get(str(error.validator), lambda value: "Is not valid.")
        yield FieldError(path, words(error.validator_value))
