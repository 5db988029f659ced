"""Refuses schemas that the form cannot show, that could hang the server, or that fetch something from elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError as JsonSchemaError
from referencing import Registry

from plugin_framework.config import conditions
from plugin_framework.config.errors import SchemaError
from plugin_framework.config.formats import FORMATS
from plugin_framework.config.keywords import VALIDATOR
from plugin_framework.config.limits import MAX_KEY, problem_with, text_problem
from plugin_framework.config.patterns import is_risky, longest

MAX_DEPTH = 16
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
_JSON_NAMES = {
    int: "a number",
    float: "a number",
    str: "a text",
    bool: "true or false",
    dict: "an object",
    list: "a list",
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
        raise SchemaError("/".join(map(str, error.absolute_path)), error.message) from error
    except (OverflowError, RecursionError) as error:
        raise SchemaError("", f"has a pattern that cannot be read: {error}") from error
    if schema.get("type") != "object":
        raise SchemaError("", "must have the type 'object'")
    if schema.get("writeOnly"):
        raise SchemaError("", "is not a secret as a whole; say writeOnly at the fields that are")
    if conditions.KEYWORD in schema:
        raise SchemaError("", f"{conditions.KEYWORD} belongs to a field: there is nothing beside the whole")
    _check_node(schema, "", 1)
    for path, node in properties(schema, ()):
        _check_secret(schema, path, node)


def _check_node(node: Node, path: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise SchemaError(path, f"is nested deeper than {MAX_DEPTH}")
    kind = _kind(node, path)
    if strange := set(node) - _EVERYWHERE - _BY_TYPE[kind]:
        raise SchemaError(path, f"{', '.join(sorted(strange))}: not supported for the type {kind!r}")
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
        raise SchemaError(path, f"must have one type of {', '.join(_BY_TYPE)}, not {kind!r}")
    return kind


def _check_items(node: Node, path: str, depth: int) -> None:
    items = node.get("items")
    if items is None:
        raise SchemaError(path, "must say what its 'items' are")
    kind = _kind(items, f"{path}/items")
    if kind == "array" or (
        kind == "object"
        and any(_kind(each, path) in {"object", "array"} for each in items.get("properties", {}).values())
    ):
        raise SchemaError(f"{path}/items", "an array holds single values, or objects of single values")
    if kind == "object" and not items.get("properties"):
        raise SchemaError(f"{path}/items", "must have fields of its own: its 'properties'")
    if conditions.KEYWORD in items:
        raise SchemaError(f"{path}/items", f"{conditions.KEYWORD} belongs to the list, or to a field of its entries")
    if any(each.get("writeOnly") for each in [items, *items.get("properties", {}).values()]):
        raise SchemaError(f"{path}/items", "secrets cannot stand in an array")
    if node.get("uniqueItems") and "maxItems" not in node:
        raise SchemaError(path, "uniqueItems needs maxItems: comparing each with each takes long in a long list")
    _check_node(items, f"{path}/items", depth + 1)


def _check_string(node: Node, path: str) -> None:
    if node.get("format", "email") not in _FORMATS:
        raise SchemaError(path, f"the format {node['format']!r} is not known; use one of {', '.join(sorted(_FORMATS))}")
    pattern = node.get("pattern")
    if pattern is None:
        return
    if is_risky(pattern):
        raise SchemaError(
            path, f"the pattern {pattern!r} could take forever on some texts; avoid repeats inside repeats"
        )
    if longest(pattern) < (length := node.get("maxLength", USUAL_LENGTH)):
        raise SchemaError(
            path,
            f"the pattern {pattern!r} could take very long on texts of {length} characters; lower maxLength, "
            "start it with ^, or make its repeats take different characters",
        )


def _check_names(node: Node, path: str) -> None:
    if not isinstance(node.get("additionalProperties", True), bool):
        raise SchemaError(
            path, "additionalProperties must be true or false: the form cannot show fields without a name"
        )
    for name in node.get("properties", {}):
        # A dot separates the names of nested fields, in errors, in x-bound-to and where secrets are sealed.
        if not name.strip() or "." in name or len(name) > MAX_KEY or text_problem(name) or not name.isprintable():
            raise SchemaError(
                path, f"the field name {name!r} is not usable: 1 to {MAX_KEY} printable characters, no dots"
            )
    if unknown := set(node.get("required", ())) - set(node.get("properties", {})):
        raise SchemaError(path, f"requires {', '.join(sorted(unknown))}, which it does not have")


def _check_hints(node: Node, path: str) -> None:
    for name, types in _HINTS.items():
        if name in node and (not isinstance(node[name], types) or (isinstance(node[name], bool) and bool not in types)):
            raise SchemaError(path, f"{name} must be {_JSON_NAMES[types[0]]}")
    if not all(isinstance(each, str) for each in node.get("x-enum-labels", {}).values()):
        raise SchemaError(path, "x-enum-labels must name each choice with a text")
    if not all(isinstance(each, str) for each in node.get("x-bound-to", ())):
        raise SchemaError(path, "x-bound-to must list names of fields")


def _check_choices(node: Node, path: str, kind: str) -> None:
    if "enum" not in node:
        return
    if kind in {"object", "array"}:
        raise SchemaError(path, f"cannot choose among values of the type {kind!r}")
    if not node["enum"] or not all(map(_TYPES[kind], node["enum"])):
        raise SchemaError(path, f"must offer one or more choices in its enum, all of the type {kind!r}")


def _check_default(node: Node, path: str) -> None:
    if "default" not in node:
        return
    if problem := problem_with({"default": node["default"]}):
        raise SchemaError(path, f"its default cannot be stored: {problem}")
    if error := next(VALIDATOR(node, registry=Registry(), format_checker=FORMATS).iter_errors(node["default"]), None):
        raise SchemaError(path, f"its default does not fit itself: {error.message}")


def _check_secret(schema: Node, path: tuple[str, ...], node: Node) -> None:
    bound = node.get("x-bound-to")
    where = "/" + "/".join(path)
    if bound is not None and not node.get("writeOnly"):
        raise SchemaError(where, "x-bound-to belongs to a secret (writeOnly: true)")
    if node.get("writeOnly") and (_kind(node, where) != "string" or "default" in node):
        raise SchemaError(where, "a secret is a string without a default")
    known = {".".join(each) for each, inner in properties(schema, ()) if not inner.get("writeOnly")}
    if unknown := set(bound or ()) - known:
        raise SchemaError(
            where, f"is bound to {', '.join(sorted(unknown))}, which the schema does not have, or which is a secret"
        )


def properties(node: Node, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Node]]:
    """All properties of nested objects, with their paths; not those inside arrays."""
    for name, inner in node.get("properties", {}).items():
        yield (*path, name), inner
        yield from properties(inner, (*path, name))
