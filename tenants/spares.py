"""The pool of spare schemas: made before anybody needs them, so that a sign-up takes one in a statement.

Row and schema of a spare come, go and change hands in one transaction each. Whoever is killed on the way leaves the pool as it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import connection, transaction

from plugin_framework.delivery.failpoints import failpoint
from plugin_framework.tenancy import TenantRef, public_scope
from tenants import blueprint
from tenants.models import Spare
from tenants.names import new_schema_name

# Of several who take one at once each gets its own, and none waits for another's commit. A rollback puts it back.
_TAKE = """
WITH chosen AS (
    SELECT s.schema_name FROM public.tenants_spare AS s JOIN public.tenants_blueprint AS b ON b.digest = s.blueprint
    LIMIT 1 FOR UPDATE OF s SKIP LOCKED)
DELETE FROM public.tenants_spare AS s USING chosen WHERE s.schema_name = chosen.schema_name
RETURNING s.schema_name, (SELECT count(*) FROM public.tenants_spare) - 1, clock_timestamp()
"""
COUNT = """
SELECT count(*) FILTER (WHERE s.blueprint = b.digest), count(s.schema_name) FILTER (WHERE s.blueprint IS DISTINCT FROM b.digest)
FROM public.tenants_spare AS s LEFT JOIN public.tenants_blueprint AS b ON true
"""
# One of an older blueprint, or of those that are too many.
_SORT_OUT = """
WITH chosen AS (
    SELECT s.schema_name FROM public.tenants_spare AS s LEFT JOIN public.tenants_blueprint AS b ON true
    WHERE s.blueprint IS DISTINCT FROM b.digest OR %s
    ORDER BY s.blueprint IS DISTINCT FROM b.digest DESC, s.made_at LIMIT 1 FOR UPDATE OF s SKIP LOCKED)
DELETE FROM public.tenants_spare AS s USING chosen WHERE s.schema_name = chosen.schema_name RETURNING s.schema_name
"""
_FILLER = "SELECT pg_try_advisory_xact_lock(hashtextextended('tenants.spares', 0))"


@dataclass(frozen=True, slots=True)
class Pool:
    """How many spares there are. `stale`: of an older blueprint, waiting to be dropped."""

    ready: int
    stale: int


@dataclass(frozen=True, slots=True)
class Taken:
    """A spare that is somebody's now.

    Attributes:
        left: how many there are besides, about. `at`: when it was taken, by the database's clock.
    """

    schema: str
    left: int
    at: datetime


def take() -> Taken | None:
    """A spare, which is the caller's with the commit of its transaction; None if there is none.

    Call with the blueprint held, so that it is one that is up to date.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TAKE)
        row = cursor.fetchone()
    return row and Taken(*row)


def count() -> Pool:
    """What the pool holds now."""
    with public_scope(), connection.cursor() as cursor:
        cursor.execute(COUNT)
        return Pool(*cursor.fetchone())


def tend() -> bool:
    """Bring the pool one step nearer to what it should be: drop a spare that is stale or too many, or make one.

    Returns:
        Whether there was something to do. False too while somebody else is at it: two would make too many.
    """
    with public_scope(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_FILLER)
        if not cursor.fetchone()[0]:
            return False
        blueprint.hold()
        ready, wanted = count().ready, settings.SPARE_SCHEMAS
        cursor.execute(_SORT_OUT, [ready > wanted])
        if unwanted := cursor.fetchone():
            blueprint.drop(unwanted[0])
            failpoint("spare_dropped")
            return True
        if ready >= wanted or not blueprint.can_be_made():
            return False
        _make()
    return True


def _make() -> None:
    ref = TenantRef(slug="spare", name="Spare", host="", schema=new_schema_name())
    digest = blueprint.make(ref)
    Spare.objects.create(schema_name=ref.schema, blueprint=digest)
    failpoint("spare_made")
