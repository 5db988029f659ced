"""Puts what the validator found into words for a tenant's admin. A value is never quoted: it might be a secret."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from jsonschema.exceptions import ValidationError

from plugin_framework.config.errors import FieldError
from plugin_framework.config.patterns import longest
from plugin_framework.sdk._counts import Counted, said_number
from plugin_framework.sdk._words import Phrase, Sentence, english

_REQUIRED = Phrase("Required.")
_AT_MOST = Phrase("Must have at most %(most)s characters.")
_INVALID = Phrase("Is not valid.")
_TYPES = {
    "string": Phrase("Must be a text."), "integer": Phrase("Must be a whole number."), "number": Phrase("Must be a number."),
    "boolean": Phrase("Must be yes or no."), "array": Phrase("Must be a list."), "object": Phrase("Must be a group of fields."),
}  # fmt: skip
_FORMATS = {
    "email": Phrase("Must be an e-mail address, like ada@example.com."),
    "uri": Phrase("Must be a web address, like https://example.com."),
    "date": Phrase("Must be a date, like 2026-01-31."),
    "time": Phrase("Must be a time, like 14:30:00."),
    "date-time": Phrase("Must be a date and time with its zone, like 2026-01-31T14:30:00Z."),
    "hostname": Phrase("Must be a host name, like mail.example.com."),
    "ipv4": Phrase("Must be an IPv4 address."),
    "ipv6": Phrase("Must be an IPv6 address."),
    "uuid": Phrase("Must be a UUID."),
    "regex": Phrase("Must be a regular expression."),
}
_YES_NO = {True: Phrase("yes"), False: Phrase("no")}
_CONST = Phrase("Must be %(value)s.")
_ENTRIES = (Phrase("Needs at least one entry."), Phrase("Takes one entry only."))
_WORDS = {
    "enum": Phrase("Must be one of: %(values)s."),
    "minimum": Phrase("Must be at least %(value)s.", ("value",)),
    "maximum": Phrase("Must be at most %(value)s.", ("value",)),
    "exclusiveMinimum": Phrase("Must be more than %(value)s.", ("value",)),
    "exclusiveMaximum": Phrase("Must be less than %(value)s.", ("value",)),
    "multipleOf": Phrase("Must be a multiple of %(value)s.", ("value",)),
    "minLength": Phrase("Must have at least %(value)s characters."),
    "pattern": Phrase("Does not have the expected form."),
    "minItems": Phrase("Needs at least %(value)s entries."),
    "maxItems": Phrase("Takes at most %(value)s entries."),
    "uniqueItems": Phrase("Holds the same entry twice."),
    "minProperties": Phrase("Needs at least %(value)s fields."),
    "maxProperties": Phrase("Takes at most %(value)s fields."),
    "additionalProperties": Phrase("Holds a field that is not known."),
}


def _said(value: Any) -> object:
    return _YES_NO[value]() if isinstance(value, bool) else value


def wrong(validator: str, value: Any) -> Sentence:
    """What is wrong with a value, by the keyword of the schema that says so and what it asks for."""
    match validator:
        case "type" | "format":
            known = _TYPES if validator == "type" else _FORMATS
            return known[value]() if isinstance(value, str) and value in known else _INVALID()
        case "const":
            return _CONST(value=_said(value))
        case "enum":
            return _WORDS["enum"](values=", ".join(str(english(_said(each))) for each in value))
        case "minLength" if value == 1:
            return _REQUIRED()
        case "maxLength":
            return _AT_MOST(most=Counted(value))
        case "minItems" | "maxItems" if value == 1:
            return _ENTRIES[validator == "maxItems"]()
        case "minLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties":
            return _WORDS[validator](value=Counted(value))
    phrase = _WORDS.get(validator, _INVALID)
    return phrase(value=said_number(value)) if phrase.amounts else phrase()


def field_errors(error: ValidationError) -> Iterator[FieldError]:
    """`error` as errors of fields; what is required and missing is the missing field's error."""
    path = tuple(error.absolute_path)
    if (
        error.validator == "pattern"
        and isinstance(error.instance, str)
        and len(error.instance) > longest(str(error.validator_value))
    ):
        yield FieldError(path, _AT_MOST(most=Counted(longest(str(error.validator_value)))))
    elif error.validator == "required" and isinstance(error.instance, dict):
        for name in cast("list[str]", error.validator_value):
            if name not in error.instance:
                yield FieldError((*path, name), _REQUIRED())
    else:
        yield FieldError(path, wrong(str(error.validator), error.validator_value))
