"""Refuses schemas that the form cannot show, that could hang the server, or that fetch something from elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.utils.text import Truncator
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError as JsonSchemaError
from referencing import Registry

from plugin_framework.config import conditions, faults
from plugin_framework.config.errors import SchemaError
from plugin_framework.config.formats import FORMATS
from plugin_framework.config.keywords import VALIDATOR
from plugin_framework.config.limits import MAX_KEY, problem_with, text_problem
from plugin_framework.config.messages import wrong
from plugin_framework.config.patterns import is_risky, longest
from plugin_framework.sdk._counts import Counted

MAX_DEPTH = 16
_QUOTED = 60  # characters of what is wrong in a schema
USUAL_LENGTH = 200  # characters that a pattern must be quick on, if maxLength does not say
_EVERYWHERE = {
    "type", "title", "description", "default", "enum", "const", "examples", "readOnly", "writeOnly", "deprecated", "$comment",
    "x-order", "x-group", "x-placeholder", "x-multiline", "x-enum-labels", "x-bound-to", conditions.KEYWORD,
}  # fmt: skip
_BY_TYPE = {
    "object": {
        "properties",
        "required",
        "additionalProperties",
        "minProperties",
        "maxProperties",
        "$schema",
        "$id",
    },
    "array": {"items", "minItems", "maxItems", "uniqueItems"},
    "string": {"minLength", "maxLength", "pattern", "format"},
    "integer": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"},
    "number": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"},
    "boolean": set(),
}
_FORMATS = {"email", "uri", "date", "time", "date-time", "password", "hostname", "ipv4", "ipv6", "uuid"}
_HINTS: dict[str, tuple[type, ...]] = {
    "x-order": (int, float),
    "x-group": (str,),
    "x-placeholder": (str,),
    "x-multiline": (bool,),
    "x-enum-labels": (dict,),
    "x-bound-to": (list,),
}

_TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
}
type Node = Mapping[str, Any]


def check(schema: Node) -> None:
    """Refuse what the settings form does not support.

    Raises:
        SchemaError: naming the path and the fault.
    """
    try:
        Draft202012Validator.check_schema(schema)
    except JsonSchemaError as error:
        problem = wrong(str(error.validator), error.validator_value)
        words = faults.NOT_ALLOWED(value=_short(error.instance), problem=problem)
        raise SchemaError("/".join(map(str, error.absolute_path)), words) from error
    except (OverflowError, RecursionError) as error:
        raise SchemaError("", faults.BAD_PATTERN(error=error)) from error
    if schema.get("type") != "object":
        raise SchemaError("", faults.NOT_THE_TYPE_OBJECT())
    if schema.get("writeOnly"):
        raise SchemaError("", faults.SECRET_AS_A_WHOLE())
    if conditions.KEYWORD in schema:
        raise SchemaError("", faults.CONDITION_OF_THE_WHOLE())
    _check_node(schema, "", 1)
    for path, node in properties(schema, ()):
        _check_secret(schema, path, node)


def _check_node(node: Node, path: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise SchemaError(path, faults.DEEP(most=MAX_DEPTH))
    kind = _kind(node, path)
    if strange := set(node) - _EVERYWHERE - _BY_TYPE[kind]:
        raise SchemaError(path, faults.NOT_SUPPORTED(keywords=", ".join(sorted(strange)), type=repr(kind)))
    _check_hints(node, path)
    _check_choices(node, path, kind)
    if kind == "object":
        _check_names(node, path)
        for name, inner in node.get("properties", {}).items():
            _check_node(inner, f"{path}/{name}", depth + 1)
        conditions.check(node, path)
    elif kind == "array":
        _check_items(node, path, depth)
    elif kind == "string":
        _check_string(node, path)
    _check_default(node, path)


def _kind(node: Any, path: str) -> str:
    kind = node.get("type") if isinstance(node, Mapping) else None
    if (
        kind is None
        and isinstance(node, Mapping)
        and "enum" in node
        and all(isinstance(each, str) for each in node["enum"])
    ):
        return "string"
    if not isinstance(kind, str) or kind not in _BY_TYPE:
        raise SchemaError(path, faults.NO_TYPE(types=", ".join(_BY_TYPE), value=repr(kind)))
    return kind


def _check_items(node: Node, path: str, depth: int) -> None:
    items = node.get("items")
    if items is None:
        raise SchemaError(path, faults.NO_ITEMS())
    kind = _kind(items, f"{path}/items")
    if kind == "array" or (
        kind == "object"
        and any(_kind(each, path) in {"object", "array"} for each in items.get("properties", {}).values())
    ):
        raise SchemaError(f"{path}/items", faults.NESTED_LIST())
    if kind == "object" and not items.get("properties"):
        raise SchemaError(f"{path}/items", faults.NO_FIELDS())
    if conditions.KEYWORD in items:
        raise SchemaError(f"{path}/items", faults.CONDITION_OF_AN_ENTRY())
    if any(each.get("writeOnly") for each in [items, *items.get("properties", {}).values()]):
        raise SchemaError(f"{path}/items", faults.SECRET_IN_A_LIST())
    if node.get("uniqueItems") and "maxItems" not in node:
        raise SchemaError(path, faults.UNIQUE_WITHOUT_A_LIMIT())
    _check_node(items, f"{path}/items", depth + 1)


def _check_string(node: Node, path: str) -> None:
    if node.get("format", "email") not in _FORMATS:
        raise SchemaError(path, faults.FORMAT(format=repr(node["format"]), formats=", ".join(sorted(_FORMATS))))
    pattern = node.get("pattern")
    if pattern is None:
        return
    if is_risky(pattern):
        raise SchemaError(path, faults.RISKY(pattern=repr(pattern)))
    if longest(pattern) < (length := node.get("maxLength", USUAL_LENGTH)):
        raise SchemaError(path, faults.SLOW(pattern=repr(pattern), length=Counted(length)))


def _check_names(node: Node, path: str) -> None:
    if not isinstance(node.get("additionalProperties", True), bool):
        raise SchemaError(path, faults.UNKNOWN_FIELDS())
    for name in node.get("properties", {}):
        # A dot separates the names of nested fields, in errors, in x-bound-to and where secrets are sealed.
        if not name.strip() or "." in name or len(name) > MAX_KEY or text_problem(name) or not name.isprintable():
            raise SchemaError(path, faults.NAME(name=repr(name), most=Counted(MAX_KEY)))
    if unknown := set(node.get("required", ())) - set(node.get("properties", {})):
        raise SchemaError(path, faults.REQUIRES(names=", ".join(sorted(unknown))))


def _check_hints(node: Node, path: str) -> None:
    for name, types in _HINTS.items():
        if name in node and (not isinstance(node[name], types) or (isinstance(node[name], bool) and bool not in types)):
            raise SchemaError(path, faults.HINTS[types[0]](name=name))
    if not all(isinstance(each, str) for each in node.get("x-enum-labels", {}).values()):
        raise SchemaError(path, faults.LABELS())
    if not all(isinstance(each, str) for each in node.get("x-bound-to", ())):
        raise SchemaError(path, faults.BOUND_NAMES())


def _check_choices(node: Node, path: str, kind: str) -> None:
    if "enum" not in node:
        return
    if kind in {"object", "array"}:
        raise SchemaError(path, faults.NO_CHOICE(type=repr(kind)))
    if not node["enum"] or not all(map(_TYPES[kind], node["enum"])):
        raise SchemaError(path, faults.NO_CHOICES(type=repr(kind)))


def _check_default(node: Node, path: str) -> None:
    if "default" not in node:
        return
    if problem := problem_with({"default": node["default"]}):
        raise SchemaError(path, faults.BAD_DEFAULT(problem=problem))
    if error := next(VALIDATOR(node, registry=Registry(), format_checker=FORMATS).iter_errors(node["default"]), None):
        raise SchemaError(path, faults.UNFIT_DEFAULT(error=wrong(str(error.validator), error.validator_value)))


def _short(value: Any) -> str:
    """`value` as JSON, for a sentence."""
    return Truncator(json.dumps(value, ensure_ascii=False, default=str)).chars(_QUOTED)


def _check_secret(schema: Node, path: tuple[str, ...], node: Node) -> None:
    bound = node.get("x-bound-to")
    where = "/" + "/".join(path)
    if bound is not None and not node.get("writeOnly"):
        raise SchemaError(where, faults.BOUND_WITHOUT_A_SECRET())
    if node.get("writeOnly") and (_kind(node, where) != "string" or "default" in node):
        raise SchemaError(where, faults.SECRET())
    known = {".".join(each) for each, inner in properties(schema, ()) if not inner.get("writeOnly")}
    if unknown := set(bound or ()) - known:
        raise SchemaError(where, faults.BOUND_TO_NOTHING(names=", ".join(sorted(unknown))))


def properties(node: Node, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Node]]:
    """All properties of nested objects, with their paths; not those inside arrays."""
    for name, inner in node.get("properties", {}).items():
        yield (*path, name), inner
        yield from properties(inner, (*path, name))
