"""Which migrations wait until the last process of an older release has stopped: one fact for the whole installation (public schema)."""

from __future__ import annotations

from django.db import connection

from plugin_framework.db.rollout import Key, Stage, judged

_THERE = "SELECT to_regclass('public.catalog_finishedmigration') IS NOT NULL"
_DONE = "SELECT app, name FROM public.catalog_finishedmigration"
_FINISH = """
INSERT INTO public.catalog_finishedmigration (app, name) SELECT * FROM unnest(%s::text[], %s::text[]) ON CONFLICT DO NOTHING
"""


def waiting() -> frozenset[Key]:
    """The migrations, of the schemas and apps that there are, which older code could not live with, and that may still be running.

    None where nothing was ever recorded: an installation that is only just being made.
    """
    later = _later()
    if not later:
        return frozenset()
    with connection.cursor() as cursor:
        cursor.execute(_THERE)
        if not cursor.fetchone()[0]:
            return frozenset()
        cursor.execute(_DONE)
        return later - set(cursor.fetchall())


def is_kept() -> bool:
    """Whether anything can be recorded yet."""
    with connection.cursor() as cursor:
        cursor.execute(_THERE)
        return bool(cursor.fetchone()[0])


def finish() -> None:
    """No process with older code is left: nothing waits any more, in any schema, however far behind."""
    keys = sorted(_later())
    with connection.cursor() as cursor:
        cursor.execute(_FINISH, [[app for app, _ in keys], [name for _, name in keys]])


def _later() -> frozenset[Key]:
    return frozenset(key for key, each in judged().items() if each.stage is not Stage.BEFORE)
