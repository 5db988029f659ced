"""Writes the package of a new plugin from the files in `package/`; used by `manage.py startplugin`."""

from __future__ import annotations

import re
import shutil
import tempfile
from importlib.util import find_spec
from pathlib import Path
from string import Template

from django.utils import timezone

from plugin_framework import PLATFORM_VERSION
from plugin_framework.registry import registry

_FILES = Path(__file__).with_name("package")
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_LONGEST = 40  # characters; the name stands in addresses, in table names and in the package's name
RESERVED = frozenset(
    "admin framework platform plugin plugins public sdk tenant tenantry tenants test testing tests".split()
)


class NotPossible(ValueError):
    """The package cannot be written; the text says why and what would help. Nothing was written."""


def start_plugin(name: str, directory: Path) -> Path:
    """Write the package of a plugin called `name` into a new folder of `directory`.

    Returns:
        The new folder.

    Raises:
        NotPossible: the name cannot be had, or the folder is there already.
    """
    if problem := problem_with(name):
        raise NotPossible(problem)
    target = directory / f"tenantry-{name.replace('_', '-')}"
    if target.exists() or target.is_symlink():
        raise NotPossible(f"{target} is there already, and nothing is overwritten. Choose another name or --directory.")
    if not directory.is_dir():
        raise NotPossible(f"There is no folder {directory}. Make it first.")
    try:
        _write(name, directory, target)
    except OSError as error:
        raise NotPossible(f"{target} cannot be written: {error.strerror}.") from error
    return target


def problem_with(name: str) -> str:
    """Why no new plugin can have this name, in a sentence; empty if it can."""
    if not _NAME.fullmatch(name):
        return f"{name!r} cannot be a plugin's name: use lower-case letters, digits and single underscores, a letter first."
    if len(name) > _LONGEST:
        return f"{name!r} is longer than {_LONGEST} characters. Choose a shorter name."
    if name in RESERVED:
        return f"{name!r} is reserved for Tenantry itself. Choose a name that says what the plugin does."
    if name in registry.specs or name in registry.quarantine:
        return f"A plugin called {name!r} is installed already. Choose another name."
    if find_spec(f"tenantry_{name}") is not None:
        return f"There is a Python package tenantry_{name} already. Choose another name."
    return ""


def words(name: str) -> dict[str, str]:
    """What stands in for the placeholders of the files."""
    return {
        "name": name,
        "package": f"tenantry_{name}",
        "distribution": f"tenantry-{name.replace('_', '-')}",
        "cls": "".join(part.capitalize() for part in name.split("_")) + "Plugin",
        "title": name.replace("_", " ").capitalize(),
        "platform": ".".join(PLATFORM_VERSION.split(".")[:2]),
        "today": timezone.localdate().isoformat(),
    }


def _write(name: str, directory: Path, target: Path) -> None:
    """All files or none: they are made beside, and moved when they are whole."""
    found = words(name)
    with tempfile.TemporaryDirectory(dir=directory, prefix=".startplugin-") as beside:
        whole = Path(beside) / target.name
        for source in sorted(_FILES.rglob("*.txt")):
            path = whole / str(source.relative_to(_FILES)).removesuffix(".txt").replace("PACKAGE", found["package"])
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(Template(source.read_text("utf-8")).substitute(found), "utf-8")
        shutil.move(whole, target)
