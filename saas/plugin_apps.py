"""Finds, without importing any plugin, which of the packages that plugins come from are Django apps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points
from importlib.util import find_spec
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
    try:
        spec = find_spec(module) if module else None
    except (ImportError, ValueError):
        return  # the loader will quarantine the plugin and say why
    if spec is not None and spec.submodule_search_locations is not None:
        yield module
    elif spec is not None and "." in module and module.rsplit(".", 1)[0] != "plugins":
        yield module.rsplit(".", 1)[0]
