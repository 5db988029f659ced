"""What is there for those who sign up, and who still waits: both in one statement, for those who look at the platform as a whole."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from plugin_framework.tenancy import public_scope
from tenants import spares, waiting
from tenants.spares import Pool
from tenants.waiting import Unfinished

_LOOK = (
    f"SELECT * FROM ({spares.COUNT}) AS pool (ready, stale) CROSS JOIN ({waiting.COUNT}) AS sign_up (waiting, given_up)"  # noqa: S608  # constants
)


@dataclass(frozen=True, slots=True)
class Supply:
    """The pool of spare schemas, and the tenants that are still being set up."""

    spares: Pool
    unfinished: Unfinished


def now() -> Supply:
    """How both stand now."""
    with public_scope(), connection.cursor() as cursor:
        cursor.execute(_LOOK)
        ready, stale, waiting_, given_up = cursor.fetchone()
    return Supply(Pool(ready, stale), Unfinished(waiting_, given_up))
