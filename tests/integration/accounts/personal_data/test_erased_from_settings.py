"""Somebody who is erased is not found in what settings were; going back to them works, without that person."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from plugin_framework import configuration, lifecycle, settings_history, settings_store
from plugin_framework.audit import SYSTEM, Actor
from plugin_framework.delivery.models import Lane
from plugin_framework.models import AuditEntry, PluginState
from plugin_framework.sdk import ConfigurablePlugin
from plugin_framework.tenancy import public_scope, tenant_scope
from saas.testing.people import confirmed, person
from tests.conftest import Tenants
from tests.dummies import pages

ADA, BOB, SHE = "ada@acme.example", "bob@acme.example", "/settings/people/data/"
OF_HERS = {
    "lead": ADA.upper(),
    "others": [BOB, ADA],
    "note": f"Ask Ada <{ADA}>, not x{ADA}.",
    "turns": [{"who": ADA, "day": 1}],
}


class Rota(ConfigurablePlugin):
    """Has people in its settings in every way."""

    name, version, title = "roster", "1.0.0", "Roster"

    def get_config_schema(self) -> dict[str, Any]:
        address = {"type": "string", "format": "email"}
        turn = {"type": "object", "properties": {"who": address, "day": {"type": "integer"}}}
        return {
            "type": "object",
            "properties": {
                "lead": address,
                "owner": address,
                "others": {"type": "array", "items": address},
                "note": {"type": "string", "maxLength": 200},
                "turns": {"type": "array", "items": turn},
            },
        }

    def initialize(self, config: dict[str, Any]) -> None: ...
    def cleanup(self) -> None: ...


class Strict(Rota):
    """Cannot do without one of them."""

    name, title = "strict", "Strict"

    def get_config_schema(self) -> dict[str, Any]:
        return super().get_config_schema() | {"required": ["lead"]}


@pytest.fixture
def admin(tenants: Tenants, client_for: Callable[..., Client]) -> Iterator[Client]:
    """acme's admin; Ada has saved settings and enabled a plugin, and is in the settings."""
    with pages.installed(Rota, Strict):
        person(tenants.acme, "admin", ADA)
        with tenant_scope(tenants.acme):
            for name in ("roster", "strict"):
                configuration.configure(name, Actor(ADA), OF_HERS)
                lifecycle.enable(name, Actor(ADA))
                PluginState.objects.filter(plugin=name).update(consented_by=ADA)
                configuration.configure(name, SYSTEM, {"lead": BOB})
        yield confirmed(client_for(tenants.acme, person(tenants.acme, "owner")))


def erase(admin: Client) -> str:
    answer = admin.post(f"{SHE}erase/", {"email": ADA, "confirmation": ADA})
    assert answer.status_code == 200
    return str(answer.context["done"].pseudonym)


def first(plugin: str) -> Any:
    return settings_history.states(plugin)[-1]


def restore(admin: Client, tenants: Tenants, plugin: str) -> Any:
    page = f"/settings/plugins/{plugin}/"
    revision = str(admin.get(page).context["revision"])
    with tenant_scope(tenants.acme):
        old = first(plugin).revision
    return admin.post(f"{page}history/{old}/restore/", {"revision": revision}, follow=True)


def test_neither_who_saved_nor_whom_they_named_is_in_it_any_more(admin: Client, tenants: Tenants) -> None:
    assert "Named in 2 saved states" in admin.get(SHE, {"email": ADA}).text
    pseudonym = erase(admin)
    with tenant_scope(tenants.acme):
        state = first("roster")
        assert state.actor == pseudonym
        assert state.values == {
            "lead": pseudonym,
            "others": [BOB, pseudonym],
            "note": f"Ask Ada <{pseudonym}>, not x{ADA}.",
            "turns": [{"who": pseudonym, "day": 1}],
        }
        row = PluginState.objects.get(plugin="roster")
        assert (row.enabled_by, row.consented_by) == (pseudonym, pseudonym)


def test_what_a_plugins_lane_says_of_them_goes_here_and_not_next_door(admin: Client, tenants: Tenants) -> None:
    with public_scope():
        for ref in (tenants.acme, tenants.globex):
            Lane.objects.create(tenant_schema=ref.schema, plugin="roster", paused_by=ADA, trouble=f"550 {ADA} unknown")
    pseudonym = erase(admin)
    with public_scope():
        rows = Lane.objects.filter(plugin="roster").values_list("tenant_schema", "paused_by", "trouble")
        assert {schema: said for schema, *said in rows} == {
            tenants.acme.schema: [pseudonym, f"550 {pseudonym} unknown"],
            tenants.globex.schema: [ADA, f"550 {ADA} unknown"],
        }


def test_going_back_leaves_them_out_and_says_so(admin: Client, tenants: Tenants) -> None:
    pseudonym = erase(admin)
    page = restore(admin, tenants, "roster").text
    assert "as they were, without the addresses of people whose data was erased" in page
    with tenant_scope(tenants.acme):
        assert settings_store.stored("roster") == {
            "others": [BOB],
            "note": f"Ask Ada <{pseudonym}>, not x{ADA}.",
            "turns": [{"day": 1}],
        }


def test_what_the_plugin_cannot_do_without_is_asked_for_in_the_form(admin: Client, tenants: Tenants) -> None:
    pseudonym = erase(admin)
    answer = restore(admin, tenants, "strict")
    assert (answer.status_code, f'value="{pseudonym}"' in answer.text) == (422, False)
    with tenant_scope(tenants.acme):
        assert settings_store.stored("strict") == {"lead": BOB}


def test_settings_as_they_are_stay_and_are_named_until_an_admin_has_changed_them(
    admin: Client, tenants: Tenants
) -> None:
    with tenant_scope(tenants.acme):
        configuration.configure("roster", SYSTEM, {"lead": ADA})
    answer = admin.post(f"{SHE}erase/", {"email": ADA, "confirmation": ADA})
    assert "The settings of these plugins still have the address." in answer.text
    with tenant_scope(tenants.acme):
        assert AuditEntry.objects.get(action="person.erased").detail["still_in_settings_of"] == ["roster"]
        assert settings_store.stored("roster") == {"lead": ADA}
        configuration.configure("roster", SYSTEM, {"lead": ADA, "owner": BOB})
        configuration.configure("roster", SYSTEM, {"lead": BOB})
    answer = admin.post(f"{SHE}erase/", {"email": ADA, "confirmation": ADA})
    assert "still have the address" not in answer.text
    with tenant_scope(tenants.acme):
        assert ADA not in str([state.values["lead"] for state in settings_history.states("roster")])
