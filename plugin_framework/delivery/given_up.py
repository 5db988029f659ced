"""How many deliveries of many tenants were given up lately: a few dozen schemas in one statement, each read through an index."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import connection
from psycopg import sql

from plugin_framework.db import wear
from plugin_framework.delivery.house import HOUSE
from plugin_framework.tenancy import public_scope

MOST_COUNTED = 500  # of one tenant: nobody needs to know more exactly
_LATEST = """
SELECT {name}, plugin, count(*) FROM (
    SELECT plugin, finished_at FROM {schema}.plugin_framework_delivery WHERE state = 'dead' ORDER BY id DESC LIMIT {most}) AS latest
WHERE finished_at > %(since)s AND plugin <> %(house)s GROUP BY plugin
"""


def given_up(schemas: Sequence[str], since: datetime) -> dict[tuple[str, str], int]:
    """Deliveries given up from `since` on, by schema and plugin, of the latest `MOST_COUNTED` of each tenant; without those that have none.

    Args:
        schemas: those that have their tables.
    """
    if not schemas:
        return {}
    parts = [
        sql.SQL(_LATEST).format(name=schema, schema=sql.Identifier(schema), most=MOST_COUNTED).as_string()
        for schema in schemas
    ]
    with public_scope(), connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(f"({part})" for part in parts), {"since": since, "house": HOUSE})
        found = {(schema, plugin): number for schema, plugin, number in cursor.fetchall()}
    for schema in schemas:
        wear.touch(schema)
    return found
