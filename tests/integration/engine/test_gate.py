"""The gate: one answer, and every surface that exists so far obeys it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from plugin_framework import activation, configuration, hooks, lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.catalog.offers import set_offer
from plugin_framework.gate import Reason
from plugin_framework.models import Delivery, PluginState
from plugin_framework.registry import registry
from plugin_framework.sdk import NotAllowed
from plugin_framework.tenancy import tenant_scope
from tests.conftest import Tenants
from tests.dummies import canary
from tests.integration.engine.dummies import CALLS


def reason(name: str) -> Reason:
    return activation.current().decision(name).reason


def withdraw(name: str) -> None:
    set_offer(name, "withdrawn", message="Recalled by its maker")


def test_the_strongest_reason_is_given(acme: Tenants) -> None:
    assert reason("alpha") is Reason.DISABLED
    assert reason("nonesuch") is Reason.MISSING
    lifecycle.enable("omega", SYSTEM)
    assert reason("omega") is Reason.RUNS
    withdraw("alpha")
    assert reason("alpha") is Reason.WITHDRAWN
    assert reason("omega") is Reason.DEPENDENCY
    assert "Recalled by its maker" in activation.current().decision("omega").text
    registry.specs.pop("alpha")
    assert reason("alpha") is Reason.MISSING
    registry.quarantine["alpha"] = "it is spoilt"
    assert reason("alpha") is Reason.QUARANTINED
    assert "spoilt" not in activation.current().decision("alpha").text  # that is for the platform's staff
    registry.quarantine.pop("alpha")


def test_missing_settings_keep_a_plugin_from_running_until_they_are_there(acme: Tenants) -> None:
    lifecycle.enable("living", SYSTEM)
    assert reason("living") is Reason.NEEDS_SETUP
    configuration.configure("living", SYSTEM, {"number": 1})
    assert reason("living") is Reason.RUNS


@pytest.mark.parametrize("availability", ["listed", "hidden"])
def test_what_is_not_offered_cannot_be_enabled(acme: Tenants, availability: str) -> None:
    set_offer("alpha", availability)
    assert reason("alpha") is Reason.NOT_OFFERED
    with pytest.raises(NotAllowed, match="not offered"):
        lifecycle.enable("alpha", SYSTEM)
    set_offer("alpha", "listed", granted=[acme.acme.schema])
    lifecycle.enable("alpha", SYSTEM)
    with tenant_scope(acme.globex):
        assert reason("alpha") is Reason.NOT_OFFERED


def test_who_has_a_hidden_plugin_keeps_it(acme: Tenants) -> None:
    lifecycle.enable("alpha", SYSTEM)
    set_offer("alpha", "hidden")
    assert reason("alpha") is Reason.RUNS


def test_withdrawing_stops_every_tenant_and_touches_no_setting(acme: Tenants) -> None:
    configuration.configure("living", SYSTEM, {"number": 3})
    lifecycle.enable("living", SYSTEM)
    withdraw("living")
    assert reason("living") is Reason.WITHDRAWN
    assert PluginState.objects.get(plugin="living").enabled
    set_offer("living", "everyone")
    assert activation.current().plugins["living"].settings["number"] == 3


def _disable() -> None:
    lifecycle.disable("canary", SYSTEM)


def _withdraw() -> None:
    withdraw("canary")


def _hide_the_code() -> None:
    registry.specs.pop("canary")
    lifecycle.bump_tenant()


def _spoil_the_settings() -> None:
    from plugin_framework.models import PluginSetting

    PluginSetting.objects.filter(plugin_name="canary").delete()
    PluginState.objects.filter(plugin="canary").update(settings_revision=lifecycle.bump_tenant())


@pytest.mark.parametrize("stop", [_disable, _withdraw, _hide_the_code, _spoil_the_settings])
def test_a_stopped_plugin_is_stopped_on_every_surface(
    acme: Tenants, client_for: Callable[..., Client], stop: Callable[[], None]
) -> None:
    configuration.configure("canary", SYSTEM, {"canary": "tweet"})
    lifecycle.enable("canary", SYSTEM)
    client = client_for(acme.acme)
    assert client.get("/apps/canary/").status_code == 200
    stop()
    canary.DISPATCHED.clear()
    assert client.get("/apps/canary/").status_code == 404
    assert client.post("/apps/canary/").status_code == 404
    hooks.call_hook("view_pre_dispatch", None, None)
    assert canary.DISPATCHED == []
    assert "canary" not in activation.current().plugins


def test_a_stopped_plugin_gets_no_new_deliveries(acme: Tenants) -> None:
    lifecycle.enable("alpha", SYSTEM)
    withdraw("alpha")
    hooks.emit("left", "you")
    assert not Delivery.objects.exists()
    assert CALLS == []
