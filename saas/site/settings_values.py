"""Puts values of settings into the texts that a page can carry, and texts that somebody typed back into values."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any, Final

from django.utils.formats import get_format, number_format
from django.utils.translation import gettext as _

from plugin_framework.config.limits import MAX_INTEGER, text_problem

MISSING: Final = object()  # not there at all, which is not the same as null, "" or []
_INTEGER = re.compile(r"[+-]?[0-9]+")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]{1,6})?", re.IGNORECASE)
_MAX_DIGITS = 400  # more than any number that fits; int() itself refuses thousands
_TWO_MEANINGS = re.compile(
    r"[+-]?[1-9][0-9]{0,2}\.[0-9]{3}"
)  # where a comma is the decimal mark, but a point is taken too
_NOT_FOR_PAGES = re.compile("[\x00\ud800-\udfff]")


class Wrong(ValueError):
    """What somebody typed is no value of the field's kind; the text tells them."""


def one_line_endings(text: str) -> str:
    """`text` with every line ending as a line feed: browsers send their own."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def showable(text: str) -> str:
    """`text` as it can be written into a page: what no encoding can carry is shown as a replacement character."""
    return _NOT_FOR_PAGES.sub("\ufffd", text)


def short(text: str, most: int = 40) -> str:
    """`text` if it is one short line, else nothing."""
    return text if len(text) <= most and "\n" not in text else ""


def text_of(value: Any) -> str:
    """`value` as a form shows it; "" if there is none."""
    if value is MISSING or value is None:
        return ""
    return one_line_endings(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def shown(value: Any) -> str:
    """`value` as people read it: a number with the decimal mark of their language, as they type it; anything else as a form shows it."""
    return number_format(value) if isinstance(value, float) and math.isfinite(value) else text_of(value)


def fits(value: Any, kind: str) -> bool:
    """Whether `value` is of the JSON Schema type `kind`."""
    if kind in {"integer", "number"}:
        return (
            isinstance(value, int | float) and not isinstance(value, bool) and (kind == "number" or value == value // 1)
        )
    expected: dict[str, type] = {"string": str, "boolean": bool, "array": list, "object": Mapping}
    return isinstance(value, expected[kind])


def checked_text(text: str) -> str:
    """`text`, if it can be stored.

    Raises:
        Wrong: it cannot.
    """
    if problem := text_problem(text):
        raise Wrong(str(problem))
    return text


def integer(text: str) -> int:
    """The whole number that `text` says; its thousands may be set apart as the reader's language does it.

    Raises:
        Wrong: it says none, or one that is too large.
    """
    text = _joined(text)
    if not _INTEGER.fullmatch(text):
        raise Wrong(_("Must be a whole number."))
    if len(text) > _MAX_DIGITS or abs(int(text)) > MAX_INTEGER:
        raise Wrong(_("Is too large a number."))
    return int(text)


def number(text: str) -> int | float:
    """The number that `text` says, with the marks of the reader's language or those of JSON.

    Raises:
        Wrong: it says none, one that is too large, or it could be read in two ways.
    """
    mark = get_format("DECIMAL_SEPARATOR")
    if mark != "." and _TWO_MEANINGS.fullmatch(text):
        values = {"one": text.replace(".", ""), "other": text.replace(".", mark)}
        raise Wrong(_("Can be read in two ways. Write %(one)s or %(other)s.") % values)
    whole, found, decimals = text.partition(mark)
    text = f"{_joined(whole)}.{decimals}" if found else _joined(whole)
    if _INTEGER.fullmatch(text):
        return integer(text)
    if not _NUMBER.fullmatch(text):
        raise Wrong(_("Must be a number, like 7 or 1.5."))
    value = float(text)
    if not math.isfinite(value):
        raise Wrong(_("Is too large a number."))
    return value


def _joined(text: str) -> str:
    """`text` without the marks between its thousands, if they stand where they should."""
    mark = get_format("THOUSAND_SEPARATOR")
    grouped = re.fullmatch(rf"[+-]?[1-9][0-9]{{0,2}}({re.escape(mark)}[0-9]{{3}})+", text)
    return text.replace(mark, "") if grouped else text


def json_value(text: str, kind: str) -> Any:
    """What the JSON `text` says, if it is of the type `kind`.

    Raises:
        Wrong: it is no JSON, says a key twice, or is of another type.
    """
    try:
        value = json.loads(checked_text(text), object_pairs_hook=_object, parse_constant=_constant)
    except json.JSONDecodeError as error:
        place = {"line": error.lineno, "column": error.colno}
        raise Wrong(_("Is not valid JSON: look at line %(line)d, column %(column)d.") % place) from error
    except RecursionError as error:
        raise Wrong(_("Is nested too deeply.")) from error
    except Wrong:
        raise
    except ValueError as error:  # an integer of more digits than Python reads
        raise Wrong(_("Is too large a number.")) from error
    if not fits(value, kind):
        raise Wrong(_("Must be a JSON object, like {}.") if kind == "object" else _("Must be a JSON list, like []."))
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise Wrong(_("Has the key “%(key)s” twice.") % {"key": showable(key)})
        found[key] = value
    return found


def _constant(name: str) -> Any:
    raise Wrong(_("Holds %(name)s, which is not JSON.") % {"name": name})
