"""Seals the secrets of a restored tenant for its new schema: what was sealed for the old one opens nowhere else."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from django.db import connection
from psycopg import sql

from plugin_framework.secrets import SecretBox, SecretUnreadable
from plugin_framework.settings_store import SEALED, Path, box, mapped
from tenants.archive.format import Manifest, Sealed

_SETTINGS = "SELECT id, plugin_name, key, value::text FROM plugin_framework_pluginsetting ORDER BY id"
_SAVE = "UPDATE plugin_framework_pluginsetting SET value = %s::jsonb WHERE id = %s"


def reseal(manifest: Manifest, schema: str, without: Collection[str]) -> tuple[str, ...]:
    """Open every secret in the current tenant's schema as the old tenant, and seal it for `schema`.

    In SQL, by what the archive says: the tables are as they were then, whatever the installed code makes of them.

    Returns:
        Those that cannot be opened, as "plugin: field"; they stay as they are.
    """
    work = _Resealing(box(), manifest.tenant.schema, schema)
    work.settings()
    for column in manifest.sealed:
        if column.plugin not in without:
            work.column(column)
    return tuple(work.unreadable)


class _Resealing:
    def __init__(self, keys: SecretBox, old: str, new: str) -> None:
        self._keys, self._old, self._new = keys, old, new
        self.unreadable: list[str] = []

    def settings(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(_SETTINGS)
            for number, plugin, key, text in cursor.fetchall():
                value = json.loads(text)
                new = mapped(value, (key,), self._for(plugin))
                if new != value:
                    cursor.execute(_SAVE, [json.dumps(new), number])

    def _for(self, plugin: str) -> Any:
        def one(path: Path, value: Any) -> Any:
            if not (isinstance(value, dict) and SEALED in value):
                return value
            field = ".".join(path)
            return {**value, SEALED: self._resealed(value[SEALED], plugin, field, field)}

        return one

    def column(self, column: Sealed) -> None:
        """In one statement: a token is made once, so it names its row."""
        table, name = sql.Identifier(self._new, column.table), sql.Identifier(column.column)
        with connection.cursor() as cursor:
            query = sql.SQL("SELECT DISTINCT {0} FROM {1} WHERE {0} <> ''").format(name, table)
            cursor.execute(query.as_string())
            old = [token for (token,) in cursor.fetchall()]
            where = f"{column.table}.{column.column}"
            new = [self._resealed(token, column.plugin, column.field, where) for token in old]
            change = sql.SQL(
                "UPDATE {1} SET {0} = new.token FROM unnest(%s::text[], %s::text[]) AS new (old, token) WHERE {0} = new.old"
            )
            cursor.execute(change.format(name, table).as_string(), [old, new])

    def _resealed(self, token: Any, plugin: str, field: str, where: str) -> Any:
        try:
            plain = self._keys.open(token, tenant=self._old, plugin=plugin, field=field)
        except SecretUnreadable:
            self.unreadable.append(f"{plugin}: {where}")
            return token
        return self._keys.seal(plain, tenant=self._new, plugin=plugin, field=field)
