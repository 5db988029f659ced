"""`manage.py worker`, which begins by saying which organisations are damaged."""

from __future__ import annotations

from typing import Any

from django.db import Error, connection
from psycopg import Error as DriverError

from plugin_framework.citus.cluster import CitusError
from plugin_framework.db.pooler import UnsafePooler
from plugin_framework.management.commands import worker
from saas import damage, self_test


class Command(worker.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        if not options["check"]:
            _tell_of_damage()
        super().handle(*args, **options)


def _tell_of_damage() -> None:
    """Nothing is asked through a pooler that mixes clients up, nor of a database that is not there yet: the worker itself says so."""
    try:
        self_test.examine()
    except (UnsafePooler, CitusError, Error, DriverError):
        return
    damage.tell()
    connection.close()
