"""Which migrations a schema has and which it lacks, and whether the code of this process can work with it as it is."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Set

from django.db import connection

from plugin_framework.db.migrator import tenant_labels
from plugin_framework.db.rollout import Key, Stage, judged, known
from plugin_framework.tenancy import TenantRef, tenant_scope

log = logging.getLogger(__name__)
_THERE = "SELECT to_regclass(%s) IS NOT NULL"
_RECORDED = """SELECT app, name FROM "{schema}".django_migrations WHERE app = ANY (%s)"""
_ready: set[str] = (
    set()
)  # schemas that were seen to have all that this code needs; nothing ever takes it away from them


def is_ready(ref: TenantRef) -> bool:
    """Whether the tables that every tenant has are, in `ref`'s schema, as far as the code of this process needs them.

    Asks the database until they are, and never again. A tenant that is not ready must not be served by this process.
    """
    if ref.schema in _ready:
        return True
    with tenant_scope(ref):
        done = _recorded(ref.schema, labels := tenant_labels())
        missing = lacking(done, labels)
    if missing:
        names = ", ".join(f"{app}.{name}" for app, name in missing) if done else "all that makes a tenant's"
        log.warning("%s is not served: its schema lacks %s", ref.slug, names)
        return False
    _ready.add(ref.schema)
    return True


def forget() -> None:
    """Ask again for every schema; for tests, whose databases change under the process."""
    _ready.clear()


def _recorded(schema: str, labels: Iterable[str]) -> set[Key]:
    """The migrations of `labels` that a schema has; none if it is not there."""
    with connection.cursor() as cursor:
        cursor.execute(_THERE, [f'"{schema}".django_migrations'])
        if not cursor.fetchone()[0]:
            return set()
        cursor.execute(_RECORDED.format(schema=schema), [sorted(labels)])
        return set(cursor.fetchall())


def lacking(done: Set[Key], labels: Collection[str]) -> list[Key]:
    """The migrations of the apps `labels` that are not among `done`, and that this code cannot do without."""
    after = {key for key, each in judged().items() if each.stage is Stage.AFTER}
    return missing_migrations(done, labels, after)


def missing_migrations(done: Set[Key], labels: Collection[str], left_out: Set[Key] = frozenset()) -> list[Key]:
    """Migrations of the apps `labels` that are known and not done; squashed ones count either way.

    Args:
        left_out: what need not be there.
    """
    wanted = [key for key in known() if key[0] in labels]
    replaced = {key: set(known()[key].replaces) for key in wanted if known()[key].replaces}
    covered = set(done)
    for key, parts in replaced.items():
        covered |= parts if key in done else set()
        covered |= {key} if parts <= done else set()
    skipped = {part for key, parts in replaced.items() if key not in covered and not parts & done for part in parts}
    return sorted(key for key in wanted if key not in covered and key not in skipped and key not in left_out)
