"""Imports early what Django imports late of an app, when a fault would be every page's or every migration's."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from django.apps import AppConfig, apps
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader

from plugin_framework import rejections
from plugin_framework.app_guard import said
from plugin_framework.sdk._calling import plugins_code


def problem_with(config: AppConfig) -> str:
    """What is wrong with the template tags or the migrations of a plugin's app, in a sentence; empty if nothing is."""
    try:
        _modules(config.name, Path(config.path) / "templatetags", "templatetags")
        found = _modules(config.name, Path(config.path) / "migrations", "migrations")
    except ImportError as error:
        return str(error)
    migrations = {name: getattr(module, "Migration", None) for name, module in found.items() if name[0] not in "_~"}
    return next((each for name, each in _problems(config.label, migrations) if each), "")


def _modules(package: str, folder: Path, part: str) -> dict[str, object]:
    if not folder.is_dir():
        return {}
    found: dict[str, object] = {}
    for name in ("", *(each.name for each in iter_modules([str(folder)]))):
        module = f"{package}.{part}.{name}".rstrip(".")
        try:
            with plugins_code():
                found[name or "_"] = import_module(module)
        except Exception as error:
            raise ImportError(rejections.NOT_IMPORTED(module=module, error=said(error)).english) from error
    return found


def _problems(label: str, migrations: dict[str, object]) -> list[tuple[str, str]]:
    found = []
    ends = set(migrations)
    for name, migration in migrations.items():
        if not (isinstance(migration, type) and issubclass(migration, Migration)):
            found.append((name, rejections.NO_MIGRATION(name=name).english))
            continue
        if not migration.atomic:
            found.append((name, rejections.NOT_ATOMIC(name=name).english))
        before = [str(each) for app, each in migration.dependencies if app == label]
        ends -= set(before)
        found += [(name, _missing(name, app, str(each), migrations, label)) for app, each in migration.dependencies]
    if len(ends) > 1:
        found.append(("", rejections.MANY_ENDS(ends=", ".join(sorted(ends))).english))
    return found


def _missing(name: str, app: str, wanted: str, own: dict[str, object], label: str) -> str:
    """Whether the migration that another one follows is there."""
    if app == "__setting__" or wanted in ("__first__", "__latest__"):
        return ""
    if app == label:
        there = wanted in own
    elif app not in apps.app_configs:
        there = False
    else:
        module = MigrationLoader.migrations_module(app)[0]
        folder = [str(each) for each in import_module(module).__path__] if module else []
        there = wanted in {each.name for each in iter_modules(folder)}
    return "" if there else rejections.NOTHING_BEFORE(name=name, before=f"{app}.{wanted}").english
