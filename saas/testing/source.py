"""What the conformance suite reads of a plugin: its modules, its README, its tables, its pages, examples for its settings."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from django.db import connection
from django.urls import NoReverseMatch, reverse

from plugin_framework.lifecycle import tables_of as tables_of_spec
from plugin_framework.loader import ENTRY_POINTS
from plugin_framework.registry import PluginSpec, registry
from plugin_framework.tenancy import public_scope


def top(spec: PluginSpec) -> str:
    """The package that the plugin's class is in, or its module if that is in none."""
    module = spec.cls.__module__
    return module.rpartition(".")[0] or module


def trees(spec: PluginSpec) -> Iterator[tuple[Path, ast.Module]]:
    """Every module of the plugin, parsed."""
    file = importlib.import_module(top(spec)).__file__
    assert file is not None, f"{top(spec)} has no __init__.py"
    paths = sorted(Path(file).parent.rglob("*.py")) if Path(file).name == "__init__.py" else [Path(file)]
    for path in paths:
        yield path, ast.parse(path.read_text("utf-8"))


_PAST_THE_SIGNERS = {"salted_hmac", "default_token_generator", "PasswordResetTokenGenerator", "SECRET_KEY"}


def signs_by_itself(tree: ast.AST) -> set[str]:
    """What a module uses that makes signatures without the tenant in them; Django's signers have it."""
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    names |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    return names & _PAST_THE_SIGNERS


def imported(tree: ast.AST) -> Iterator[str]:
    """Full names of all that is imported, at any depth; what is imported relatively is the plugin's own."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def uses_of_self(tree: ast.AST) -> set[str]:
    """The attributes of `self` that are used anywhere."""
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self"
    }


def readme(spec: PluginSpec) -> str:
    """The README.md in the plugin's folder, else the one that was packaged; empty if there is neither."""
    file = importlib.import_module(top(spec)).__file__
    path = Path(file or "").with_name("README.md")
    if path.is_file() and "." in spec.cls.__module__:
        return path.read_text("utf-8")
    point = next((each for each in entry_points(group=ENTRY_POINTS) if each.name == spec.name), None)
    about = point.dist.metadata if point is not None and point.dist is not None else None
    return str(about.get_payload() or about.get("Description") or "") if about is not None else ""  # type: ignore[attr-defined]  # an e-mail message


def example(schema: Mapping[str, Any]) -> Any:
    """The smallest value that should fit a field that is required and has no default."""
    if "default" in schema or "enum" in schema:
        return schema.get("default", schema.get("enum", [None])[0])
    by_format = {"email": "a@example.com", "uri": "https://example.com/x", "hostname": "example.com"}
    by_type = {
        "string": by_format.get(schema.get("format", ""), "x" * max(schema.get("minLength", 1), 1)),
        "boolean": False,
        "array": [],
        "object": {},
    }
    return by_type.get(schema["type"], schema.get("minimum", 0))


def tables(schema: str) -> set[str]:
    """The tables that are in a schema now."""
    with public_scope(), connection.cursor() as cursor:
        cursor.execute("SELECT tablename::text FROM pg_tables WHERE schemaname = %s", [schema])
        return {row[0] for row in cursor.fetchall()}


def tables_of(name: str) -> set[str]:
    """The tables that a plugin, and all it needs, make."""
    names = (name, *registry.requirements(name)) if name in registry.specs else ()
    return {table for each in names if each in registry.specs for table in tables_of_spec(registry.specs[each])}


def plain_pages(spec: PluginSpec) -> list[str]:
    """The addresses of the plugin's pages that need no argument."""
    names = [pattern.name for pattern in spec.urls if getattr(pattern, "name", None)]
    return [path for name in names if (path := _address(spec.name, name))]


def _address(plugin: str, name: str) -> str:
    try:
        return reverse(f"apps:{plugin}:{name}", urlconf="saas.urls_tenant")
    except NoReverseMatch:
        return ""
