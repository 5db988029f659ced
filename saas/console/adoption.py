"""In how many organisations each plugin is enabled: read again only where a revision has changed since this process looked last."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import batched

from django.db import connection
from psycopg import sql

from plugin_framework.tenancy import public_scope
from plugin_framework.tenant_record import having_tables
from tenants.models import PLATFORM_SCHEMA, State

AT_ONCE = 250  # schemas in one statement: each costs locks and planning time
READ_AT_MOST = 750  # schemas read for one page; in a larger fleet a new process has seen all of them after a few pages
_ENABLED = sql.SQL(
    "SELECT {name}, plugin FROM {schema}.plugin_framework_pluginstate"
    " WHERE enabled AND (%(plugin)s::text IS NULL OR plugin = %(plugin)s)"
)
_FLEET = """
SELECT tenant.schema_name, coalesce(known.revision, 0) FROM public.tenants_tenant AS tenant
LEFT JOIN public.catalog_tenantrevision AS known ON known.tenant_schema = tenant.schema_name
WHERE tenant.schema_name <> %s AND tenant.state <> %s ORDER BY tenant.id
"""


@dataclass(frozen=True, slots=True)
class Adoption:
    """In how many tenants each plugin is enabled."""

    counts: Mapping[str, int]
    looked_at: int  # tenants
    total: int  # tenants; more than `looked_at` while a process does not know a large fleet yet

    @property
    def complete(self) -> bool:
        """Whether every tenant was counted."""
        return self.looked_at == self.total


class Known:
    """What this process knows of each schema: the revision it was read at, and the plugins that were enabled.

    A revision commits together with the change it stands for, and is never given out twice: as long as it is the same, so are they.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._plugins: dict[str, tuple[int, frozenset[str]]] = {}
        self._alike: dict[frozenset[str], frozenset[str]] = {}  # most tenants have one of a few sets

    def count(self) -> Adoption:
        """Count, after reading what has changed: at most `READ_AT_MOST` schemas, the oldest first; the others are left out."""
        fleet = _fleet()
        with self._lock:
            known = dict(self._plugins)
        changed = [schema for schema, revision in fleet.items() if known.get(schema, (None,))[0] != revision]
        read = plugins_of(changed[:READ_AT_MOST])
        with self._lock:
            for schema, plugins in read.items():
                self._plugins[schema] = known[schema] = fleet[schema], self._alike.setdefault(plugins, plugins)
            for gone in self._plugins.keys() - fleet.keys():
                del self._plugins[gone]
        fresh = [known[schema][1] for schema in fleet.keys() - set(changed[READ_AT_MOST:])]
        return Adoption(Counter(plugin for plugins in fresh for plugin in plugins), len(fresh), len(fleet))

    def clear(self) -> None:
        """Forget all of it, where another database stands behind the same names."""
        with self._lock:
            self._plugins.clear()
            self._alike.clear()


known = Known()


def count_adoption() -> Adoption:
    """How many tenants have enabled what."""
    return known.count()


def plugins_of(schemas: Iterable[str]) -> dict[str, frozenset[str]]:
    """The enabled plugins of each of these tenants."""
    wanted = list(schemas)
    found: dict[str, set[str]] = {schema: set() for schema in wanted}
    for schema, plugin in enabled(wanted):
        found[schema].add(plugin)
    return {schema: frozenset(plugins) for schema, plugins in found.items()}


def enabled(schemas: Sequence[str], plugin: str | None = None) -> Iterator[tuple[str, str]]:
    """Pairs of schema and enabled plugin, of those that have their tables; of one plugin alone if it is named."""
    for some in batched(schemas, AT_ONCE):
        query = sql.SQL(" UNION ALL ").join(
            _ENABLED.format(name=schema, schema=sql.Identifier(schema)) for schema in having_tables(some)
        )
        if not query.as_string():
            continue
        with public_scope(), connection.cursor() as cursor:
            cursor.execute(query.as_string(), {"plugin": plugin})
            yield from cursor.fetchall()


def _fleet() -> dict[str, int]:
    """The revision of each tenant that has its schema, the oldest first. Read before the plugins: what changes in between is read again."""
    with public_scope(), connection.cursor() as cursor:
        cursor.execute(_FLEET, [PLATFORM_SCHEMA, State.PROVISIONING.value])
        return dict(cursor.fetchall())
