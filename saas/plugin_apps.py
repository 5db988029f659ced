"""Finds, without importing any plugin, which of the packages that plugins come from are Django apps."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.machinery import ModuleSpec
from importlib.metadata import entry_points
from typing import Any


def plugin_apps(plugins: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The packages of all plugins, from the PLUGINS setting and from installed distributions.

    A plugin in a package gets templates, static files and models like any Django app; one in a single module has none of these.
    """
    modules = [str(entry.get("module", "")) for entry in plugins.values()]
    modules += [point.module for point in entry_points(group="tenantry.plugins")]
    return list(dict.fromkeys(package for module in modules for package in _package(module)))


def _package(module: str) -> Iterator[str]:
    """`module` if it is a package, else the package it is in unless that holds several plugins; nothing if it is not there."""
    spec = _find(module)
    if spec is not None and spec.submodule_search_locations is not None:
        yield module
    elif spec is not None and "." in module and module.rpartition(".")[0] != "plugins":
        yield module.rpartition(".")[0]


def _find(module: str) -> ModuleSpec | None:
    """As `importlib.util.find_spec`, which would import the packages on the way: settings are no place to run a plugin's code.

    What is not found, or in a folder that fails to be read, the loader will quarantine and say why.
    """
    path: Sequence[str] | None = None
    spec: ModuleSpec | None = None
    name = ""
    for part in module.split("."):
        name = f"{name}.{part}".lstrip(".")
        finders = [finder.find_spec for finder in sys.meta_path if hasattr(finder, "find_spec")]
        spec = next((found for find in finders if (found := find(name, path)) is not None), None)
        if spec is None:
            return None
        path = list(spec.submodule_search_locations) if spec.submodule_search_locations is not None else []
    return spec
