"""Puts what a schema refers to in its place, as far as that is its own; nothing is ever fetched."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from plugin_framework.config import faults
from plugin_framework.config.errors import SchemaError
from plugin_framework.sdk._counts import Counted

MAX_BYTES = 64 * 1024
MAX_NODES = 2000
type Node = Mapping[str, Any]


def resolved(schema: Node) -> dict[str, Any]:
    """`schema` with its local references put in place; everything else about it checked by `check`.

    Raises:
        SchemaError: too large, too deep, cyclic, or referring to anything but its own ``$defs``.
    """
    try:
        text = json.dumps(schema, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise SchemaError("", faults.NOT_JSON(error=error)) from error
    if len(text) > MAX_BYTES:
        raise SchemaError("", faults.LARGE(most=Counted(MAX_BYTES)))
    whole = json.loads(text)
    if not isinstance(whole, dict):
        raise SchemaError("", faults.NO_OBJECT())
    defs = whole.pop("$defs", {})
    if not isinstance(defs, dict):
        raise SchemaError("$defs", faults.NO_OBJECT())
    flat: dict[str, Any] = _Inliner(defs).inline(whole, "", ())
    return flat


class _Inliner:
    """Puts what is referred to in its place; counts, because few references to references can grow without bound."""

    def __init__(self, defs: Node) -> None:
        self._defs, self._nodes = defs, 0

    def inline(self, node: Any, path: str, seen: tuple[str, ...]) -> Any:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise SchemaError(path, faults.MANY_FIELDS(most=Counted(MAX_NODES)))
        if not isinstance(node, dict):
            return node
        if "$ref" in node or "$dynamicRef" in node:
            return self._referred(node, path, seen)
        found = dict(node)
        if isinstance(properties := node.get("properties"), dict):
            found["properties"] = {
                name: self.inline(inner, f"{path}/{name}", seen) for name, inner in properties.items()
            }
        if "items" in node:
            found["items"] = self.inline(node["items"], f"{path}/items", seen)
        if node.get("format") == "password":
            found["writeOnly"] = True  # whoever says password means a secret
        return found

    def _referred(self, node: Node, path: str, seen: tuple[str, ...]) -> Any:
        name = str(node.get("$ref", "")).removeprefix("#/$defs/")
        if node.get("$ref") != f"#/$defs/{name}" or name not in self._defs:
            raise SchemaError(path, faults.STRANGE_REFERENCE(value=repr(node.get("$ref"))))
        if name in seen:
            raise SchemaError(path, faults.ENDLESS(name=repr(name)))
        rest = {key: value for key, value in node.items() if key != "$ref"}
        target = self.inline(self._defs[name], path, (*seen, name))
        if not isinstance(target, dict):
            raise SchemaError(path, faults.REFERENCE_TO_NO_OBJECT(name=repr(name)))
        return {**target, **self.inline(rest, path, seen)}
