"""One organisation is damaged, its schema or a table of it gone: what is done for all is done for all others, and it is named."""

from __future__ import annotations

import io
import itertools
import json
import os
import subprocess
import sys
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django import Settings

from plugin_framework import key_rotation, lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.db import recorded
from plugin_framework.models import PluginState
from plugin_framework.tenancy import TenantRef, tenant_scope
from saas import damage
from saas.demo.preparing import prepare
from saas.demo.seed import Ports
from tenants import fleet, wholeness
from tenants.accounts.models import User
from tenants.fleet import Options
from tests.conftest import Tenants
from tests.support.fleet import is_current, make, set_back

LOSSES = {
    "all of it": 'DROP SCHEMA "{schema}" CASCADE',
    "all that is in it": 'DROP SCHEMA "{schema}" CASCADE; CREATE SCHEMA "{schema}"',
    "its people": 'DROP TABLE "{schema}".accounts_user CASCADE',
    "its plugins": 'DROP TABLE "{schema}".plugin_framework_pluginstate CASCADE',
    "its audit log": 'DROP TABLE "{schema}".plugin_framework_auditentry CASCADE',
}
every_loss = pytest.mark.parametrize("what", LOSSES)


def lose(ref: TenantRef, what: str) -> None:
    """As somebody does who types the wrong name into psql."""
    with connection.cursor() as cursor:
        cursor.execute(LOSSES[what].format(schema=ref.schema))
    recorded.forget()  # as in a process that was started afterwards


def is_empty(ref: TenantRef) -> bool:
    """Whether nothing was made in place of what is gone."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = %s", [ref.schema])
        return not cursor.fetchone()[0]


@every_loss
def test_the_demo_starts_and_says_which_one_is_damaged_and_what_to_do(
    committed_db: str, tenants: Tenants, settings: Settings, what: str
) -> None:
    settings.DEMO = settings.PLUGIN_ALLOW_LOOPBACK = True
    lose(tenants.globex, what)
    said: list[str] = []
    prepare(Ports(8000), said.append)
    (told,) = [line for line in said if "globex" in line and "Making" not in line]
    for words in ("Globex (globex) is damaged: its schema", tenants.globex.schema, "/tenants/globex/"):
        assert words in told
    with tenant_scope(tenants.acme):
        assert User.objects.filter(email="ada@acme.example").exists()
        assert PluginState.objects.get(plugin="orders").enabled
    if what.startswith("all"):
        assert is_empty(tenants.globex)


@every_loss
def test_the_demo_starts_without_the_one_that_it_shows_most_of(
    committed_db: str, tenants: Tenants, settings: Settings, what: str
) -> None:
    settings.DEMO = settings.PLUGIN_ALLOW_LOOPBACK = True
    lose(tenants.acme, what)
    said: list[str] = []
    prepare(Ports(8000), said.append)
    assert [line for line in said if "Acme (acme) is damaged" in line]
    with tenant_scope(tenants.globex):
        assert User.objects.filter(email="gil@globex.example").exists()


@every_loss
def test_whoever_starts_a_worker_finds_it_in_the_log(
    tenants: Tenants, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    lose(tenants.globex, what)
    damage.tell()
    assert [(each.levelname, "Globex (globex) is damaged" in each.message) for each in caplog.records] == [
        ("ERROR", True)
    ]


def test_a_worker_starts_and_names_it_first(committed_db: str, tenants: Tenants) -> None:
    lose(tenants.globex, "all of it")
    own = {"DATABASE_URL": committed_db, "DJANGO_SETTINGS_MODULE": "saas.settings_test"}
    command = [sys.executable, "manage.py", "worker", "--children", "1"]
    process = subprocess.Popen(command, env={**os.environ, **own}, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        said = list(itertools.takewhile(lambda line: "started with 1 children" not in line, process.stderr))
    finally:
        process.terminate()
        process.communicate(timeout=60)
    assert process.returncode == 0
    assert [line for line in said if "Globex (globex) is damaged" in line and "ERROR" in line]


def test_where_all_are_whole_nobody_is_named_and_one_that_is_behind_is_not_damaged(
    tenants: Tenants, caplog: pytest.LogCaptureFixture
) -> None:
    set_back(tenants.globex)
    recorded.forget()
    damage.tell()
    assert ("damaged" in caplog.text, wholeness.lost()) == (False, [])


@every_loss
def test_the_doctor_names_it_and_looks_into_the_others(tenants: Tenants, what: str) -> None:
    with tenant_scope(tenants.globex):
        lifecycle.enable("email_notifications", SYSTEM)
    lose(tenants.acme, what)
    rows, error = _run("plugins", "doctor")
    found = {(row["tenant"], row["plugin"]): row for row in rows if row["tenant"]}
    assert found.keys() == {("acme", ""), ("globex", "email_notifications")}
    assert "its schema is not there, or is not complete" in found["acme", ""]["what"].lower()
    assert "/tenants/acme/" in found["acme", ""]["remedy"]
    assert "Needing attention: 2" in error


@every_loss
def test_settings_are_upgraded_in_the_others_and_it_is_named(tenants: Tenants, what: str) -> None:
    for ref in (tenants.acme, tenants.globex):
        with tenant_scope(ref):
            lifecycle.enable("webhooks", SYSTEM)
            PluginState.objects.filter(plugin="webhooks").update(config_version=0)
    lose(tenants.acme, what)
    rows, error = _run("plugins", "upgrade")
    assert [(row["tenant"], row["plugin"], row["outcome"]) for row in rows] == [("globex", "webhooks", "upgraded")]
    assert error.startswith("acme: Its schema is not there, or is not complete. Its page in the console")


@every_loss
@pytest.mark.parametrize(
    "command",
    [
        ("plugins", "list", "--tenant", "acme"),
        ("plugins", "enable", "--tenant", "acme", "--plugin", "orders"),
        ("tenants", "usage", "acme"),
        ("keys", "rotate", "--tenant", "acme"),
    ],
    ids=" ".join,
)
def test_a_command_about_it_says_so_and_ends(tenants: Tenants, what: str, command: tuple[str, ...]) -> None:
    lose(tenants.acme, what)
    with pytest.raises(CommandError, match=r"^Acme \(acme\) is damaged: its schema"):
        call_command(*command, stdout=io.StringIO())


def _run(*arguments: str) -> tuple[list[dict[str, Any]], str]:
    """The rows that a command printed, and the error with which it ended."""
    said = io.StringIO()
    with pytest.raises(CommandError) as caught:
        call_command(*arguments, "--json", stdout=said)
    return json.loads(said.getvalue()), str(caught.value)


@pytest.mark.parametrize("jobs", [1, 3])
@pytest.mark.parametrize("what", ["all of it", "all that is in it", "its plugins"])
def test_however_many_are_lost_the_others_are_migrated_and_nothing_is_made_in_place_of_what_is_gone(
    committed_db: str, tenants: Tenants, what: str, jobs: int
) -> None:
    others = make(2)
    for ref in (tenants.acme, tenants.globex):
        lose(ref, what)
    for ref in others:
        set_back(ref)
    found = {each.who: each for each in fleet.migrate_everything(Options(jobs=jobs, max_failures=1))}
    assert all(
        found[ref.slug].lost and "SchemaMissing" in found[ref.slug].error for ref in (tenants.acme, tenants.globex)
    )
    assert all(is_current(ref) for ref in others)
    if what.startswith("all"):
        assert is_empty(tenants.acme)


@every_loss
def test_keys_are_rotated_in_the_others(tenants: Tenants, what: str) -> None:
    lose(tenants.acme, what)
    found = {each.where: each for each in key_rotation.rotate(SYSTEM)}
    assert not found["globex"].lost
    assert not found["admin"].lost
