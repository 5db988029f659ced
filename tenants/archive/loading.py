"""Fills a new schema from an archive: the tables as they were made then, the rows, and then the way to the installed code."""

from __future__ import annotations

from collections.abc import Collection

import psycopg
from django.db import IntegrityError, connection
from psycopg import sql

from plugin_framework.db.migrator import (
    MigrationFailed,
    UnknownMigration,
    migrate_schema,
    migrate_schema_to,
    tenant_labels,
)
from plugin_framework.db.rollout import Unsuitable
from plugin_framework.delivery import schedule
from plugin_framework.lifecycle import labels_here, record_tables, record_versions
from plugin_framework.models import PluginState
from plugin_framework.registry import registry
from tenants.archive import exporting, tables
from tenants.archive.errors import CannotRestore
from tenants.archive.format import Manifest, Plugin, Table
from tenants.archive.reading import Archive

_FAILED = (
    "The migration {what} failed ({kind}). If it is a plugin's, install a version that makes its tables, or leave them in the archive: "
    "--without PLUGIN"
)
# Those of a plugin that was left out are not there.
_SET = """
SELECT setval(format('%%I.%%I', s.schemaname, s.sequencename)::regclass, wanted.value)
FROM unnest(%(names)s::text[], %(values)s::bigint[]) AS wanted (name, value)
JOIN pg_sequences s ON s.schemaname = %(schema)s AND s.sequencename = wanted.name
"""


def check_plugins(manifest: Manifest, without: Collection[str]) -> None:
    """See that every plugin with tables in the archive is installed, or is to be left out.

    Raises:
        CannotRestore: one is missing; or one is to be left out that is not in the archive.
    """
    had = {each.name: each for each in manifest.plugins}
    if unknown := sorted(set(without) - had.keys()):
        raise CannotRestore(f"There is nothing of {', '.join(unknown)} in the archive.")
    for plugin in had.values():
        spec = registry.specs.get(plugin.name)
        here = spec is not None and spec.app_label == plugin.app_label
        if plugin.app_label and plugin.name not in without and not here:
            raise CannotRestore(
                f"It has tables of the plugin {plugin.name} {plugin.version}, which is not installed here. "
                f"Install it first, or leave them in the archive: --without {plugin.name}"
            )


def load(archive: Archive, schema: str, without: Collection[str]) -> int:
    """Make the tables in the current tenant's new schema, and put the rows in; how many.

    Raises:
        CannotRestore: the installed code does not make such tables, or the rows do not fit. BadArchive: a part is damaged.
    """
    manifest = archive.manifest
    left = [each for each in manifest.plugins if each.name in without]
    skipped = {table for plugin in left for table in plugin.tables}
    wanted = [table for table in manifest.tables if table.name not in skipped]
    try:
        migrate_schema_to(_migrations(manifest, left))
    except UnknownMigration as error:
        raise CannotRestore(
            f"It was made by Tenantry {manifest.version}, and this version does not make its tables. {error}"
        ) from error
    except MigrationFailed as error:
        raise CannotRestore(_FAILED.format(what=error.what, kind=error.kind)) from error
    _check_tables(schema, wanted)
    with connection.cursor() as cursor:
        emptied = sql.SQL(", ").join(sql.Identifier(schema, table.name) for table in wanted)
        cursor.execute(sql.SQL("TRUNCATE {}").format(emptied).as_string())  # migrations may have put rows in
    for table in wanted:
        _copy(archive, schema, table)
    _check_rows(wanted)
    _set_sequences(manifest, schema)
    if without:
        PluginState.objects.filter(plugin__in=without).update(enabled=False, tables=[], app_label="")
    return sum(table.rows for table in wanted)


def bring_up() -> None:
    """Migrate the current tenant from where it was to the installed code, and bring its schedule in line with it.

    Settings of an older shape are read as they should be, and saved so by the next deploy, as everybody's are.

    Raises:
        CannotRestore: it is so old that it cannot be brought up while processes with older code may be running, or a migration fails.
    """
    try:
        if migrate_schema(tenant_labels() | labels_here()):
            record_tables()
    except Unsuitable as error:
        raise CannotRestore(str(error)) from error
    except MigrationFailed as error:
        raise CannotRestore(_FAILED.format(what=error.what, kind=error.kind)) from error
    record_versions()
    schedule.sync()


def _migrations(manifest: Manifest, left: Collection[Plugin]) -> list[tuple[str, str]]:
    labels = {plugin.app_label for plugin in left}
    return [key for key in manifest.migrations if key[0] not in labels]


def _check_tables(schema: str, wanted: Collection[Table]) -> None:
    made = {each.name: each.columns for each in tables.layouts(schema, tables.names(schema))}
    had = {table.name: table.columns for table in wanted}
    if made != had:
        wrong = sorted(name for name in made.keys() | had.keys() if made.get(name) != had.get(name))
        raise CannotRestore(f"This version makes other tables than those in it: {', '.join(wrong)}.")


def _copy(archive: Archive, schema: str, table: Table) -> None:
    try:
        with archive.open(table.member) as reading, connection.cursor() as cursor:
            with cursor.copy(tables.copy_in(schema, table.name, table.columns)) as copy:
                while block := reading.read():
                    copy.write(block)
            if cursor.rowcount != table.rows:
                raise CannotRestore(f"{table.name} has {cursor.rowcount} rows instead of {table.rows}.")
    except psycopg.Error as error:
        raise CannotRestore(f"The rows of {table.name} do not fit: {str(error).splitlines()[0]}.") from error


def _check_rows(wanted: Collection[Table]) -> None:
    """All that refer to each other, now that everything is there; a table could not be altered before that either."""
    try:
        connection.check_constraints([table.name for table in wanted])
    except IntegrityError as error:
        raise CannotRestore(f"Its rows do not fit together: {str(error).splitlines()[0]}.") from error


def _set_sequences(manifest: Manifest, schema: str) -> None:
    """No number is given twice: not one of a row that was deleted, and not one that all tenants' rows have in common."""
    names, values = list(manifest.sequences), list(manifest.sequences.values())
    with connection.cursor() as cursor:
        cursor.execute(_SET, {"schema": schema, "names": names, "values": values})
    exporting.catch_up(dict(manifest.counters))
