"""The contract that keeps plugins to the SDK names every module that there is: import-linter knows no "all but this one"."""

from __future__ import annotations

import tomllib
from pathlib import Path
from pkgutil import iter_modules

ROOT = Path(__file__).resolve().parents[2]
OPEN = {"sdk", "migrations"}  # for plugins; and what nobody imports


def test_every_module_of_the_framework_but_the_sdk_is_kept_from_plugins() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (protected,) = [each["protected_modules"] for each in contracts if each["type"] == "protected"]
    there = {each.name for each in iter_modules([str(ROOT / "plugin_framework")])} - OPEN
    assert sorted(protected) == sorted(f"plugin_framework.{name}" for name in there)
