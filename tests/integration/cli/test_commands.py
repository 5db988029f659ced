"""The commands: the same functions and errors as the pages, one clear sentence when something is wrong."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from plugin_framework.models import AuditEntry, PluginSetting
from plugin_framework.tenancy import public_scope, tenant_scope
from saas.signup.service import sign_up
from saas.testing.people import PASSWORD
from tenants import directory
from tenants.accounts import people
from tenants.accounts.models import User
from tenants.behind import behind
from tenants.models import Tenant
from tenants.provisioning import ensure_platform
from tests.conftest import Tenants
from tests.support.orphans import orphans


def run(*arguments: str) -> str:
    said = io.StringIO()
    call_command(*arguments, stdout=said)
    return said.getvalue()


def rows(*arguments: str) -> Any:
    return json.loads(run(*arguments, "--json"))


def of(name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(row for row in rows("plugins", "list", "--tenant", "acme") if row["plugin"] == name)
    return found


@pytest.mark.usefixtures("tenants")
def test_a_plugin_is_configured_enabled_shown_and_disabled() -> None:
    assert of("canary")["state"] == "disabled"
    said = run("plugins", "enable", "--tenant", "acme", "--plugin", "canary")
    assert "needs_setup" in said
    run("plugins", "configure", "--tenant", "acme", "--plugin", "canary", "--set", "canary=tweet")
    assert of("canary") | {"note": ""} == {
        "plugin": "canary",
        "version": "1.0.0",
        "state": "runs",
        "enabled": True,
        "note": "",
    }
    assert "tweet" in run("plugins", "show", "--tenant", "acme", "--plugin", "canary")
    assert "disabled: canary" in run("plugins", "disable", "--tenant", "acme", "--plugin", "canary")
    assert "Nothing to do" in run("plugins", "disable", "--tenant", "acme", "--plugin", "canary")


def test_the_neighbour_notices_nothing_and_the_command_line_is_audited(tenants: Tenants) -> None:
    run("plugins", "enable", "--tenant", "acme", "--plugin", "canary")
    with tenant_scope(tenants.globex):
        assert not AuditEntry.objects.filter(action="plugin.enabled").exists()
    with tenant_scope(tenants.acme):
        assert "command line" in AuditEntry.objects.get(action="plugin.enabled").actor


def test_settings_can_come_from_a_file_or_from_standard_input(
    tenants: Tenants, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"canary": "from a file"}')
    arguments = ("plugins", "configure", "--tenant", "acme", "--plugin", "canary", "--config")
    run(*arguments, str(path))
    monkeypatch.setattr(sys, "stdin", io.StringIO('{"canary": "piped"}'))
    run(*arguments, "-")
    with tenant_scope(tenants.acme):
        assert PluginSetting.objects.get(plugin_name="canary", key="canary").value == "piped"


def test_a_secret_is_stored_sealed_and_never_shown(tenants: Tenants) -> None:
    address = "https://hooks.slack.com/services/T0/B0/geheim"
    arguments = ("--tenant", "acme", "--plugin", "slack_notifications")
    run("plugins", "configure", *arguments, "--set", f"webhook_url={address}", "--set", "channel=#a")
    assert "geheim" not in run("plugins", "show", *arguments)
    with tenant_scope(tenants.acme):
        assert "geheim" not in json.dumps(list(PluginSetting.objects.values_list("value", flat=True)))


@pytest.mark.usefixtures("tenants")
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("plugins", "enable"), "Say for which organisation"),
        (("plugins", "enable", "--tenant", "acme"), "Say which plugin"),
        (("plugins", "enable", "--tenant", "nobody", "--plugin", "canary"), "no organisation 'nobody'"),
        (("plugins", "enable", "--tenant", "acme", "--plugin", "nonesuch"), "nonesuch"),
        (("plugins", "show", "--tenant", "acme", "--plugin", "nonesuch"), "nonesuch"),
        (("plugins", "configure", "--tenant", "acme", "--plugin", "canary", "--set", "canary"), "KEY=VALUE"),
        (("plugins", "configure", "--tenant", "acme", "--plugin", "canary", "--set", "canary=7"), "canary"),
        (("plugins", "configure", "--tenant", "acme", "--plugin", "canary", "--config", "/nowhere"), "cannot be read"),
        (("tenants", "create"), "Say which organisation"),
        (("tenants", "create", "acme"), "is taken"),
        (("tenants", "create", "www"), "reserved"),
        (("tenants", "create", "No Good"), "letters"),
        (("tenants", "suspend", "nobody"), "nobody"),
        (("tenants", "suspend", "admin"), "platform"),
        (("tenants", "delete", "admin"), "platform"),
        (("tenants", "delete", "nobody"), "nobody"),
        (("tenants", "undelete", "acme"), "nothing to bring back"),
    ],
)
def test_a_mistake_is_one_sentence(arguments: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(CommandError) as caught:
        run(*arguments)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("tenants")
def test_an_organisation_is_made_listed_suspended_and_resumed() -> None:
    assert rows("tenants", "create", "initech", "--name", "Initech")[0]["host"] == "initech.localhost"
    assert {"acme", "globex", "initech", "admin"} == {row["slug"] for row in rows("tenants", "list")}
    run("tenants", "suspend", "initech", "--message", "Not paid")
    with public_scope():
        assert Tenant.objects.get(slug="initech").state_message == "Not paid"
    run("tenants", "resume", "initech")
    with public_scope():
        assert Tenant.objects.get(slug="initech").state == "active"


@pytest.mark.usefixtures("tenants")
def test_an_organisation_is_deleted_and_brought_back() -> None:
    (row,) = rows("tenants", "delete", "acme")
    assert (row["slug"], row["done"], len(row["gone for good"])) == ("acme", "deleted", 25)
    assert {row["state"] for row in rows("tenants", "list") if row["slug"] == "acme"} == {"deleting"}
    assert rows("tenants", "undelete", "acme") == [{"slug": "acme", "done": "brought back", "state": "active"}]


@pytest.mark.usefixtures("tenants")
@pytest.mark.parametrize("command", ["migrate_tenants", "migrate", "migrate_schemas"])
def test_every_way_to_migrate_does_the_same_and_finds_nothing_to_do(command: str) -> None:
    assert run(command) == ""
    assert "0 migrated, 3 were up to date." in run(command, "--verbosity", "2")


def test_an_owner_is_invited_by_a_link(tenants: Tenants) -> None:
    row = rows("tenants", "create", "hooli", "--owner", "gavin@hooli.example")[0]
    token = row["invitation"].partition("invitation=")[2]
    ref = directory.by_slug("hooli")
    assert ref is not None
    with tenant_scope(ref.ref):
        found = people.invitation_for(token)
        assert found is not None
        assert (found.email, found.role) == ("gavin@hooli.example", "owner")
    with pytest.raises(CommandError, match="not an e-mail address"):
        run("tenants", "create", "piedpiper", "--owner", "richard")
    assert directory.by_slug("piedpiper") is None


def test_a_superadmin_is_added_once_and_only_with_a_good_password(
    tenants: Tenants, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "12345")
    with pytest.raises(CommandError, match="too short"):
        run("createsuperuser", "--email", "root@example.com")
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "a long pass phrase 7")
    assert "admin.localhost" in run("createsuperuser", "--email", "root@example.com")
    with pytest.raises(CommandError, match="superadmin already"):
        run("createsuperuser", "--email", "ROOT@example.com")
    with tenant_scope(ensure_platform()):
        assert User.objects.get(email="root@example.com").role == "owner"
    with tenant_scope(tenants.acme):
        assert not User.objects.exists()


@pytest.mark.usefixtures("tenants")
def test_explain_says_of_each_handler_why_it_runs_or_does_not() -> None:
    run("plugins", "enable", "--tenant", "acme", "--plugin", "canary")
    found = {row["plugin"]: row for row in rows("plugins", "explain", "view_pre_dispatch", "--tenant", "acme")}
    assert (found["canary"]["runs"], found["canary"]["reason"]) == (False, "needs_setup")
    run("plugins", "configure", "--tenant", "acme", "--plugin", "canary", "--set", "canary=tweet")
    found = {row["plugin"]: row for row in rows("plugins", "explain", "view_pre_dispatch", "--tenant", "acme")}
    assert found["canary"]["runs"]
    with pytest.raises(CommandError, match=r"Did you mean .*view_pre_dispatch"):
        run("plugins", "explain", "view_pre_dispach", "--tenant", "acme")
    with pytest.raises(CommandError, match="Say which hook"):
        run("plugins", "explain", "--tenant", "acme")


@pytest.mark.usefixtures("tenants")
def test_doctor_finds_what_is_enabled_and_does_not_run_and_fails_then() -> None:
    assert "Everything that is enabled runs" in run("plugins", "doctor")
    run("plugins", "enable", "--tenant", "acme", "--plugin", "canary")
    said = io.StringIO()
    with pytest.raises(CommandError, match="Needing attention: 1"):
        call_command("plugins", "doctor", stdout=said)
    assert "acme" in said.getvalue()
    assert "settings page" in said.getvalue()
    assert "Everything" in run("plugins", "doctor", "--tenant", "globex")


@pytest.mark.usefixtures("tenants")
def test_settings_are_shown_as_they_were_and_brought_back() -> None:
    to_acme = ("--tenant", "acme", "--plugin", "canary")
    run("plugins", "configure", *to_acme, "--set", "canary=one")
    run("plugins", "configure", *to_acme, "--set", "canary=two")
    states = rows("plugins", "history", *to_acme)
    assert [(each["settings"], each["by"]) for each in states] == [
        ({"canary": "two"}, "command line"),
        ({"canary": "one"}, "command line"),
    ]
    run("plugins", "restore", *to_acme, "--revision", str(states[1]["revision"]))
    assert rows("plugins", "show", *to_acme)["settings"] == {"canary": "one"}
    with pytest.raises(CommandError, match="--revision N"):
        run("plugins", "restore", *to_acme)
    assert run("plugins", "upgrade", "--dry-run") == "All settings fit the installed versions.\n"


def test_an_upgrade_names_the_tenants_whose_settings_do_not_fit_and_fails(tenants: Tenants) -> None:
    run("plugins", "configure", "--tenant", "acme", "--plugin", "canary", "--set", "canary=one")
    run("plugins", "enable", "--tenant", "acme", "--plugin", "canary")
    with tenant_scope(tenants.acme):
        PluginSetting.objects.filter(plugin_name="canary").update(value=7)
    said = io.StringIO()
    with pytest.raises(CommandError, match="Not fitting the installed version: 1"):
        call_command("plugins", "upgrade", "--dry-run", "--json", stdout=said)
    (found,) = json.loads(said.getvalue())
    assert (found["tenant"], found["plugin"], found["outcome"]) == ("acme", "canary", "needs setup")


@pytest.mark.usefixtures("committed_db", "tenants")
def test_many_organisations_are_made_at_once_past_those_that_are_there() -> None:
    made = [row["slug"] for row in rows("tenants", "create", "--many", "3", "--prefix", "crowd")]
    assert sorted(made) == ["crowd-1", "crowd-2", "crowd-3"]
    assert "2 organisations made" in run("tenants", "create", "--many", "2", "--prefix", "crowd", "--jobs", "1")
    schemas = [entry.ref.schema for entry in directory.everyone() if entry.ref.slug.startswith("crowd-")]
    assert len(set(schemas)) == 5
    assert behind(schemas) == {}
    assert orphans() == []


@pytest.mark.usefixtures("db")
def test_what_cannot_be_made_many_times_is_said() -> None:
    for wrong in (("--many", "0"), ("--many", "2", "--jobs", "0"), ("--many", "2", "--prefix", "Crowd!")):
        with pytest.raises(CommandError):
            run("tenants", "create", *wrong)


@pytest.mark.usefixtures("tenants")
def test_the_pool_is_shown_and_filled(settings: Settings) -> None:
    settings.SPARE_SCHEMAS = 2
    empty = {"ready": 0, "wanted": 2, "stale": 0, "waiting": 0, "given_up": 0}
    assert rows("tenants", "spares") == [empty]
    assert rows("tenants", "spares", "--fill") == [{**empty, "ready": 2}]


@pytest.mark.usefixtures("tenants")
def test_one_that_is_being_set_up_is_listed_and_nothing_is_done_inside_it(settings: Settings) -> None:
    settings.SPARE_SCHEMAS = 2
    sign_up(organisation="Initech", slug="initech", name="Bill", email="b@initech.example", password=PASSWORD)
    assert {row["slug"]: row["state"] for row in rows("tenants", "list")}["initech"] == "provisioning"
    with pytest.raises(CommandError, match="still being set up"):
        run("plugins", "list", "--tenant", "initech")
    assert "tried again" in run("tenants", "retry", "initech")
    with pytest.raises(CommandError, match="not being set up"):
        run("tenants", "retry", "acme")
