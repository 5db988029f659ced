"""Removes for good what a plugin has stored for the current tenant, whether its code is still there or not."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial

from django.db import connection, transaction
from django.utils.translation import gettext

from plugin_framework import files
from plugin_framework.audit import Actor, record
from plugin_framework.catalog.revisions import bump_tenant
from plugin_framework.changing import lock_plugins, unstarted
from plugin_framework.models import Delivery, PluginSetting, PluginState, SettingsHistory
from plugin_framework.quotas import storage
from plugin_framework.registry import registry, title_of
from plugin_framework.sdk import NotAllowed
from plugin_framework.sdk._calling import plugins_code
from plugin_framework.tenancy import bound, current_tenant

log = logging.getLogger(__name__)
_PRESENT = "SELECT name FROM unnest(%s::text[]) AS name WHERE to_regclass(format('%%I.%%I', %s::text, name)) IS NOT NULL ORDER BY 1"
# Through what depends on the tables: PostgreSQL has an index for that, and none of constraints by the table they refer to.
_REFERRING = """
SELECT DISTINCT c.conrelid::regclass::text FROM pg_depend AS d JOIN pg_constraint AS c ON c.oid = d.objid
WHERE d.classid = 'pg_constraint'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = ANY (%(own)s::regclass[]::oid[])
    AND c.contype = 'f' AND c.confrelid = d.refobjid AND c.conrelid <> ALL (%(own)s::regclass[]) ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Preview:
    """What purging a plugin would delete. `tables`: rows by table. `files`: how many are in its folder."""

    plugin: str
    tables: dict[str, int]
    settings: int
    deliveries: int
    files: int

    @property
    def rows(self) -> int:
        """Rows in all of its tables."""
        return sum(self.tables.values())


def preview(name: str) -> Preview:
    """Count what purging `name` would delete for the current tenant.

    Raises:
        NotAllowed: this tenant never had it.
    """
    state = _state(name)
    with connection.cursor() as cursor:
        counts = {}
        for table in _present(state):
            cursor.execute(f"SELECT count(*) FROM {_qualified(table)}")  # noqa: S608  # quoted, from our own record
            counts[table] = int(cursor.fetchone()[0])
    settings = PluginSetting.objects.filter(plugin_name=name).count()
    deliveries = Delivery.objects.filter(plugin=name).count()
    return Preview(name, counts, settings, deliveries, sum(1 for _ in files.walk(current_tenant().schema, name)))


def purge(name: str, actor: Actor, *, confirmation: str) -> Preview:
    """Delete the tables, settings, deliveries and state of a disabled plugin of the current tenant, in one transaction.

    Its files go when that is committed; should this process be killed before, they are unreachable and go with the tenant.

    Args:
        confirmation: the plugin's name, typed by whoever wants this.

    Returns:
        What was deleted.

    Raises:
        NotAllowed: it is enabled, the confirmation differs, or tables of another plugin refer to its own; nothing was deleted.
    """
    if confirmation.strip() != name:
        raise NotAllowed(
            gettext("Type the plugin’s name, %(name)s, to delete all that it has stored.") % {"name": name}
        )
    with transaction.atomic():
        lock_plugins()
        state = _state(name)
        if state.enabled:
            raise NotAllowed(gettext("%(title)s is enabled. Disable it first.") % {"title": title_of(name)})
        tables = _present(state)
        if strangers := _referring(tables):
            said = gettext("These tables refer to its own: %(tables)s. Delete what their plugin has stored first.")
            raise NotAllowed(said % {"tables": ", ".join(strangers)})
        gone = preview(name)
        _say_goodbye(name)
        _drop(state, tables)
        PluginSetting.objects.filter(plugin_name=name).delete()
        SettingsHistory.objects.filter(plugin=name).delete()
        Delivery.objects.filter(plugin=name).delete()
        state.delete()
        bump_tenant()
        counts = {"rows": gone.tables, "settings": gone.settings, "deliveries": gone.deliveries, "files": gone.files}
        record(actor, "plugin.purged", name, **counts)
        schema = current_tenant().schema
        transaction.on_commit(bound(partial(_remove_files, schema, name)))
        return gone


def _remove_files(schema: str, name: str) -> None:
    files.remove_all(schema, name)
    storage.measure()


def _state(name: str) -> PluginState:
    found = PluginState.objects.filter(plugin=name).first()
    if found is None:
        raise NotAllowed(gettext("This organisation has nothing of %(title)s.") % {"title": title_of(name)})
    return found


def _present(state: PluginState) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(_PRESENT, [list(state.tables), current_tenant().schema])
        return [name for (name,) in cursor.fetchall()]


def _referring(tables: list[str]) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(_REFERRING, {"own": [_qualified(table) for table in tables]})
        return [name for (name,) in cursor.fetchall()]


def _say_goodbye(name: str) -> None:
    """Let the plugin tidy up outside of its tables; if it fails at that, its work is undone and it is purged all the same."""
    spec = registry.specs.get(name)
    if spec is None:
        return
    try:
        with plugins_code(), transaction.atomic():
            unstarted(spec).on_purge()
            connection.check_constraints()  # now: with checks still pending on its rows, a table cannot be dropped
    except Exception:  # a plugin's on_purge may raise anything; it must not stop whoever wants to be rid of it
        log.exception("on_purge() of %s failed", name)


def _drop(state: PluginState, tables: list[str]) -> None:
    """One statement for all of them, so that their references to each other are no obstacle; never by unapplying migrations."""
    with connection.cursor() as cursor:
        if tables:
            cursor.execute(f"DROP TABLE {', '.join(map(_qualified, tables))}")
        if state.app_label:
            cursor.execute(f"DELETE FROM {_qualified('django_migrations')} WHERE app = %s", [state.app_label])  # noqa: S608  # as above


def _qualified(table: str) -> str:
    return f"{connection.ops.quote_name(current_tenant().schema)}.{connection.ops.quote_name(table)}"
