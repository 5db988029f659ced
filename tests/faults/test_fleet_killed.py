"""`migrate_tenants` killed again and again, over a fleet with poisoned tenants: what is there is whole, and the next run goes on."""

from __future__ import annotations

import os
from collections.abc import Callable

from django.db import connection

from plugin_framework.tenancy import TenantRef, tenant_scope
from saas.testing.people import person
from saas.testing.waiting import wait_until
from tests.faults.world import Started, World
from tests.support.fleet import is_current, make, mend, poison, set_back

TENANTS = int(os.environ.get("FLEET_TENANTS", "6"))
POISONED = int(os.environ.get("FLEET_POISONED", "1"))
KILLS = int(os.environ.get("FLEET_KILLS", "1"))
# Of every table: its columns, and a digest of its rows whatever their order.
_TABLES = "SELECT relname::text FROM pg_class WHERE relnamespace = to_regnamespace(%s) AND relkind = 'r' ORDER BY 1"
_COLUMNS = """
SELECT string_agg(concat_ws(' ', attname, format_type(atttypid, atttypmod), attnotnull), ',' ORDER BY attnum) FROM pg_attribute
WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped
"""
_ROWS = "SELECT md5(coalesce(string_agg(row::text, '|' ORDER BY row::text), '')) FROM {table} AS row"

type State = dict[str, tuple[str, str]]  # by table: its columns, and a digest of its rows


def state_of(ref: TenantRef) -> State:
    """All that a tenant's schema holds, but for when and what was migrated."""
    found: State = {}
    with tenant_scope(ref), connection.cursor() as cursor:
        cursor.execute(_TABLES, [f'"{ref.schema}"'])
        for (table,) in cursor.fetchall():
            name = f'"{ref.schema}".{table}'
            cursor.execute(_COLUMNS, [name])
            columns = cursor.fetchone()[0]
            cursor.execute(_ROWS.format(table=name))
            found[table] = (columns, cursor.fetchone()[0])
    del found["django_migrations"]
    return found


def test_a_second_run_converges_whatever_was_killed_and_poisoned(
    world: World, counted: Callable[[str, int], None]
) -> None:
    orgs = [*world.tenants, *make(TENANTS - 2)]
    for ref in orgs:
        person(ref, "member", f"ada@{ref.slug}.example")
    whole = {ref.slug: state_of(ref) for ref in orgs}
    bad, good = orgs[1 : 1 + POISONED], [orgs[0], *orgs[1 + POISONED :]]
    for ref in bad:
        poison(ref)
    before = {ref.slug: state_of(ref) for ref in bad}
    kills = 0
    while kills < KILLS:
        for ref in good:
            if is_current(ref):
                set_back(ref)
        kills += _killed_at_every_step(world, good, KILLS - kills)
        assert all(state_of(ref) == before[ref.slug] for ref in bad), "what fails leaves nothing behind"

    last = _migrate(world)
    assert last.process.wait(timeout=600) == 1
    assert f"{POISONED} of the tenants could not be migrated: " in last.text
    assert [ref.slug for ref in good if state_of(ref) != whole[ref.slug]] == []
    assert [ref.slug for ref in bad if state_of(ref) != before[ref.slug]] == []
    for ref in bad:
        mend(ref)
    assert _migrate(world).process.wait(timeout=600) == 0
    assert [ref.slug for ref in orgs if state_of(ref) != whole[ref.slug] or not is_current(ref)] == []
    counted(f"kills of migrate_tenants over {TENANTS} tenants, {POISONED} of them poisoned", kills)


def _killed_at_every_step(world: World, good: list[TenantRef], most: int) -> int:
    """Kill a run after each few tenants, until all are migrated; how many were killed."""
    kills = 0
    step = max(1, len(good) // 8)
    while kills < most:
        left = [ref for ref in good if not is_current(ref)]
        if len(left) <= step:
            return kills
        run = _migrate(world)
        wait_until(
            lambda left=left: sum(map(is_current, left[: 4 * step + 4])) >= step,
            seconds=300,
            what="some to be migrated",
        )
        run.kill()
        kills += 1
        assert all(is_current(ref) or _is_set_back(ref) for ref in good), "each is old or new, and none is half"
    return kills


def _is_set_back(ref: TenantRef) -> bool:
    with tenant_scope(ref), connection.cursor() as cursor:
        cursor.execute(
            "SELECT to_regclass(%s) IS NULL, NOT EXISTS (SELECT FROM django_migrations WHERE app = 'sessions')",
            [f'"{ref.schema}".django_session'],
        )
        return cursor.fetchone() == (True, True)


def _migrate(world: World) -> Started:
    return world.run("manage.py", "migrate_tenants", "--jobs", "2", "--max-failures", str(POISONED + 1))
