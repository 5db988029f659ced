"""Finds out which tenants are behind the installed code, all at once: migrations, versions of plugins, settings of an older shape."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import Any

from django.db import connection
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader

from plugin_framework.db import wear
from plugin_framework.db.migrator import tenant_labels
from plugin_framework.registry import registry
from plugin_framework.tenancy import public_scope

AT_ONCE = 500  # schemas in one statement: each takes locks on its tables, and PostgreSQL's table of locks has an end
_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_COMPLETE = """
SELECT name FROM unnest(%s::text[]) AS name WHERE to_regclass(format('%%I.django_migrations', name)) IS NOT NULL
    AND to_regclass(format('%%I.plugin_framework_pluginstate', name)) IS NOT NULL
"""
_MIGRATIONS = """SELECT string_agg(app || '.' || name, ' ' ORDER BY app, name) FROM "{schema}".django_migrations"""
_PLUGINS = (
    "SELECT string_agg(plugin || ' ' || version || ' ' || config_version, E'\\n' ORDER BY plugin) "
    """FROM "{schema}".plugin_framework_pluginstate"""
)
_FINGERPRINT = f"SELECT '{{schema}}', md5(concat(({_MIGRATIONS}), '/', ({_PLUGINS})))"  # names that `_checked` has seen
_CONTENT = f"SELECT ({_MIGRATIONS}), ({_PLUGINS})"  # the same

type Key = tuple[str, str]  # a migration: its app's label and its name


@dataclass(frozen=True, slots=True)
class Behind:
    """What one schema lacks. `broken`: it has not even the tables that say so."""

    migrations: tuple[str, ...] = ()  # "app.name", those of its own apps and of the plugins it has
    plugins: tuple[str, ...] = ()  # of an older version, or with settings of one
    broken: bool = False

    def __str__(self) -> str:
        if self.broken:
            return "its schema is not there, or is not complete"
        parts = [f"migrations: {', '.join(self.migrations)}"] if self.migrations else []
        return "; ".join([*parts, *([f"plugins: {', '.join(self.plugins)}"] if self.plugins else [])])


def behind(schemas: Iterable[str]) -> dict[str, Behind]:
    """Those of `schemas` that the installed code is ahead of, with what they lack; in the order in which they were named.

    Schemas in the same state are looked at once: one statement for 500 of them, and one for each state there is.
    """
    names = [_checked(name) for name in schemas]
    with public_scope():
        states = _states(names)
        lacking: dict[str, Behind | None] = {}
        for schema, state in states.items():
            if state not in lacking:
                lacking[state] = _lacks(schema)
    found = {name: lacking[states[name]] if name in states else Behind(broken=True) for name in names}
    return {name: each for name, each in found.items() if each is not None}


def _checked(schema: str) -> str:
    if not _SCHEMA.fullmatch(schema):
        raise ValueError(f"{schema!r} is not the name of a tenant's schema.")
    return schema


def _states(names: Sequence[str]) -> dict[str, str]:
    """A fingerprint of each schema that has its tables; equal ones are in the same state."""
    states: dict[str, str] = {}
    for some in batched(names, AT_ONCE, strict=False):
        with connection.cursor() as cursor:
            cursor.execute(_COMPLETE, [list(some)])
            complete = [name for (name,) in cursor.fetchall()]
            if complete:
                cursor.execute(" UNION ALL ".join(_FINGERPRINT.format(schema=name) for name in complete))
                states.update(cursor.fetchall())
        for name in complete:
            wear.touch(name)
        wear.recycle()
    return states


def _lacks(schema: str) -> Behind | None:
    with connection.cursor() as cursor:
        cursor.execute(_CONTENT.format(schema=schema))
        applied, plugins = cursor.fetchone()
    done = {(app, name) for app, _, name in (each.partition(".") for each in (applied or "").split())}
    missing = missing_migrations(done, _known())
    stale = _stale((plugins or "").splitlines())
    return Behind(tuple(f"{app}.{name}" for app, name in missing), stale) if missing or stale else None


def missing_migrations(done: set[Key], known: Mapping[Key, Migration]) -> list[Key]:
    """Migrations of the tenant's own apps, and of the plugins it has, that are known and not done; squashed ones count either way."""
    labels = tenant_labels() | ({app for app, _ in done} & plugin_labels())
    wanted = [key for key in known if key[0] in labels]
    replaced = {key: set(known[key].replaces) for key in wanted if known[key].replaces}
    covered = set(done)
    for key, parts in replaced.items():
        covered |= parts if key in done else set()
        covered |= {key} if parts <= done else set()
    skipped = {part for key, parts in replaced.items() if key not in covered and not parts & done for part in parts}
    return sorted(key for key in wanted if key not in covered and key not in skipped)


def plugin_labels() -> set[str]:
    """Labels of the apps of all loaded plugins."""
    return {spec.app_label for spec in registry.specs.values() if spec.app_label}


def _known() -> Mapping[Key, Migration]:
    loader = MigrationLoader(None, load=False)
    loader.load_disk()
    found: dict[Any, Migration] = loader.disk_migrations
    return {(str(app), str(name)): migration for (app, name), migration in found.items()}


def _stale(lines: Iterable[str]) -> tuple[str, ...]:
    rows = (line.split(" ") for line in lines)
    return tuple(plugin for plugin, version, shape in rows if _older(plugin, version, int(shape)))


def _older(plugin: str, version: str, config_version: int) -> bool:
    spec = registry.specs.get(plugin)
    return spec is not None and (version != spec.version or config_version < spec.config_version)
