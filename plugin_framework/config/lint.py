"""Refuses schemas that the form cannot show, that could hang the server, or that fetch something from elsewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError as JsonSchemaError

from plugin_framework.config.errors import SchemaError
from plugin_framework.config.patterns import is_risky

MAX_BYTES = 64 * 1024
MAX_DEPTH = 16
_EVERYWHERE = {
    "type", "title", "description", "default", "enum", "const", "examples", "readOnly", "writeOnly", "deprecated", "$comment",
    "x-order", "x-group", "x-placeholder", "x-multiline", "x-enum-labels", "x-bound-to", "x-show-if",
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
        "$defs",
    },
    "array": {"items", "minItems", "maxItems", "uniqueItems"},
    "string": {"minLength", "maxLength", "pattern", "format"},
    "integer": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"},
    "number": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"},
    "boolean": set(),
}
_FORMATS = {"email", "uri", "date", "time", "date-time", "password", "hostname", "ipv4", "ipv6", "uuid"}
type Node = Mapping[str, Any]


def resolved(schema: Node) -> dict[str, Any]:
    """`schema` with its local references put in place; everything else about it checked by the functions below.

    Raises:
        SchemaError: too large, too deep, cyclic, or referring to anything but its own ``$defs``.
    """
    try:
        text = json.dumps(schema)
    except (TypeError, ValueError, RecursionError) as error:
        raise SchemaError("", f"is not JSON: {error}") from error
    if len(text) > MAX_BYTES:
        raise SchemaError("", f"is larger than {MAX_BYTES} bytes")
    whole = json.loads(text)
    if not isinstance(whole, dict):
        raise SchemaError("", "must be an object")
    flat = _inline(whole, whole.get("$defs", {}), "", ())
    flat.pop("$defs", None)
    return flat  # type: ignore[no-any-return]  # JSON


def _inline(node: Any, defs: Node, path: str, seen: tuple[str, ...]) -> Any:
    if path.count("/") > 3 * MAX_DEPTH:
        raise SchemaError(path, f"is nested deeper than {MAX_DEPTH}")
    if isinstance(node, list):
        return [_inline(each, defs, f"{path}/{index}", seen) for index, each in enumerate(node)]
    if not isinstance(node, dict):
        return node
    if "$ref" in node or "$dynamicRef" in node:
        name = str(node.get("$ref", "")).removeprefix("#/$defs/")
        if node.get("$ref") != f"#/$defs/{name}" or name not in defs:
            raise SchemaError(
                path, f"refers to {node.get('$ref')!r}; only '#/$defs/NAME' of the same schema can be referred to"
            )
        if name in seen:
            raise SchemaError(path, f"refers to itself through {name!r}")
        rest = {key: value for key, value in node.items() if key != "$ref"}
        return {**_inline(defs[name], defs, path, (*seen, name)), **_inline(rest, defs, path, seen)}
    return {
        key: value if key == "$defs" else _inline(value, defs, f"{path}/{key}", seen) for key, value in node.items()
    }


def check(schema: Node) -> None:
    """Refuse what the settings form does not support.

    Raises:
        SchemaError: naming the path and the fault.
    """
    try:
        Draft202012Validator.check_schema(schema)
    except JsonSchemaError as error:
        raise SchemaError("/".join(map(str, error.absolute_path)), error.message) from error
    if schema.get("type") != "object":
        raise SchemaError("", "must have the type 'object'")
    _check_node(schema, "", 1)
    for path, node in properties(schema, ()):
        _check_secret(schema, path, node)


def _check_node(node: Node, path: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise SchemaError(path, f"is nested deeper than {MAX_DEPTH}")
    kind = _kind(node, path)
    if strange := set(node) - _EVERYWHERE - _BY_TYPE[kind]:
        raise SchemaError(path, f"{', '.join(sorted(strange))}: not supported for the type {kind!r}")
    if kind == "object":
        for name, inner in node.get("properties", {}).items():
            _check_node(inner, f"{path}/{name}", depth + 1)
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
    if kind not in _BY_TYPE:
        raise SchemaError(path, f"must have one type of {', '.join(_BY_TYPE)}, not {kind!r}")
    return str(kind)


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
    try:
        re.compile(pattern)
    except re.error as error:
        raise SchemaError(path, f"the pattern {pattern!r} is not a regular expression: {error}") from error
    if is_risky(pattern):
        raise SchemaError(
            path, f"the pattern {pattern!r} could take forever on some texts; avoid repeats inside repeats"
        )


def _check_default(node: Node, path: str) -> None:
    if "default" in node and (error := next(Draft202012Validator(node).iter_errors(node["default"]), None)):
        raise SchemaError(path, f"its default does not fit itself: {error.message}")


def _check_secret(schema: Node, path: tuple[str, ...], node: Node) -> None:
    bound = node.get("x-bound-to")
    where = "/" + "/".join(path)
    if bound is not None and not node.get("writeOnly"):
        raise SchemaError(where, "x-bound-to belongs to a secret (writeOnly: true)")
    if node.get("writeOnly") and (_kind(node, where) != "string" or "default" in node):
        raise SchemaError(where, "a secret is a string without a default")
    known = {".".join(each) for each, _ in properties(schema, ())}
    if unknown := set(bound or ()) - known:
        raise SchemaError(where, f"is bound to {', '.join(sorted(unknown))}, which the schema does not have")


def properties(node: Node, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Node]]:
    """All properties of nested objects, with their paths; not those inside arrays."""
    for name, inner in node.get("properties", {}).items():
        yield (*path, name), inner
        yield from properties(inner, (*path, name))
