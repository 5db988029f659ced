"""Schemas and configurations at random, from a number: the same number gives the same pair, in any process."""

from __future__ import annotations

from random import Random
from typing import Any

type Node = dict[str, Any]

TEXTS = [
    "",
    "a",
    "abc",
    "ABC-9",
    "ü",
    "😀😀",
    "a\nb",
    "2026-02-28",
    "2026-02-30",
    "12:30:00",
    "12:30:00Z",
    "25:00",
    "1",
    " ",
]
MORE_TEXTS = [
    "ada@example.com",
    "ada@",
    "https://a.example/x?y",
    "http://",
    "10.0.0.1",
    "10.0.0.256",
    "::1",
    ":::",
    "a.example",
]
IDS = [
    "6f2b1c1e-8a53-4c56-9f0e-3d1f6d1f6d1f",
    "6F2B1C1E8A534C569F0E3D1F6D1F6D1F",
    "2026-02-28T12:30:00Z",
    "2026-02-28T12:30:00",
]
NUMBERS = [0, 1, -1, 2, 5, 7, 10, 100, 2**53, -(2**63), 2**63, 0.0, 1.0, -0.5, 0.1, 0.3, 1.5, 1e300]
PATTERNS = ["^[a-z]+$", "^[A-Z]{1,3}-[0-9]$", "b|9", "C", "^$", "^.$"]
FORMATS = ["email", "uri", "date", "time", "date-time", "hostname", "ipv4", "ipv6", "uuid"]
ANY = [*TEXTS, *MORE_TEXTS, *IDS, *NUMBERS, True, False, None, [], {}, [1], ["a", "a"], {"a": 1}, [True, 1], [1.0, 1]]


def schema(chance: Random) -> Node:
    """An object's schema, within the subset that settings may use."""
    return _object(chance, depth=0)


def configuration(chance: Random, node: Node) -> Any:
    """Something for `node`: mostly of its kind, sometimes of any other."""
    if chance.random() < 0.08:
        return chance.choice(ANY)
    if "enum" in node and chance.random() < 0.8:
        return chance.choice(node["enum"])
    match node["type"]:
        case "object":
            return _configured(chance, node)
        case "array":
            return [configuration(chance, node["items"]) for _ in range(chance.randrange(4))]
        case "string":
            return chance.choice([*TEXTS, *MORE_TEXTS, *IDS])
        case "boolean":
            return chance.random() < 0.5
        case _:
            return chance.choice(NUMBERS)


def _configured(chance: Random, node: Node) -> Node:
    found = {name: configuration(chance, inner) for name, inner in node["properties"].items() if chance.random() < 0.85}
    return found | ({"stranger": chance.choice(ANY)} if chance.random() < 0.2 else {})


def _object(chance: Random, depth: int) -> Node:
    names = chance.sample(["a", "b", "c", "d e", "ü", "$x"], chance.randrange(1, 5))
    inner = _single if depth == 2 else _any
    made: Node = {"type": "object", "properties": {name: inner(chance, depth + 1) for name in names}}
    made["required"] = [name for name in names if chance.random() < 0.4]
    if chance.random() < 0.3:
        made["additionalProperties"] = chance.random() < 0.3
    return _some(chance, made, minProperties=[0, 1, 2], maxProperties=[1, 2, 4])


def _any(chance: Random, depth: int) -> Node:
    kind = chance.random()
    if kind < 0.15:
        return _object(chance, depth)
    if kind < 0.35:
        items = _single(chance, depth) if chance.random() < 0.6 else _object(chance, 2)
        made = _some(chance, {"type": "array", "items": items}, minItems=[0, 1, 2], maxItems=[1, 2, 3])
        return {**made, "uniqueItems": True} if "maxItems" in made and chance.random() < 0.5 else made
    return _single(chance, depth)


def _single(chance: Random, depth: int) -> Node:
    kind = chance.choice(["string", "string", "integer", "number", "boolean", "enum"])
    match kind:
        case "string":
            return _string(chance)
        case "boolean":
            return _default(chance, {"type": "boolean"}, [True, False])
        case "enum":
            of = chance.choice(["string", "integer", "number"])
            kinds = {"string": TEXTS, "integer": [0, 1, 5, -1], "number": [0.5, 1, 1.5, 100]}
            choices: list[Any] = chance.sample(kinds[of], 3)
            return _default(chance, {"type": of, "enum": choices}, choices)
    made = _some(chance, {"type": kind}, minimum=[-1, 0, 1], maximum=[5, 10, 2**53], multipleOf=[1, 2, 5, 10])
    return _some(chance, made, exclusiveMinimum=[-2, 0], exclusiveMaximum=[7, 100])


def _string(chance: Random) -> Node:
    made = _some(chance, {"type": "string"}, minLength=[0, 1, 2], maxLength=[1, 3, 50])
    if chance.random() < 0.3:
        return {**made, "format": chance.choice(FORMATS)}
    if chance.random() < 0.4:
        return {**made, "pattern": chance.choice(PATTERNS), "maxLength": 50}
    return made


def _some(chance: Random, node: Node, **keywords: list[Any]) -> Node:
    return node | {name: chance.choice(values) for name, values in keywords.items() if chance.random() < 0.25}


def _default(chance: Random, node: Node, values: list[Any]) -> Node:
    return {**node, "default": chance.choice(values)} if chance.random() < 0.3 else node
