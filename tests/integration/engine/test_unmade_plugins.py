"""A plugin that was loaded, and whose constructor fails later, for one tenant say: it has failed to start there, and nothing else has."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest
from django.test import Client

from plugin_framework import activation, configuration, defaults, hooks, lifecycle, personal_data, upgrades
from plugin_framework.audit import SYSTEM
from plugin_framework.catalog import offers
from plugin_framework.catalog.revisions import bump_tenant
from plugin_framework.gate import Reason
from plugin_framework.models import PluginState
from plugin_framework.registry import registry
from plugin_framework.sdk import CheckResult, ConfigurablePlugin, Person, hook
from plugin_framework.tenancy import TenantRef, tenant_or_none, tenant_scope
from saas.testing.people import person
from tests.conftest import Tenants
from tests.dummies.pages import installed


class Odd(BaseException):
    """Of a plugin's own."""


class Fragile(ConfigurablePlugin):
    """Cannot be made in the tenant `where`; everywhere else it answers whoever knocks. `ended`: how many instances were cleaned up."""

    name, version, title, priority, config_version = "fragile", "1.0.0", "Fragile", 1, 2
    where: ClassVar[str] = ""
    how: ClassVar[type[BaseException]] = RuntimeError
    ended: ClassVar[int] = 0

    def __init__(self) -> None:
        ref = tenant_or_none()
        if ref is not None and ref.slug == self.where:
            raise self.how("no such file: /srv/fragile/acme.json")

    def get_config_schema(self) -> dict[str, Any]:
        return {"type": "object", "properties": {"number": {"type": "integer"}}}

    def initialize(self, config: dict[str, Any]) -> None:
        pass

    def cleanup(self) -> None:
        type(self).ended += 1

    def check(self, config: dict[str, Any]) -> CheckResult:
        return CheckResult(True, "")

    def export_person(self, person: Person) -> Any:
        return {"kept": "something"}

    @hook("knock")
    def on_knock(self, who: str) -> str:
        return f"fragile heard {who}"


@pytest.fixture(params=[RuntimeError, SystemExit, Odd], ids=["error", "exit", "odd"])
def acme(request: pytest.FixtureRequest, acme: Tenants, monkeypatch: pytest.MonkeyPatch) -> Iterator[TenantRef]:
    """The test works inside acme, which runs the fragile plugin beside two others; from now on it cannot be made there."""
    for attribute, value in {"how": request.param, "where": "", "ended": 0}.items():
        monkeypatch.setattr(Fragile, attribute, value)
    with installed(Fragile):
        for ref in (acme.acme, acme.globex):
            with tenant_scope(ref):
                lifecycle.enable("alpha", SYSTEM)
                configuration.configure("fragile", SYSTEM, {"number": 1})
                lifecycle.enable("fragile", SYSTEM)
        activation.cache.clear()
        Fragile.where, Fragile.ended = "acme", 0
        bump_tenant()
        yield acme.acme
        Fragile.where = ""
        activation.cache.clear()


def test_it_alone_has_failed_to_start_and_the_others_hooks_are_called(
    acme: TenantRef, caplog: pytest.LogCaptureFixture
) -> None:
    assert hooks.call_hook("knock", "eve") == ["alpha heard eve"]
    decision = activation.current().decision("fragile")
    assert (decision.reason, decision.text) == (
        Reason.FAILED_TO_START,
        f"It failed to start: {Fragile.how.__name__}.",
    )
    assert "The constructor of fragile failed" in caplog.text
    assert "no such file: /srv/fragile/acme.json" in caplog.text


def test_it_runs_for_everybody_else(acme: TenantRef, tenants: Tenants) -> None:
    with tenant_scope(tenants.globex):
        assert hooks.call_hook("knock", "eve") == ["fragile heard eve", "alpha heard eve"]


def test_what_was_never_made_is_not_cleaned_up(acme: TenantRef) -> None:
    assert "alpha" in activation.current().plugins
    activation.cache.clear()
    assert Fragile.ended == 0


def test_it_runs_again_once_it_can_be_made(acme: TenantRef) -> None:
    assert not activation.current().decision("fragile").runs
    Fragile.where = ""
    bump_tenant()
    assert activation.current().decision("fragile").runs


def test_the_tenants_pages_are_there_and_its_own_says_why_it_does_not_run(
    acme: TenantRef, client_for: Callable[..., Client]
) -> None:
    client = client_for(acme, person(acme, "admin"))
    assert client.get("/").status_code == 200
    assert f"It failed to start: {Fragile.how.__name__}." in client.get("/settings/plugins/fragile/").text
    assert client.post("/settings/plugins/fragile/disable/", {"confirm": "yes"}).status_code == 302
    assert not PluginState.objects.get(plugin="fragile").enabled


def test_its_settings_are_not_saved_and_not_tested_and_that_is_said(acme: TenantRef) -> None:
    kind = Fragile.how.__name__
    with pytest.raises(configuration.Invalid, match=rf"could not check these settings \({kind}\)"):
        configuration.configure("fragile", SYSTEM, {"number": 2})
    result = configuration.check(registry.specs["fragile"], {"number": 1})
    assert (result.ok, f"The test itself failed ({kind})" in result.message) == (False, True)


def test_a_deploy_finds_that_its_settings_cannot_be_brought_along_and_goes_on(acme: TenantRef) -> None:
    PluginState.objects.filter(plugin="fragile").update(config_version=1)
    (found,) = upgrades.upgrade()
    assert (found.plugin, Fragile.how.__name__ in found.problem) == ("fragile", True)
    bump_tenant()
    assert "alpha" in activation.current().plugins


def test_its_part_about_a_person_is_missing_and_the_others_are_there(acme: TenantRef) -> None:
    parts = personal_data.of_plugins(Person(("eve@acme.example",)))
    (said,) = [each.problem for each in parts if each.plugin == "fragile"]
    assert said.startswith("The plugin failed while it put this together.")


def test_new_organisations_do_not_begin_with_it(acme: TenantRef) -> None:
    offers.set_standing("fragile", on_by_default=True, required=False)
    said = defaults.problem("fragile", offers.current())
    assert f"could not check these settings ({Fragile.how.__name__})" in said


class Untold(Fragile):
    """Keeps a list of its own where the platform has its logger, and fails."""

    name, title, where = "untold", "Untold", "nowhere"

    def initialize(self, config: dict[str, Any]) -> None:
        self.log = ["started"]  # type: ignore[assignment,misc]  # what an author may do who has not read the base class
        raise self.how("no such file")

    def check(self, config: dict[str, Any]) -> CheckResult:
        self.log = ["tried"]  # type: ignore[assignment,misc]  # the same
        raise self.how("no such file")


def test_one_that_has_put_something_else_in_the_place_of_its_logger_is_logged_all_the_same(
    acme: TenantRef, caplog: pytest.LogCaptureFixture
) -> None:
    with installed(Untold):
        lifecycle.enable("untold", SYSTEM)
        assert activation.current().decision("untold").reason is Reason.FAILED_TO_START
        assert "The test itself failed" in configuration.check(registry.specs["untold"], {}).message
    assert "initialize() of untold failed" in caplog.text
    assert "check() of untold failed" in caplog.text
