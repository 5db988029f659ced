"""A plugin that ends the program, wherever it is called: that is a failure of this plugin, and the end of nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

import pytest
from django.contrib.auth import get_user_model
from django.http import HttpRequest
from django.test import Client

from plugin_framework import activation, configuration, hooks, lifecycle, personal_data, purge
from plugin_framework.audit import SYSTEM
from plugin_framework.catalog.revisions import bump_tenant
from plugin_framework.delivery import sample
from plugin_framework.gate import Reason
from plugin_framework.inspection import Rejected, inspect_plugin
from plugin_framework.models import AuditEntry, PluginState
from plugin_framework.registry import registry
from plugin_framework.sdk import (
    Banner,
    CheckResult,
    ConfigurablePlugin,
    NavItem,
    NotAllowed,
    Panel,
    Person,
    SampleFor,
    action,
    event,
    filter_value,
    hook,
)
from plugin_framework.sdk._calling import FromOutside, PluginExit, plugins_code
from plugin_framework.tenancy import TenantRef, no_scope, tenant_scope
from saas.testing.people import person
from tests.conftest import Tenants
from tests.dummies.pages import installed

EVE = Person(("eve@acme.example",))


class Odd(BaseException):
    """Of a plugin's own."""


def _sample(wanted: SampleFor) -> Sequence[object]:
    Leaving.leave("sample")
    return ["it"]


class Leaving(ConfigurablePlugin):
    """Ends the program where `where` says, after it has written a row."""

    name, version, title = "leaving", "1.0.0", "Leaving"
    declares = (
        action("leave", "who", doc="Somebody leaves."),
        filter_value("shorten", "text", doc="A text is shortened."),
        event("gone", "who", doc="Somebody is gone.", sample=_sample),
    )
    where: ClassVar[str] = ""
    how: ClassVar[type[BaseException]] = SystemExit

    @classmethod
    def leave(cls, place: str) -> None:
        if place == cls.where:
            if place not in ("initialize", "schema", "cleanup"):
                get_user_model().objects.create_user("left@acme.example", "x")
            raise cls.how(3)

    def get_config_schema(self) -> dict[str, Any]:
        self.leave("schema")
        return {"type": "object", "properties": {"number": {"type": "integer"}}}

    def validate_config(self, config: dict[str, Any]) -> list[str]:
        self.leave("validate")
        return []

    def initialize(self, config: dict[str, Any]) -> None:
        self.leave("initialize")

    def cleanup(self) -> None:
        self.leave("cleanup")

    def on_enable(self) -> None:
        self.leave("on_enable")

    def on_disable(self) -> None:
        self.leave("on_disable")

    def on_purge(self) -> None:
        self.leave("on_purge")

    def migrate_config(self, config: dict[str, Any], from_version: int) -> dict[str, Any]:
        self.leave("migrate")
        return config

    def check(self, config: dict[str, Any]) -> CheckResult:
        self.leave("check")
        return CheckResult(True, "")

    def export_person(self, person: Person) -> Any:
        self.leave("export")
        return None

    def erase_person(self, person: Person) -> int:
        self.leave("erase")
        return 0

    def dashboard_panels(self) -> Sequence[Panel]:
        self.leave("panels")
        return []

    def nav_items(self) -> Sequence[NavItem]:
        self.leave("navigation")
        return []

    def banners(self, request: HttpRequest) -> Sequence[Banner]:
        self.leave("banners")
        return []

    @hook("leave")
    def on_leave(self, who: str) -> str:
        self.leave("action")
        return who

    @hook("shorten")
    def on_shorten(self, text: str) -> str:
        self.leave("filter")
        return text[:1]

    @hook("gone")
    def on_gone(self, who: str) -> None: ...


@pytest.fixture(params=[SystemExit, Odd], ids=["exit", "odd"])
def acme(request: pytest.FixtureRequest, tenants: Tenants, monkeypatch: pytest.MonkeyPatch) -> Iterator[TenantRef]:
    """The test works inside acme."""
    monkeypatch.setattr(Leaving, "how", request.param)
    monkeypatch.setattr(Leaving, "where", "")
    with installed(Leaving), tenant_scope(tenants.acme):
        yield tenants.acme
        Leaving.where = ""
        activation.cache.clear()


@pytest.fixture
def enabled(acme: TenantRef) -> None:
    configuration.configure("leaving", SYSTEM, {"number": 1})
    lifecycle.enable("leaving", SYSTEM)


def nothing_stayed() -> bool:
    """Whether what it has written before it left was undone."""
    return not get_user_model().objects.filter(email="left@acme.example").exists()


def test_it_is_not_enabled_and_nothing_of_that_stays(acme: TenantRef) -> None:
    Leaving.where = "on_enable"
    with pytest.raises(NotAllowed, match=rf"its own preparations failed \({Leaving.how.__name__}\)"):
        lifecycle.enable("leaving", SYSTEM)
    assert nothing_stayed()
    assert not PluginState.objects.exists()
    assert not AuditEntry.objects.filter(action="plugin.enabled").exists()


@pytest.mark.usefixtures("enabled")
def test_it_is_disabled_all_the_same(acme: TenantRef) -> None:
    Leaving.where = "on_disable"
    assert lifecycle.disable("leaving", SYSTEM) == ["leaving"]
    assert nothing_stayed()


@pytest.mark.usefixtures("enabled")
def test_it_is_purged_all_the_same(acme: TenantRef) -> None:
    lifecycle.disable("leaving", SYSTEM)
    Leaving.where = "on_purge"
    purge.purge("leaving", SYSTEM, confirmation="leaving")
    assert nothing_stayed()
    assert not PluginState.objects.exists()


@pytest.mark.usefixtures("enabled")
def test_it_has_failed_to_start(acme: TenantRef) -> None:
    Leaving.where = "initialize"
    configuration.configure("leaving", SYSTEM, {"number": 2})
    decision = activation.current().decision("leaving")
    assert (decision.reason, Leaving.how.__name__ in decision.text) == (Reason.FAILED_TO_START, True)


@pytest.mark.usefixtures("enabled")
def test_its_instance_is_let_go(acme: TenantRef, caplog: pytest.LogCaptureFixture) -> None:
    with no_scope(), tenant_scope(acme):
        assert activation.current().decision("leaving").runs
    Leaving.where = "cleanup"
    activation.cache.clear()
    assert "cleanup() of plugin leaving failed" in caplog.text


@pytest.mark.usefixtures("enabled")
def test_its_settings_do_not_fit_where_it_cannot_judge_them(acme: TenantRef) -> None:
    Leaving.where = "validate"
    with pytest.raises(configuration.Invalid, match=rf"could not check these settings \({Leaving.how.__name__}\)"):
        configuration.configure("leaving", SYSTEM, {"number": 2})


@pytest.mark.usefixtures("enabled")
def test_it_needs_setup_where_it_cannot_bring_them_along(acme: TenantRef) -> None:
    Leaving.where = "migrate"
    PluginState.objects.update(config_version=0)
    bump_tenant()
    decision = activation.current().decision("leaving")
    assert (decision.reason, Leaving.how.__name__ in decision.text) == (Reason.NEEDS_SETUP, True)


@pytest.mark.usefixtures("enabled")
def test_its_test_has_failed(acme: TenantRef) -> None:
    Leaving.where = "check"
    result = configuration.check(registry.specs["leaving"], {"number": 1})
    assert (result.ok, f"The test itself failed ({Leaving.how.__name__})" in result.message) == (False, True)


@pytest.mark.usefixtures("enabled")
def test_its_actions_are_passed_over(acme: TenantRef) -> None:
    Leaving.where = "action"
    assert hooks.call_hook("leave", "eve") == []
    assert nothing_stayed()


@pytest.mark.usefixtures("enabled")
def test_its_filters_are_passed_over(acme: TenantRef) -> None:
    Leaving.where = "filter"
    assert hooks.apply_filters("shorten", "long") == "long"
    assert nothing_stayed()


@pytest.mark.usefixtures("enabled")
def test_its_part_about_a_person_is_missing(acme: TenantRef) -> None:
    Leaving.where = "export"
    (part,) = personal_data.of_plugins(EVE)
    assert part.problem.startswith("The plugin failed while it put this together.")


@pytest.mark.usefixtures("enabled")
def test_it_stops_an_erasure(acme: TenantRef) -> None:
    Leaving.where = "erase"
    with pytest.raises(personal_data.CannotErase, match="Leaving failed at erasing its part"):
        personal_data.erase(EVE, "somebody")
    assert nothing_stayed()


@pytest.mark.usefixtures("enabled")
def test_its_sample_cannot_be_made(acme: TenantRef) -> None:
    Leaving.where = "sample"
    with pytest.raises(NotAllowed, match=rf"could not be made \({Leaving.how.__name__}\)"):
        sample.send("leaving", "gone", SYSTEM, person(acme, "admin"))


@pytest.mark.parametrize("where", ["panels", "navigation", "banners"])
@pytest.mark.usefixtures("enabled")
def test_the_page_is_there_without_it(acme: TenantRef, client_for: Callable[..., Client], where: str) -> None:
    client = client_for(acme, person(acme, "admin"))
    Leaving.where = where
    assert client.get("/").status_code == 200


def test_it_is_not_loaded(acme: TenantRef) -> None:
    Leaving.where = "schema"
    with pytest.raises(Rejected, match=f"{Leaving.how.__name__}: 3"):
        inspect_plugin(Leaving, {})


@pytest.mark.parametrize("error", [KeyboardInterrupt(), FromOutside(), ValueError("own")])
def test_what_is_meant_for_the_process_and_what_is_an_exception_stay_as_they_are(error: BaseException) -> None:
    with pytest.raises(type(error)) as caught, plugins_code():
        raise error
    assert caught.value is error


def test_the_error_that_comes_out_has_the_name_and_the_words_of_the_one_within() -> None:
    with pytest.raises(PluginExit) as caught, plugins_code():
        raise SystemExit("out of here")
    assert (type(caught.value).__name__, str(caught.value)) == ("SystemExit", "out of here")
    assert isinstance(caught.value.__cause__, SystemExit)


def test_a_generator_that_nobody_reads_any_more_ends_in_silence() -> None:
    def told() -> Iterator[int]:
        with plugins_code():
            yield 1

    reading = told()
    assert next(reading) == 1
    reading.close()
