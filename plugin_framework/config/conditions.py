"""`x-show-if`: a field that applies only while fields beside it have certain values.

    "mode": {"enum": ["daily", "weekly"]},
    "day": {"type": "integer", "x-show-if": {"mode": "weekly"}},

All of its conditions must hold; a list of values means one of them. The form hides what does not apply, and nothing else changes:
it is stored, and validated, as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from plugin_framework.config import faults
from plugin_framework.config.errors import SchemaError

KEYWORD = "x-show-if"
type Node = Mapping[str, Any]


def conditions(node: Node) -> dict[str, list[Any]]:
    """What must be said by which fields beside `node` for it to apply: values by name, empty if it always does."""
    return {name: wanted if isinstance(wanted, list) else [wanted] for name, wanted in node.get(KEYWORD, {}).items()}


def check(parent: Node, path: str) -> None:
    """Refuse conditions on the fields of `parent` that could not be told, or that could never hold.

    Raises:
        SchemaError: naming the field and the fault.
    """
    fields = parent.get("properties", {})
    for name, node in fields.items():
        where = f"{path}/{name}"
        if KEYWORD not in node:
            continue
        if not isinstance(node[KEYWORD], dict) or not node[KEYWORD]:
            raise SchemaError(where, faults.CONDITION())
        if name in parent.get("required", ()) and "default" not in node:
            raise SchemaError(where, faults.REQUIRED_AND_CONDITIONAL())
        for other, wanted in conditions(node).items():
            _check_one(fields, other, wanted, where)
    try:
        TopologicalSorter({name: conditions(node) for name, node in fields.items()}).prepare()
    except CycleError as error:
        names = ", ".join(error.args[1][:-1])
        raise SchemaError(path, faults.WAIT_FOR_EACH_OTHER(names=names)) from error


def _check_one(fields: Node, other: str, wanted: list[Any], where: str) -> None:
    if other not in fields:
        raise SchemaError(where, faults.NO_FIELD_BESIDE(name=repr(other)))
    node = fields[other]
    choices = [True, False] if node.get("type") == "boolean" else node.get("enum", [])
    if not choices or node.get("writeOnly"):
        raise SchemaError(where, faults.NO_KNOWN_VALUES(name=repr(other)))
    if strange := [each for each in wanted if not any(same(each, choice) for choice in choices)]:
        raise SchemaError(where, faults.NEVER(name=repr(other), values=", ".join(map(repr, strange))))
    if not wanted or (node.get("type") == "boolean" and len(wanted) > 1):
        raise SchemaError(where, faults.WHICH_VALUES(name=repr(other)))


def same(one: Any, other: Any) -> bool:
    """Whether two values are one in JSON: 1 is 1.0, and not true."""
    return one == other and isinstance(one, bool) is isinstance(other, bool)
