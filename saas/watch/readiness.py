"""Says what is missing for this installation to do its work."""

from __future__ import annotations

import functools

from django.db import Error, connection
from django.db.migrations.loader import MigrationLoader

from plugin_framework.db.migrator import shared_labels
from plugin_framework.delivery import workers
from plugin_framework.registry import registry
from plugin_framework.sdk._words import Phrase
from saas.watch.probe import Probe, Silent

NAMES = ("plugins", "database", "migrations", "worker")
_NO_PLUGINS = Phrase("No plugin is loaded. Run manage.py check: it says of each what is wrong.")
_NO_DATABASE = Phrase("The database does not answer.")
_NO_TABLES = Phrase("The database is not set up. Run manage.py migrate_tenants.")
_BEHIND = Phrase("The shared schema is behind the installed code: %(lacking)s. Run manage.py migrate_tenants.")
_NO_WORKER = Phrase("No worker has been seen in the last %(seconds)s seconds. Start one: manage.py worker.")


def missing() -> dict[str, str]:
    """What is not ready, by its name in NAMES, with a sentence, in English, that says what to do."""
    found = {} if registry.specs else {"plugins": _NO_PLUGINS.text}
    _wanted()  # once; reading files must not use up the database's time
    try:
        return found | _probe.ask()
    except (Error, Silent):
        return found | {"database": _NO_DATABASE.text}


def _look() -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regproc('public.tenantry_find_host'), to_regclass('public.django_migrations')")
        if None in cursor.fetchone():
            return {"migrations": _NO_TABLES.text}
        cursor.execute("SELECT app, name FROM public.django_migrations")
        applied = set(cursor.fetchall())
    if lacking := _wanted() - applied:
        return {"migrations": _BEHIND(lacking=", ".join(sorted(".".join(key) for key in lacking))).english}
    return {} if workers.any_alive() else {"worker": _NO_WORKER(seconds=f"{workers.FRESH:g}").english}


@functools.cache
def _wanted() -> frozenset[tuple[str, str]]:
    """The migrations of the shared apps; of those that replace others, the others, which stay recorded."""
    loader = MigrationLoader(None, load=False)
    loader.load_disk()
    labels = shared_labels()
    return frozenset(
        (app, name)
        for (app, name), migration in loader.disk_migrations.items()
        if app in labels and not migration.replaces
    )


_probe = Probe(_look)
