"""The platform's own values for a plugin's settings: under the tenant's, locked or not, and its secrets with them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from plugin_framework import activation, configuration, layers, lifecycle, platform_settings
from plugin_framework.audit import SYSTEM
from plugin_framework.configuration import Invalid
from plugin_framework.gate import Reason
from plugin_framework.registry import registry
from plugin_framework.sdk import ConfigurablePlugin
from plugin_framework.tenancy import TenantRef, tenant_scope
from tests.conftest import Tenants
from tests.dummies.pages import installed

KEY = ("login", "key")


class Courier(ConfigurablePlugin):
    """Sends somewhere, with a key that is bound to where."""

    name, version = "courier", "1.0.0"

    def get_config_schema(self) -> dict[str, Any]:
        login = {
            "type": "object",
            "properties": {
                "user": {"type": "string", "default": "nobody"},
                "key": {"type": "string", "writeOnly": True, "x-bound-to": ["host", "login.user"]},
            },
        }
        fast = {"type": "boolean", "default": False}
        properties = {"host": {"type": "string", "minLength": 2}, "login": login, "fast": fast}
        return {"type": "object", "properties": properties, "required": ["host"]}

    def initialize(self, config: dict[str, Any]) -> None:
        self.config = config

    def cleanup(self) -> None:
        """Gives nothing back."""


@pytest.fixture
def acme(tenants: Tenants) -> Iterator[TenantRef]:
    with installed(Courier):
        with tenant_scope(tenants.acme):
            lifecycle.enable("courier", SYSTEM)
        yield tenants.acme
        activation.cache.clear()


def suggest(values: dict[str, Any], *locked: str, key: str | None = None) -> list[str]:
    secrets = {KEY: key} if key else {}
    return platform_settings.save(registry.specs["courier"], values, secrets=secrets, removed=(), locked=locked)


def given(tenant: TenantRef) -> dict[str, Any] | Reason:
    """What the plugin is given in a fresh scope, or why it does not run."""
    with tenant_scope(tenant):
        plugin = activation.current().plugins.get("courier")
        if isinstance(plugin, Courier):
            return plugin.config
        return activation.current().decision("courier").reason


def save(tenant: TenantRef, config: dict[str, Any], key: str | None = None) -> None:
    with tenant_scope(tenant):
        configuration.configure("courier", SYSTEM, config, secrets={KEY: key} if key else {})


def test_a_suggested_value_is_used_until_the_tenant_has_its_own(acme: TenantRef) -> None:
    assert given(acme) is Reason.NEEDS_SETUP
    suggest({"host": "platform.example", "fast": True})
    assert given(acme) == {"host": "platform.example", "fast": True, "login": {"user": "nobody"}}
    save(acme, {"host": "acme.example"})
    assert given(acme) == {"host": "acme.example", "fast": True, "login": {"user": "nobody"}}


def test_a_locked_value_wins_and_the_tenants_own_is_there_again_when_it_is_unlocked(acme: TenantRef) -> None:
    save(acme, {"host": "acme.example", "login": {"user": "ada"}})
    suggest({"host": "platform.example", "login": {"user": "root"}}, "host", "login.user")
    assert given(acme) == {"host": "platform.example", "fast": False, "login": {"user": "root"}}
    save(acme, {"host": "platform.example", "fast": True})
    suggest({"host": "platform.example"})
    assert given(acme) == {"host": "acme.example", "fast": True, "login": {"user": "ada"}}


def test_a_locked_value_cannot_be_changed_by_any_way_of_saving(acme: TenantRef) -> None:
    suggest({"host": "platform.example"}, "host", "login.key", key="platform key")
    with pytest.raises(Invalid, match="host: The platform has set this"):
        save(acme, {"host": "evil.example"})
    with pytest.raises(Invalid, match=r"login\.key: The platform has set this"):
        save(acme, {}, key="mine")
    assert given(acme) == {
        "host": "platform.example",
        "fast": False,
        "login": {"user": "nobody", "key": "platform key"},
    }


@pytest.mark.parametrize("own", [{"host": "evil.example"}, {"host": "platform.example", "login": {"user": "eve"}}])
def test_a_platforms_secret_does_not_follow_a_tenant_elsewhere(acme: TenantRef, own: dict[str, Any]) -> None:
    suggest({"host": "platform.example"}, key="platform key")
    assert given(acme) == {
        "host": "platform.example",
        "fast": False,
        "login": {"user": "nobody", "key": "platform key"},
    }
    save(acme, own)
    found = given(acme)
    assert isinstance(found, dict)
    assert "key" not in found["login"]


def test_a_locked_secret_does_not_follow_a_tenant_elsewhere_either(acme: TenantRef) -> None:
    suggest({"host": "platform.example"}, "login.key", key="platform key")
    save(acme, {"host": "evil.example"})
    assert given(acme) == {"host": "evil.example", "fast": False, "login": {"user": "nobody"}}


@pytest.mark.parametrize("locked", [(), ("host",)])
def test_a_tenants_secret_does_not_follow_the_platform_elsewhere(acme: TenantRef, locked: tuple[str, ...]) -> None:
    suggest({"host": "first.example"})
    save(acme, {}, key="acme's key")
    assert given(acme) == {"host": "first.example", "fast": False, "login": {"user": "nobody", "key": "acme's key"}}
    suggest({"host": "second.example"}, *locked)
    with tenant_scope(acme):
        decision = activation.current().decision("courier")
    assert decision.reason is Reason.NEEDS_SETUP
    assert decision.text.endswith(f"Login: Key: {layers.AGAIN.text}")
    suggest({"host": "first.example"}, *locked)
    assert given(acme) == {"host": "first.example", "fast": False, "login": {"user": "nobody", "key": "acme's key"}}


def test_where_the_platform_leads_elsewhere_with_a_secret_of_its_own_that_is_used(acme: TenantRef) -> None:
    save(acme, {"host": "acme.example"}, key="acme's key")
    suggest({"host": "platform.example"}, "host", key="platform key")
    assert given(acme) == {
        "host": "platform.example",
        "fast": False,
        "login": {"user": "nobody", "key": "platform key"},
    }


def test_the_platforms_own_secret_is_asked_for_again_when_the_platform_moves(acme: TenantRef) -> None:
    suggest({"host": "platform.example"}, key="platform key")
    with pytest.raises(Invalid, match=rf"login\.key: {layers.AGAIN.text}"):
        suggest({"host": "elsewhere.example"})
    assert suggest({"host": "platform.example", "fast": True}) == ["fast"]
    found = given(acme)
    assert isinstance(found, dict)
    assert found["login"]["key"] == "platform key"


def test_the_platforms_secret_is_sealed_at_rest(acme: TenantRef) -> None:
    suggest({"host": "platform.example"}, key="platform key")
    values, _locked = platform_settings.saved("courier")
    assert "platform key" not in str(values)


def test_what_does_not_fit_or_cannot_be_locked_is_refused_and_what_is_left_open_is_not_asked_for(
    acme: TenantRef,
) -> None:
    with pytest.raises(Invalid, match="host"):
        suggest({"host": "x"})
    with pytest.raises(Invalid, match="nonesuch is no field"):
        suggest({}, "nonesuch")
    assert platform_settings.saved("courier") == ({}, [])
    assert suggest({"login": {"user": "root"}}) == ["login"]


def test_a_change_of_the_platforms_values_makes_new_instances_only_where_it_matters(acme: TenantRef) -> None:
    save(acme, {"host": "acme.example"})
    with tenant_scope(acme):
        before = activation.current().plugins["courier"]
    suggest({"fast": True})
    with tenant_scope(acme):
        after = activation.current().plugins["courier"]
    assert before is not after
    lifecycle_of_another = registry.specs["email_notifications"]
    platform_settings.save(lifecycle_of_another, {"smtp_port": 2525}, secrets={}, removed=(), locked=())
    with tenant_scope(acme):
        assert activation.current().plugins["courier"] is after
