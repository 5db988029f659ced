"""`manage.py migrate_tenants` as an operator sees it: what it says where, how it ends, and that it can be stopped."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.core.management import CommandError, call_command

from plugin_framework import lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.models import PluginState
from plugin_framework.tenancy import TenantRef, tenant_scope
from saas.testing.waiting import wait_until
from tenants import fleet
from tenants.fleet import Options
from tests.conftest import Tenants
from tests.support.fleet import LACKING, is_current, make, set_back


@pytest.fixture
def orgs(committed_db: str, tenants: Tenants) -> list[TenantRef]:
    """acme, firm1 and globex, beside the platform's own; all behind."""
    found = [tenants.acme, *make(1), tenants.globex]
    for ref in found:
        set_back(ref)
    return found


@contextmanager
def _command(url: str, *options: str, error: int = subprocess.PIPE) -> Iterator[subprocess.Popen[bytes]]:
    """The command, in a process of its own."""
    own = {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "saas.settings_test"}
    command = [sys.executable, "manage.py", "migrate_tenants", *options]
    process = subprocess.Popen(command, env={**os.environ, **own}, stdout=subprocess.PIPE, stderr=error)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait(60)


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_told_to_stop_it_finishes_what_is_under_way_and_says_how_to_go_on(
    orgs: list[TenantRef], committed_db: str, signum: signal.Signals
) -> None:
    with psycopg.connect(committed_db) as other:
        other.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"plugins:{orgs[1].schema}"])
        with _command(committed_db, "--jobs", "1", "--lock-timeout", "600") as process:
            wait_until(lambda: is_current(orgs[0]), seconds=240)
            waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            with psycopg.connect(committed_db, autocommit=True) as looking:
                wait_until(lambda: looking.execute(waits).fetchone() == (1,), what="it to come to the second")
            process.send_signal(signum)
            assert process.stderr is not None
            said = process.stderr.readline()
            other.rollback()
            out, err = process.communicate(timeout=240)
    assert b"beginning no other" in said
    assert process.returncode == 128 + signum
    assert b"Stopped; 1 were not begun. Run it again to go on." in err
    assert b"firm1: 1 migrations applied" in out
    assert [is_current(ref) for ref in orgs] == [True, True, False]


def test_on_a_terminal_a_bar_is_drawn_and_taken_away_again_and_elsewhere_there_are_plain_lines(
    orgs: list[TenantRef], committed_db: str
) -> None:
    ours, theirs = pty.openpty()
    with _command(committed_db, "--jobs", "1", error=theirs) as process:
        out, _ = process.communicate(timeout=240)
    os.close(theirs)
    drawn = os.read(ours, 100_000).decode()
    os.close(ours)
    assert process.returncode == 0
    assert "3 of 3 tenants" in drawn
    assert drawn.endswith("\r\x1b[K"), "nothing of it is left"
    plain = [f"{ref.slug}: 1 migrations applied" for ref in sorted(orgs, key=lambda ref: ref.slug)]
    assert out.decode().splitlines() == [*plain, "3 migrated, 1 were up to date."]


def test_without_a_terminal_nothing_is_drawn(orgs: list[TenantRef], capsys: pytest.CaptureFixture[str]) -> None:
    call_command("migrate_tenants", "--jobs", "1")
    assert capsys.readouterr().err == ""


def test_one_tenant_alone_is_migrated_when_it_is_named(
    orgs: list[TenantRef], capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("migrate_tenants", "--tenant", "firm1", "--json")
    rows = json.loads(capsys.readouterr().out)
    assert [(row["who"], row["applied"]) for row in rows] == [("public", []), ("firm1", [LACKING])]
    assert [is_current(ref) for ref in orgs] == [False, True, False]
    with pytest.raises(CommandError, match="no organisation called nobody"):
        call_command("migrate_tenants", "--tenant", "nobody")


def test_a_plan_changes_nothing_and_can_be_asked_for_as_a_dry_run(
    orgs: list[TenantRef], capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("migrate_tenants", "--dry-run", "--json")
    rows = json.loads(capsys.readouterr().out)
    assert [(row["tenant"], row["migrations"]) for row in rows] == [
        (slug, [LACKING]) for slug in ("acme", "firm1", "globex")
    ]
    assert not any(map(is_current, orgs))


def test_a_tenant_that_is_deleted_meanwhile_is_no_failure(orgs: list[TenantRef], committed_db: str) -> None:
    plan = fleet.plan(Options())
    with psycopg.connect(committed_db, autocommit=True) as other:
        other.execute(f'DROP SCHEMA "{orgs[0].schema}" CASCADE')
        other.execute(
            "DELETE FROM public.tenants_domain WHERE tenant_id IN (SELECT id FROM public.tenants_tenant WHERE slug = 'acme')"
        )
        other.execute("DELETE FROM public.tenants_tenant WHERE slug = 'acme'")
    found = {outcome.who: outcome for outcome in fleet.migrate_tenants(plan, Options())}
    assert (found["acme"].gone, found["acme"].error) == (True, "")
    assert found["firm1"].applied == (LACKING,)


def test_somebody_in_the_way_of_the_shared_schema_is_waited_for_and_then_reported(
    orgs: list[TenantRef], committed_db: str
) -> None:
    with psycopg.connect(committed_db) as other:
        other.execute("SELECT pg_advisory_xact_lock(hashtextextended('migrate:public', 0))")
        outcome = fleet.migrate_public(Options(lock_timeout=0.02, tries=2))
        assert "lock timeout" in outcome.error
        assert outcome.tries == 2
        with pytest.raises(CommandError, match="The shared schema could not be migrated, and no tenant was begun"):
            call_command("migrate_tenants", "--lock-timeout", "0.01")
    assert not any(map(is_current, orgs))


def test_an_older_version_of_a_plugin_never_comes_after_a_newer_one(orgs: list[TenantRef]) -> None:
    with tenant_scope(orgs[0]):
        lifecycle.enable("orders", SYSTEM)
        PluginState.objects.update(version="99.0")
    assert [ref.slug for ref, lacks in fleet.plan(Options()).waiting if lacks.plugins] == []
    list(fleet.migrate_everything())
    with tenant_scope(orgs[0]):
        lifecycle.disable("orders", SYSTEM)
        lifecycle.enable("orders", SYSTEM)
        assert PluginState.objects.get(plugin="orders").version == "99.0"
