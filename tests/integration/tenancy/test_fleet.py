"""Migrating many tenants: who is behind is found at once, faults stay where they are, and a second run goes on where the first ended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from plugin_framework import lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.models import PluginState
from plugin_framework.tenancy import TenantRef, tenant_scope
from saas.testing.waiting import wait_until
from tenants import fleet
from tenants.behind import Behind, behind
from tenants.fleet import Options, Outcome, UnknownTenant, migrate_everything
from tests.conftest import Tenants
from tests.support.fleet import LACKING, is_current, make, mend, poison, set_back


@pytest.fixture
def orgs(committed_db: str, tenants: Tenants) -> list[TenantRef]:
    """acme, firm1, firm2 and globex, beside the platform's own."""
    return [tenants.acme, *make(2), tenants.globex]


def _run(**options: Any) -> dict[str, Outcome]:
    return {outcome.who: outcome for outcome in migrate_everything(Options(**options)) if outcome.who != "public"}


def test_tenants_that_are_up_to_date_are_found_with_one_statement_and_skipped(orgs: list[TenantRef]) -> None:
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert behind(ref.schema for ref in orgs) == {}
    fingerprints = [query for query in asked.captured_queries if "md5" in query["sql"]]
    assert len(fingerprints) == 1
    assert len(asked) <= 6, (
        "two for what waits for the end of a deploy; who is complete, fingerprints, the one state they are all in"
    )
    assert _run() == {}


def test_only_who_is_behind_is_migrated_and_with_what_it_lacks(orgs: list[TenantRef]) -> None:
    set_back(orgs[1])
    assert behind(ref.schema for ref in orgs) == {orgs[1].schema: Behind((LACKING,))}
    found = _run()
    assert {who: outcome.applied for who, outcome in found.items()} == {"firm1": (LACKING,)}
    assert is_current(orgs[1])
    assert _run() == {}


def test_a_plugins_migrations_are_lacking_only_where_it_is_installed(orgs: list[TenantRef]) -> None:
    with tenant_scope(orgs[0]):
        lifecycle.enable("announcements", SYSTEM)
        lifecycle.disable("announcements", SYSTEM)
        with connection.cursor() as cursor:
            cursor.execute(
                "DELETE FROM django_migrations WHERE app = 'announcements_plugin' AND name <> '0001_initial'"
            )
    lacking = Behind(("announcements_plugin.0002_moments_and_words_of_links",))
    assert behind(ref.schema for ref in orgs) == {orgs[0].schema: lacking}


def test_a_plugin_whose_new_version_is_the_first_with_tables_gets_them_where_it_is_enabled(
    orgs: list[TenantRef],
) -> None:
    for ref in orgs[:2]:
        with tenant_scope(ref), connection.cursor() as cursor:
            lifecycle.enable("webhooks", SYSTEM)
            tables = PluginState.objects.get(plugin="webhooks").tables
            cursor.execute(f"DROP TABLE {', '.join(tables)} CASCADE")
            cursor.execute("DELETE FROM django_migrations WHERE app = 'webhooks_plugin'")
            PluginState.objects.update(tables=[], app_label="", version="0.0.1")
    with tenant_scope(orgs[1]):
        lifecycle.disable("webhooks", SYSTEM)
    found = _run()
    assert found["acme"].applied == ("webhooks_plugin.0001_initial",)
    assert found["firm1"].applied == (), "who has it disabled gets its tables when it is enabled again"
    with tenant_scope(orgs[0]):
        state = PluginState.objects.get(plugin="webhooks")
        assert (state.tables, state.app_label) == (tables, "webhooks_plugin"), "so that it can be purged"


def test_a_newer_version_of_a_plugin_is_written_down_where_it_is_installed(orgs: list[TenantRef]) -> None:
    with tenant_scope(orgs[0]):
        lifecycle.enable("orders", SYSTEM)
        PluginState.objects.update(version="0.0.1")
    assert behind(ref.schema for ref in orgs) == {orgs[0].schema: Behind(plugins=("orders",))}
    assert list(_run()) == ["acme"]
    with tenant_scope(orgs[0]):
        assert PluginState.objects.get(plugin="orders").version != "0.0.1"
    assert _run() == {}


def test_a_schema_that_is_not_there_is_an_error_of_that_tenant_alone(orgs: list[TenantRef]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f'DROP SCHEMA "{orgs[0].schema}" CASCADE')
    set_back(orgs[1])
    found = _run()
    assert found["acme"].error
    assert found["firm1"].applied == (LACKING,)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_namespace WHERE nspname = %s", [orgs[0].schema])
        assert cursor.fetchone()[0] == 0, "nothing is made in place of what is gone"


@pytest.mark.parametrize("jobs", [1, 3])
def test_a_poisoned_tenant_stops_nobody_else_and_a_second_run_does_the_rest(orgs: list[TenantRef], jobs: int) -> None:
    for ref in orgs[1:]:
        set_back(ref)
    poison(orgs[0])
    found = _run(jobs=jobs)
    assert sorted(found) == ["acme", "firm1", "firm2", "globex"]
    assert [who for who, outcome in found.items() if outcome.error] == ["acme"]
    assert "already exists" in found["acme"].error
    assert [is_current(ref) for ref in orgs] == [False, True, True, True]
    mend(orgs[0])
    assert list(_run(jobs=jobs)) == ["acme"]
    assert is_current(orgs[0])


EXITS = """
import sys
from django.db import connection, migrations

def leave(apps, editor):
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('marked')")
        if cursor.fetchone()[0]:
            sys.exit(3)

class Migration(migrations.Migration):
    initial = True
    operations = [migrations.RunPython(leave)]
"""


@pytest.mark.parametrize("jobs", [1, 3])
def test_a_migration_that_ends_the_program_is_a_failure_of_that_tenant_alone(
    orgs: list[TenantRef], jobs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    folder = tmp_path / "migrations_that_exit"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "0001_initial.py").write_text(EXITS)
    monkeypatch.syspath_prepend(tmp_path)
    settings.MIGRATION_MODULES = {"sessions": folder.name}
    for ref in orgs:
        set_back(ref)
    with tenant_scope(orgs[0]), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE marked (id int)")
    found = _run(jobs=jobs)
    assert {who: outcome.error for who, outcome in found.items() if outcome.error} == {
        "acme": "sessions.0001_initial: SystemExit: 3"
    }
    assert sorted(found) == ["acme", "firm1", "firm2", "globex"]


@pytest.mark.parametrize("jobs", [1, 2])
def test_nobody_else_is_begun_after_too_many_failures(orgs: list[TenantRef], jobs: int) -> None:
    for ref in orgs[:2]:
        poison(ref)
    for ref in orgs[2:]:
        set_back(ref)
    found = _run(jobs=jobs, max_failures=1)
    assert sum(bool(outcome.error) for outcome in found.values()) >= 1
    assert len(found) <= jobs
    assert not is_current(orgs[3])


def test_nobody_else_is_begun_when_a_canary_fails(orgs: list[TenantRef]) -> None:
    poison(orgs[2])
    for ref in (orgs[0], orgs[3]):
        set_back(ref)
    assert list(_run(canaries=("firm2",), max_failures=9)) == ["firm2"]
    mend(orgs[2])
    assert list(_run(canaries=("firm2",))) == ["firm2", "acme", "globex"], "the canary first, the others by name"
    with pytest.raises(UnknownTenant, match="nobody"):
        _run(canaries=("nobody",))


def test_the_platforms_own_tenant_goes_before_all_others(orgs: list[TenantRef]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE platform.django_session")
        cursor.execute("DELETE FROM platform.django_migrations WHERE app = 'sessions'")
    set_back(orgs[0])
    assert list(_run()) == ["admin", "acme"]


def test_whoever_is_in_the_way_is_waited_for_a_little_and_then_tried_again(
    orgs: list[TenantRef], committed_db: str
) -> None:
    set_back(orgs[0])
    with psycopg.connect(committed_db) as other:
        other.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"plugins:{orgs[0].schema}"])
        thread = threading.Thread(target=_go_after_one_wait, args=(other, committed_db))
        thread.start()
        found = _run(lock_timeout=0.2, tries=50)
        thread.join()
    assert (found["acme"].error, found["acme"].applied) == ("", (LACKING,))
    assert found["acme"].tries > 1


def test_whoever_is_in_the_way_of_a_migration_itself_is_waited_for_as_well(
    orgs: list[TenantRef], committed_db: str
) -> None:
    set_back(orgs[0])
    with psycopg.connect(committed_db) as other:
        other.execute(f'CREATE TABLE "{orgs[0].schema}".django_session (id int)')
        thread = threading.Thread(target=_go_after_one_wait, args=(other, committed_db))
        thread.start()
        found = _run(lock_timeout=0.2, tries=50)
        thread.join()
    assert (found["acme"].error, found["acme"].applied) == ("", (LACKING,))
    assert found["acme"].tries > 1


def _go_after_one_wait(holding: psycopg.Connection[Any], url: str) -> None:
    """Let go of the lock once somebody has waited for it and given up."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE %s = ANY (pg_blocking_pids(pid))"
    me = [holding.info.backend_pid]
    with psycopg.connect(url, autocommit=True) as looking:
        for number in (1, 0):
            wait_until(lambda number=number: looking.execute(waiting, me).fetchone() == (number,), seconds=240)
    holding.rollback()


def test_whoever_stays_in_the_way_is_reported_and_nothing_of_the_tenant_is_changed(
    orgs: list[TenantRef], committed_db: str
) -> None:
    set_back(orgs[0])
    with psycopg.connect(committed_db) as other:
        other.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"plugins:{orgs[0].schema}"])
        found = _run(lock_timeout=0.02, tries=2)
    assert "lock timeout" in found["acme"].error
    assert found["acme"].tries == 2
    assert not is_current(orgs[0])


def test_two_runs_at_once_both_end_well_and_apply_each_migration_once(orgs: list[TenantRef], committed_db: str) -> None:
    for ref in orgs:
        set_back(ref)
    environment = {**os.environ, "DATABASE_URL": committed_db, "DJANGO_SETTINGS_MODULE": "saas.settings_test"}
    command = [sys.executable, "manage.py", "migrate_tenants", "--jobs", "2", "--json"]
    runs = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    answers = [run.communicate(timeout=120) for run in runs]
    assert [run.returncode for run in runs] == [0, 0], answers
    applied = [row["who"] for out, _ in answers for row in json.loads(out) if row["applied"]]
    assert sorted(applied) == [ref.slug for ref in orgs]


def test_the_command_plans_reports_as_json_and_exits_with_an_error(
    orgs: list[TenantRef], capsys: pytest.CaptureFixture[str]
) -> None:
    poison(orgs[0])
    set_back(orgs[1])
    call_command("migrate_tenants", "--plan")
    planned = capsys.readouterr().out
    assert f"acme: migrations: {LACKING}" in planned
    assert planned.endswith("2 behind, 3 up to date.\n")
    with pytest.raises(CommandError, match=r"1 of the tenants could not be migrated: acme\."):
        call_command("migrate_tenants", "--json", "--jobs", "1")
    rows = {row["who"]: row for row in json.loads(capsys.readouterr().out)}
    assert list(rows) == ["public", "acme", "firm1"]
    assert "already exists" in rows["acme"]["error"]
    assert rows["firm1"]["applied"] == [LACKING]
    with pytest.raises(CommandError, match="at least 1"):
        call_command("migrate_tenants", "--jobs", "0")
    with pytest.raises(CommandError, match="no organisation called nobody"):
        call_command("migrate_tenants", "--canary", "nobody")


def test_how_many_were_not_begun_is_said(orgs: list[TenantRef]) -> None:
    for ref in orgs[:2]:
        poison(ref)
    with pytest.raises(CommandError, match="1 were not begun"):
        call_command("migrate_tenants", "--max-failures", "1", "--jobs", "1")


def test_what_was_not_reached_is_in_the_next_plan(orgs: list[TenantRef]) -> None:
    for ref in orgs:
        set_back(ref)
    options = Options(canaries=("firm1",))
    reached = next(fleet.migrate_tenants(fleet.plan(options), options))
    assert reached.who == "firm1"
    assert [ref.slug for ref, _ in fleet.plan(options).waiting] == ["acme", "firm2", "globex"]
