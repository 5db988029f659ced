"""Settings of older versions of a plugin, and states that were saved before: nothing is lost, and no secret goes astray."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from plugin_framework import activation, configuration, layers, lifecycle, settings_history, settings_store, upgrades
from plugin_framework.audit import SYSTEM, person
from plugin_framework.configuration import Conflict, Invalid
from plugin_framework.gate import Reason
from plugin_framework.models import AuditEntry, PluginSetting, PluginState
from plugin_framework.sdk import ConfigurablePlugin, NotAllowed
from plugin_framework.tenancy import TenantRef, tenant_scope
from tenants.fleet import Options, migrate_everything
from tests.conftest import Tenants
from tests.dummies.pages import installed


class Relay(ConfigurablePlugin):
    """As it was first: a host, and a password for it."""

    name, version = "relay", "1.0.0"

    def get_config_schema(self) -> dict[str, Any]:
        password = {"type": "string", "writeOnly": True, "x-bound-to": ["smtp_host"]}
        return {
            "type": "object",
            "properties": {"smtp_host": {"type": "string", "title": "Server"}, "password": password},
        }

    def initialize(self, config: dict[str, Any]) -> None:
        self.config = config

    def cleanup(self) -> None:
        """Gives nothing back."""


class NewRelay(Relay):
    """Renames the host, puts the password into a group, and wants a port."""

    version, config_version = "2.0.0", 2
    fails: ClassVar[bool] = False

    def get_config_schema(self) -> dict[str, Any]:
        login = {"password": {"type": "string", "writeOnly": True, "x-bound-to": ["host"]}}
        properties = {"host": {"type": "string"}, "login": {"type": "object", "properties": login}}
        return {"type": "object", "properties": {**properties, "port": {"type": "integer", "default": 25}}}

    def migrate_config(self, old: dict[str, Any], from_version: int) -> dict[str, Any]:
        assert from_version == 1
        if old.get("smtp_host") == "rubbish":
            raise ValueError("no such thing")
        if old.get("smtp_host") == "unsound":
            return {"port": "many"}
        return {"host": old["smtp_host"], "login": {"password": old["password"]}} if "password" in old else dict(old)


class LaxRelay(NewRelay):
    """Sends the old password somewhere else."""

    def migrate_config(self, old: dict[str, Any], from_version: int) -> dict[str, Any]:
        return {"host": "evil.example", "login": {"password": old["password"]}}


class HoardingRelay(NewRelay):
    """Leaves the old fields where they were, and puts the password into a note as well."""

    def migrate_config(self, old: dict[str, Any], from_version: int) -> dict[str, Any]:
        return {**old, "host": old["smtp_host"], "notes": [old["password"]]}


@pytest.fixture
def acme(tenants: Tenants) -> Iterator[TenantRef]:
    """acme, which has set up the first version."""
    with installed(Relay), tenant_scope(tenants.acme):
        configuration.configure("relay", SYSTEM, {"smtp_host": "mx.example"}, secrets={("password",): "hush"})
        lifecycle.enable("relay", SYSTEM)
    activation.cache.clear()
    return tenants.acme


def given(tenant: TenantRef) -> dict[str, Any] | Reason:
    with tenant_scope(tenant):
        plugin = activation.current().plugins.get("relay")
        if isinstance(plugin, Relay):
            return plugin.config
        return activation.current().decision("relay").reason


def keys() -> list[str]:
    return list(PluginSetting.objects.filter(plugin_name="relay").order_by("key").values_list("key", flat=True))


NEW_SHAPE = {"host": "mx.example", "login": {"password": "hush"}, "port": 25}


def test_new_code_is_given_the_new_shape_before_the_deploy_comes_to_the_tenant(acme: TenantRef) -> None:
    with installed(NewRelay):
        assert given(acme) == NEW_SHAPE
    with tenant_scope(acme):
        assert keys() == ["password", "smtp_host"]
    with installed(Relay):  # a process with the old code, still serving
        activation.cache.clear()
        assert given(acme) == {"smtp_host": "mx.example", "password": "hush"}


def test_the_deploy_saves_the_new_shape_once_with_audit_and_history(acme: TenantRef) -> None:
    with installed(NewRelay):
        with tenant_scope(acme):
            assert upgrades.findings() == [upgrades.Finding("relay", 1, 2)]
            assert keys() == ["password", "smtp_host"]
        assert [(outcome.who, outcome.error) for outcome in migrate_everything(Options(finish=True))] == [
            ("public", ""),
            ("acme", ""),
        ]
        with tenant_scope(acme):
            assert keys() == ["host", "login"]
            assert upgrades.findings() == []
            assert AuditEntry.objects.filter(action="plugin.settings_upgraded", target="relay").count() == 1
            assert [state.values for state in settings_history.states("relay")] == [
                {"host": "mx.example", "login": {}},
                {"smtp_host": "mx.example"},
            ]
            assert "hush" not in str(list(PluginSetting.objects.values_list("value")))
        assert given(acme) == NEW_SHAPE
        list(migrate_everything(Options(finish=True)))
        with tenant_scope(acme):
            assert AuditEntry.objects.filter(action="plugin.settings_upgraded").count() == 1


@pytest.mark.parametrize("host", ["rubbish", "unsound"])
def test_settings_that_cannot_be_brought_along_stay_and_are_named(acme: TenantRef, host: str) -> None:
    with installed(Relay), tenant_scope(acme):
        configuration.configure("relay", SYSTEM, {"smtp_host": host}, secrets={("password",): "hush"})
    with installed(NewRelay):
        assert given(acme) is Reason.NEEDS_SETUP
        found = {
            outcome.who: [each.plugin for each in outcome.unfit] for outcome in migrate_everything(Options(finish=True))
        }
        assert found == {"public": [], "acme": ["relay"]}
        with tenant_scope(acme):
            assert keys() == ["password", "smtp_host"]
            assert PluginState.objects.get(plugin="relay").config_version == 1
            configuration.configure("relay", SYSTEM, {"host": "mended.example"})
        mended = given(acme)
        assert isinstance(mended, dict)
        assert (mended["host"], mended["port"]) == ("mended.example", 25)


def test_a_newer_version_cannot_send_a_secret_to_another_place(acme: TenantRef) -> None:
    with installed(LaxRelay):
        with tenant_scope(acme):
            decision = activation.current().decision("relay")
            assert decision.reason is Reason.NEEDS_SETUP
            assert layers.AGAIN.text in decision.text
            assert upgrades.upgrade()[0].problem == f"login.password: {layers.AGAIN.text}"
            assert keys() == ["password", "smtp_host"]


def test_a_secret_left_where_none_belongs_any_more_stays_sealed(acme: TenantRef) -> None:
    with installed(HoardingRelay), tenant_scope(acme):
        assert upgrades.upgrade() == [upgrades.Finding("relay", 1, 2)]
        assert keys() == ["host", "notes", "password", "smtp_host"]
        assert "hush" not in str(settings_store.stored("relay"))
        assert "hush" not in str([state.values for state in settings_history.states("relay")])


def test_a_secret_that_cannot_be_opened_does_not_stop_the_rest_from_being_brought_along(acme: TenantRef) -> None:
    with tenant_scope(acme):
        PluginSetting.objects.filter(plugin_name="relay", key="password").update(value={"$sealed": "v1:gone:x"})
    with installed(NewRelay), tenant_scope(acme):
        assert activation.current().decision("relay").reason is Reason.NEEDS_SETUP
        configuration.configure("relay", SYSTEM, {"host": "mx.example"}, secrets={("login", "password"): "again"})
    with installed(NewRelay):
        assert given(acme) == {**NEW_SHAPE, "login": {"password": "again"}}


def test_plugins_enabled_later_start_at_the_installed_version(acme: TenantRef, tenants: Tenants) -> None:
    with installed(NewRelay), tenant_scope(tenants.globex):
        lifecycle.enable("relay", SYSTEM)
        assert PluginState.objects.get(plugin="relay").config_version == 2
        assert upgrades.findings() == []


def test_going_back_restores_all_but_the_secrets(acme: TenantRef) -> None:
    with installed(Relay), tenant_scope(acme):
        first = settings_history.states("relay")[0].revision
        configuration.configure("relay", SYSTEM, {"smtp_host": "other.example"}, secrets={("password",): "other"})
        with pytest.raises(Invalid, match=f"password: {layers.AGAIN.text}"):
            configuration.restore("relay", person("ada@acme.example"), first)
        configuration.configure("relay", SYSTEM, {"smtp_host": "other.example"}, removed=[("password",)])
        configuration.restore("relay", person("ada@acme.example"), first)
        assert settings_store.stored("relay") == {"smtp_host": "mx.example"}
        newest = settings_history.states("relay")[0]
        assert (newest.actor, newest.values, newest.secrets) == ("ada@acme.example", {"smtp_host": "mx.example"}, [])


def test_going_back_is_refused_when_somebody_else_has_saved_and_when_there_is_no_such_state(acme: TenantRef) -> None:
    with installed(Relay), tenant_scope(acme):
        first = settings_history.states("relay")[0].revision
        with pytest.raises(Conflict):
            configuration.restore("relay", SYSTEM, first, expected_revision=first - 1)
        with pytest.raises(NotAllowed, match="The last 50 are kept"):
            configuration.restore("relay", SYSTEM, first + 1000)


def test_a_state_of_an_older_version_is_brought_to_the_installed_one(acme: TenantRef) -> None:
    with installed(Relay), tenant_scope(acme):
        configuration.configure("relay", SYSTEM, {"smtp_host": "mx.example"}, removed=[("password",)])
        old = settings_history.states("relay")[0].revision
        configuration.configure("relay", SYSTEM, {"smtp_host": "rubbish"})
    with installed(NewRelay), tenant_scope(acme):
        configuration.configure("relay", SYSTEM, {"host": "new.example"})
        configuration.restore("relay", SYSTEM, old)
        assert settings_store.stored("relay") == {"smtp_host": "mx.example"}  # what its migrate_config makes of it
        rubbish = settings_history.states("relay")[2]
        assert rubbish.values == {"smtp_host": "rubbish"}
        with pytest.raises(Invalid, match="could not be brought to version 2"):
            configuration.restore("relay", SYSTEM, rubbish.revision)


def test_only_the_last_states_are_kept(acme: TenantRef) -> None:
    with installed(Relay), tenant_scope(acme):
        for number in range(settings_history.KEPT + 5):
            configuration.configure("relay", SYSTEM, {"smtp_host": f"mx{number}"}, secrets={("password",): "hush"})
        found = settings_history.states("relay")
        assert [state.values["smtp_host"] for state in (found[0], found[-1])] == ["mx54", "mx5"]
        assert all(state.secrets == ["password"] for state in found)
