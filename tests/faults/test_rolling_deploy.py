"""Two releases of the program and of a plugin, each in web and worker processes of its own, on one database, while it is migrated."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from plugin_framework.models import PluginSetting, PluginState
from plugin_framework.tenancy import TenantRef, tenant_scope
from saas.testing.waiting import wait_until
from tests.faults.releases import Release, Visitors, install
from tests.faults.world import Started, World

NEW_HANDLERS = {"hear_again", "see"}


@pytest.fixture
def releases(world: World, tmp_path: Path) -> Iterator[tuple[Release, Release]]:
    """The old one, with which the database was set up, and the new one."""
    old, new = (Release(name, install(name, tmp_path), world) for name in ("old", "new"))
    with old.listening, new.listening:
        old.prepare()
        yield old, new


def test_both_releases_serve_until_the_deploy_is_finished_and_nothing_is_lost(
    world: World, releases: tuple[Release, Release]
) -> None:
    old, new = releases
    old_web, old_worker = old.web(), old.worker()
    visitors = Visitors((old,), world.tenants)
    _new_code_on_an_old_schema(world, releases)
    _migrated_under_the_old_releases_feet(world, new, visitors)
    _side_by_side(world, releases, visitors, old_worker)
    assert old_web.stop() == 0
    _what_the_old_one_used_is_taken_away(world, new, visitors)
    world.settle(seconds=240)
    _nothing_lost(world, visitors)


def _new_code_on_an_old_schema(world: World, releases: tuple[Release, Release]) -> None:
    """A tenant's pages say so, and no other thing; the old ones serve."""
    old, new = releases
    new.web()
    for path in ("/ledger/", "/apps/board/", "/"):
        status, body = new.ask(world.acme, path)
        assert (status, "Acme is being updated" in body) == (503, True)
    assert old.ask(world.acme, "/ledger/")[0] == 200


def _migrated_under_the_old_releases_feet(world: World, new: Release, visitors: Visitors) -> None:
    """One tenant fails: it is as it was, and is served by who could serve it before."""
    _poison(world.globex)
    with visitors.at_work():
        code, report = new.migrate()
    assert (code, [who for who, row in report.items() if row["error"]]) == (1, ["globex"])
    assert set(report["acme"]["applied"]) == {"acme_ledger.0002_amounts", "acme_board.0002_pins"}
    assert (new.ask(world.acme, "/ledger/")[0], new.ask(world.globex, "/ledger/")[0]) == (200, 503)
    _mend(world.globex)
    with visitors.at_work():
        code, report = new.migrate()
    assert code == 0, report
    assert set(report) == {"public", "globex"}


def _side_by_side(world: World, releases: tuple[Release, Release], visitors: Visitors, old_worker: Started) -> None:
    """First with the old worker alone: what it does not know it leaves to others, without using up an attempt."""
    visitors.releases = releases
    with visitors.at_work(least=2):
        pass
    wait_until(lambda: _left_over(world) == NEW_HANDLERS, seconds=240, what="the old worker to do all it can")
    releases[1].worker()
    with visitors.at_work():
        pass
    assert old_worker.stop() == 0
    world.settle(seconds=240)
    assert [_stored(tenant) for tenant in world.tenants] == [
        {"greeting": f"Greetings from {t.slug}"} for t in world.tenants
    ]
    for release in releases:
        assert f"Greetings from {world.acme.slug}" in release.ask(world.acme, "/apps/board/")[1].splitlines()


def _what_the_old_one_used_is_taken_away(world: World, new: Release, visitors: Visitors) -> None:
    """Only once it has gone."""
    assert all(_has_column(tenant, "acme_ledger_entry", "remark") for tenant in world.tenants)
    visitors.releases = (new,)
    with visitors.at_work():
        code, report = new.migrate("--finish")
    assert code == 0, report
    assert set(report["acme"]["applied"]) == {"acme_ledger.0003_no_remarks", "acme_board.0003_no_colours"}
    assert not any(_has_column(tenant, "acme_ledger_entry", "remark") for tenant in world.tenants)
    assert [_stored(tenant) for tenant in world.tenants] == [
        {"welcome": f"Greetings from {t.slug}"} for t in world.tenants
    ]
    assert f"Greetings from {world.acme.slug}" in new.ask(world.acme, "/apps/board/")[1].splitlines()


def _nothing_lost(world: World, visitors: Visitors) -> None:
    """All that was confirmed is there, and each handler that its release knew has heard of it, and of nothing else."""
    rows = world.all_deliveries(plugin="board")
    assert {row.state for row in rows} == {"done"}
    for tenant in world.tenants:
        notes = [text for slug, page, text in visitors.written if (slug, page) == (tenant.slug, "/apps/board/")]
        entries = [text for slug, page, text in visitors.written if (slug, page) == (tenant.slug, "/ledger/")]
        assert _texts(tenant, "SELECT text FROM acme_ledger_entry ORDER BY id") == entries
        assert _texts(tenant, "SELECT text FROM acme_board_note ORDER BY id") == notes
        expected = [f"hear {text}" for text in notes]
        expected += [f"{handler} {text}" for handler in NEW_HANDLERS for text in notes if text.startswith("new")]
        assert set(_texts(tenant, "SELECT handler || ' ' || text FROM acme_board_heard")) == set(expected)


def _left_over(world: World) -> set[str]:
    """The handlers of deliveries that are not done, once none has been tried and all were looked at."""
    rows = world.all_deliveries(plugin="board", state="due")
    return {row.handler if row.held_since and not row.attempts else "?" for row in rows}


def _stored(tenant: TenantRef) -> dict[str, object]:
    with tenant_scope(tenant):
        assert PluginState.objects.get(plugin="board").version == "2.0.0"
        return dict(PluginSetting.objects.filter(plugin_name="board").values_list("key", "value"))


def _texts(tenant: TenantRef, sql: str) -> list[str]:
    with tenant_scope(tenant), connection.cursor() as cursor:
        cursor.execute(sql)
        return [text for (text,) in cursor.fetchall()]


def _has_column(tenant: TenantRef, table: str, column: str) -> bool:
    attribute = (
        "SELECT attname::text FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attname = %s AND NOT attisdropped"
    )
    with tenant_scope(tenant), connection.cursor() as cursor:
        cursor.execute(attribute, [f'"{tenant.schema}".{table}', column])
        return cursor.fetchone() is not None


def _poison(tenant: TenantRef) -> None:
    with tenant_scope(tenant), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE acme_ledger_entry ADD amount int")


def _mend(tenant: TenantRef) -> None:
    with tenant_scope(tenant), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE acme_ledger_entry DROP amount")
