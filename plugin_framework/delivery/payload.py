"""An event's arguments as JSON and back: values by value, saved model instances as references that the worker loads again.

A tagged value is an object with one key that begins with ``$``; keys of dictionaries that begin so get one more.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.apps import apps
from django.core.exceptions import ObjectDoesNotExist
from django.db import ProgrammingError, models
from django.utils.functional import Promise
from psycopg.errors import UndefinedTable

from plugin_framework.sdk import DeadLetter, ErrorReport, PluginError
from plugin_framework.sdk._words import Phrase

MAX_BYTES = 256 * 1024
MAX_DEPTH = 32
_UNSAVED = "$unsaved"  # tags the model's name of a row that is in no table

_GONE = Phrase("The event is about %(what)s, which does not exist any more.")
_NO_TABLE = Phrase("The event is about a %(what)s, and its table was removed from this organisation.")
_NOT_INSTALLED = Phrase("The event is about a %(what)s, and what defines that is not installed here.")
_UNKNOWN = Phrase("The event carries a %(what)s, which this version does not know. Update this worker.")


class MissingRow(DeadLetter):
    """A row that the event referred to does not exist any more, so there is nothing to deliver."""


class NotKnownHere(PluginError):
    """What wrote the event knows something that this version of the code does not; another process, or a later attempt, may."""


class PayloadTooLarge(TypeError):
    """The event's arguments are too large to be kept. Pass the row, or its key, and let the handler read what it needs."""


def freeze(args: Sequence[object], names: Sequence[str] = (), *, made_up: bool = False) -> list[Any]:
    """`args` of an event as JSON values.

    Args:
        names: of the arguments, for the error texts.
        made_up: they are a sample's, in which rows that were never saved are kept whole.

    Raises:
        TypeError: an argument cannot be kept; the text names it, and says what can.
        PayloadTooLarge: more than MAX_BYTES as JSON.
    """
    args = [_made_up(arg) for arg in args] if made_up else args
    frozen = [_freeze(arg, names[i] if i < len(names) else f"argument {i + 1}", 0) for i, arg in enumerate(args)]
    size = len(json.dumps(frozen, ensure_ascii=False).encode())
    if size > MAX_BYTES:
        raise PayloadTooLarge(f"{PayloadTooLarge.__doc__} ({size:,} bytes; the limit is {MAX_BYTES:,}.)")
    return frozen


def thaw(payload: Sequence[Any]) -> tuple[Any, ...]:
    """The arguments that `freeze` kept. Model instances are read from the database now, in the current tenant.

    Raises:
        MissingRow: a referred row or its table is gone. NotKnownHere: this process does not know the model, or the kind of value.
    """
    return tuple(_thaw(value) for value in payload)


def _freeze(value: object, where: str, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise TypeError(f"{where} is nested more than {MAX_DEPTH} deep, or contains itself.")
    match value:
        case None | bool():
            return value
        case str() | Promise():
            return _text(str.__str__(value) if isinstance(value, str) else str(value), where)
        case int():
            return int(value)
        case float():
            if not math.isfinite(value):
                raise TypeError(f"{where} is {value}, which JSON has no word for.")
            return float(value)
        case models.Model():
            return _reference(value, where)
        case _MadeUp():
            return {_UNSAVED: value.label, "values": _freeze(value.values, where, depth + 1)}
        case dict():
            return {_key(key, where): _freeze(item, f"{where}[{key!r}]", depth + 1) for key, item in value.items()}
        case list():
            return [_freeze(item, f"{where}[{i}]", depth + 1) for i, item in enumerate(value)]
        case tuple():
            return {"$tuple": [_freeze(item, f"{where}[{i}]", depth + 1) for i, item in enumerate(value)]}
    for tag, (kind, to_json, _) in _TAGS.items():
        if isinstance(value, kind):
            return {tag: to_json(value)}
    raise TypeError(
        f"{where} is a {type(value).__name__}, which an event cannot carry. Pass saved model instances, text, numbers, dates, "
        "decimals, UUIDs, bytes, or lists and dictionaries of these."
    )


@dataclass(frozen=True, slots=True)
class _MadeUp:
    """A row of a sample that was never saved."""

    label: str
    values: dict[str, Any]


def _made_up(value: object) -> object:
    """`value`, or what is kept of a row that is in no table. Only on its own: nobody needs a list of them in a sample."""
    if not isinstance(value, models.Model) or not value._state.adding:
        return value
    values = {field.attname: getattr(value, field.attname) for field in value._meta.concrete_fields}
    return _MadeUp(value._meta.label, values)


def _reference(instance: models.Model, where: str) -> dict[str, Any]:
    if instance.pk is None or instance._state.adding:
        raise TypeError(f"{where} is an unsaved {instance._meta.label}; save it before the event is emitted.")
    return {"$model": instance._meta.label, "pk": _freeze(instance.pk, f"{where}.pk", 1)}


def _text(value: str, where: str) -> str:
    if "\x00" in value or (not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value)):
        raise TypeError(
            f"{where} contains a character that PostgreSQL cannot store (NUL, or half of a surrogate pair)."
        )
    return value


def _key(key: object, where: str) -> str:
    if not isinstance(key, str):
        raise TypeError(f"{where} has the key {key!r}; the keys of an event's dictionaries must be text.")
    return _text(f"${key}" if key.startswith("$") else str(key), where)


def _thaw(value: Any) -> Any:
    if isinstance(value, list):
        return [_thaw(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "$model" in value:
        return _load(value["$model"], _thaw(value["pk"]))
    if _UNSAVED in value:
        return _model(value[_UNSAVED])(**_thaw(value["values"]))
    if "$tuple" in value:
        return tuple(_thaw(item) for item in value["$tuple"])
    for tag, (_, _, from_json) in _TAGS.items():
        if tag in value:
            return from_json(value[tag])
    if strange := [key for key in value if key.startswith("$") and not key.startswith("$$")]:
        raise NotKnownHere(_UNKNOWN(what=strange[0][1:]).english)
    return {key[1:] if key.startswith("$") else key: _thaw(item) for key, item in value.items()}


def _load(label: str, pk: Any) -> models.Model:
    """The row as it is now. Through the base manager: a default manager may hide rows that the event was about."""
    try:
        found: models.Model = _model(label)._base_manager.get(pk=pk)
    except ObjectDoesNotExist:
        raise MissingRow(_GONE(what=f"{label} {pk}").english) from None
    except ProgrammingError as error:
        if isinstance(error.__cause__, UndefinedTable):
            raise MissingRow(_NO_TABLE(what=label).english) from None
        raise
    return found


def _model(label: str) -> type[models.Model]:
    try:
        return apps.get_model(label)
    except LookupError:
        raise NotKnownHere(_NOT_INSTALLED(what=label).english) from None


def _report(kept: dict[str, Any]) -> ErrorReport:
    """Tolerant of fields that came or went between the version that wrote it and this one."""
    return ErrorReport(**{each.name: str(kept.get(each.name, "")) for each in fields(ErrorReport)})


# In this order: a datetime is a date too.
_TAGS: dict[str, tuple[type, Callable[[Any], Any], Callable[[Any], Any]]] = {
    "$datetime": (datetime, datetime.isoformat, datetime.fromisoformat),
    "$date": (date, date.isoformat, date.fromisoformat),
    "$time": (time, time.isoformat, time.fromisoformat),
    "$timedelta": (timedelta, lambda each: [each.days, each.seconds, each.microseconds], lambda kept: timedelta(*kept)),
    "$decimal": (Decimal, str, Decimal),
    "$uuid": (UUID, str, UUID),
    "$bytes": (bytes, lambda each: base64.b64encode(each).decode(), base64.b64decode),
    "$error": (ErrorReport, asdict, _report),
}
