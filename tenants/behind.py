"""Finds out which tenants are behind the installed code, all at once: migrations, versions of plugins, settings of an older shape."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from itertools import batched

from django.db import connection

from plugin_framework.db import finished, wear
from plugin_framework.db.migrator import tenant_labels
from plugin_framework.db.recorded import missing_migrations
from plugin_framework.db.rollout import Key, Stage, judged
from plugin_framework.lifecycle import plugin_labels
from plugin_framework.registry import PluginSpec, is_newer, registry
from plugin_framework.tenancy import public_scope

AT_ONCE = 500  # schemas in one statement: each takes locks on its tables, and PostgreSQL's table of locks has an end
_SCHEMA = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_COMPLETE = """
SELECT name FROM unnest(%s::text[]) AS name WHERE to_regclass(format('%%I.django_migrations', name)) IS NOT NULL
    AND to_regclass(format('%%I.plugin_framework_pluginstate', name)) IS NOT NULL
"""
_MIGRATIONS = """SELECT string_agg(app || '.' || name, ' ' ORDER BY app, name) FROM "{schema}".django_migrations"""
_PLUGINS = (
    "SELECT string_agg(concat_ws(' ', plugin, version, config_version, enabled), E'\\n' ORDER BY plugin) "
    """FROM "{schema}".plugin_framework_pluginstate"""
)
_FINGERPRINT = f"SELECT '{{schema}}', md5(concat(({_MIGRATIONS}), '/', ({_PLUGINS})))"  # names that `_checked` has seen
_CONTENT = f"SELECT ({_MIGRATIONS}), ({_PLUGINS})"  # the same


@dataclass(frozen=True, slots=True)
class Behind:
    """What one schema lacks. `broken`: it has not even the tables that say so."""

    migrations: tuple[str, ...] = ()  # "app.name", those of its own apps and of the plugins it has
    plugins: tuple[str, ...] = ()  # of an older version
    settings: tuple[str, ...] = ()  # plugins whose settings were saved for an older version
    broken: bool = False

    def __bool__(self) -> bool:
        return bool(self.broken or self.migrations or self.plugins or self.settings)

    def __str__(self) -> str:
        if self.broken:
            return "its schema is not there, or is not complete"
        parts = {"migrations": self.migrations, "plugins": self.plugins, "settings of": self.settings}
        return "; ".join(f"{what}: {', '.join(names)}" for what, names in parts.items() if names)


@dataclass(frozen=True, slots=True)
class Survey:
    """Schemas that lack something, in the order in which they were named: what may be done now, and what only at the end of a deploy."""

    now: dict[str, Behind]
    later: dict[str, Behind]


def behind(schemas: Iterable[str], *, finish: bool = False) -> dict[str, Behind]:
    """Those of `schemas` that the installed code is ahead of, with what they lack.

    Args:
        finish: also what waits for the end of a deploy.
    """
    return survey(schemas, finish=finish).now


def survey(schemas: Iterable[str], *, finish: bool = False) -> Survey:
    """What `schemas` lack.

    Schemas in the same state are looked at once: one statement for 500 of them, and one for each state there is.

    Args:
        finish: nothing waits any more.
    """
    names = [_checked(name) for name in schemas]
    with public_scope():
        waiting = frozenset() if finish else finished.waiting()
        states = _states(names)
        lacking: dict[str, tuple[Behind, Behind]] = {}
        for schema, state in states.items():
            if state not in lacking:
                lacking[state] = _lacks(schema, waiting, finish=finish)
    broken = (Behind(broken=True), Behind())
    found = {name: lacking[states[name]] if name in states else broken for name in names}
    return Survey(
        {name: now for name, (now, _) in found.items() if now},
        {name: later for name, (_, later) in found.items() if later},
    )


def is_broken(schema: str) -> bool:
    """Whether it has not even the tables that say what it has."""
    with public_scope(), connection.cursor() as cursor:
        cursor.execute(_COMPLETE, [[schema]])
        return not cursor.fetchall()


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


def _lacks(schema: str, waiting: Set[Key], *, finish: bool) -> tuple[Behind, Behind]:
    """What it lacks now, and what it will lack at the end of the deploy."""
    with connection.cursor() as cursor:
        cursor.execute(_CONTENT.format(schema=schema))
        applied, plugins = cursor.fetchone()
    done = {(app, name) for app, _, name in (each.partition(".") for each in (applied or "").split())}
    rows = [_Row(*line.split(" ")) for line in (plugins or "").splitlines()]
    missing = missing_migrations(done, tenant_labels() | _labels(done, rows))
    later = [key for key in missing if key in waiting and judged()[key].stage is Stage.AFTER]
    versions = tuple(row.plugin for row in rows if row.spec and is_newer(row.spec.version, row.version))
    shapes = tuple(row.plugin for row in rows if row.spec and int(row.config_version) < row.spec.config_version)
    now = Behind(_named(key for key in missing if key not in later), versions, shapes if finish else ())
    return now, Behind(_named(later), (), () if finish else shapes)


@dataclass(frozen=True, slots=True)
class _Row:
    """A plugin as a tenant has it, as text."""

    plugin: str
    version: str
    config_version: str
    enabled: str

    @property
    def spec(self) -> PluginSpec | None:
        return registry.specs.get(self.plugin)


def _labels(done: Set[Key], rows: Iterable[_Row]) -> set[str]:
    """The apps of the plugins that a schema has, and of those that are enabled there and have got one only now."""
    enabled = {row.spec.app_label for row in rows if row.spec and row.spec.app_label and row.enabled == "t"}
    return ({app for app, _ in done} & plugin_labels()) | enabled


def _named(keys: Iterable[Key]) -> tuple[str, ...]:
    return tuple(f"{app}.{name}" for app, name in keys)
