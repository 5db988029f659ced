"""Agreeing to what a plugin may do, filling in what it needs, and enabling it: one page, one button, all or nothing."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from plugin_framework import configuration, settings_store
from plugin_framework.audit import SYSTEM
from plugin_framework.models import AuditEntry, PluginState
from plugin_framework.registry import registry
from plugin_framework.tenancy import tenant_scope
from tests.conftest import Tenants
from tests.dummies import pages

pytestmark = pytest.mark.usefixtures("plugins")
PAGE, ENABLE = "/settings/plugins/pager/", "/settings/plugins/pager/enable/"


def _sent(admin: Client, **typed: str) -> dict[str, str]:
    """What the page's form would send, with `typed` in it."""
    context = admin.get(ENABLE).context
    return {"enable:agreed": context["offer"].digest, "revision": str(context["revision"]), **typed}


def _stored(tenants: Tenants) -> dict[str, Any]:
    with tenant_scope(tenants.acme):
        return settings_store.open_secrets(registry.specs["pager"].schema, "pager", settings_store.stored("pager"))


def _enabled(tenants: Tenants) -> set[str]:
    with tenant_scope(tenants.acme):
        return set(PluginState.objects.filter(enabled=True).values_list("plugin", flat=True))


def test_the_page_asks_for_what_is_needed_and_puts_the_rest_out_of_the_way(admin: Client) -> None:
    context = admin.get(ENABLE).context
    assert [part.name for section in context["needed"] for part in section.parts] == ["gateway"]
    assert [part.name for section in context["others"] for part in section.parts] == ["level", "key"]


def test_what_only_the_plugins_own_code_can_demand_is_asked_for_openly(admin: Client) -> None:
    context = admin.get("/settings/plugins/signup_rules/enable/").context
    assert "allowed_domains" in [part.name for section in context["needed"] for part in section.parts]
    assert context["others"] == []


def test_one_press_saves_the_settings_enables_the_plugin_and_it_runs(admin: Client, tenants: Tenants) -> None:
    answer = admin.post(ENABLE, _sent(admin, gateway="gate.example", level="7", key="k-1"))
    assert answer["Location"] == PAGE
    assert _stored(tenants) == {"gateway": "gate.example", "level": 7, "key": "k-1"}
    assert admin.get(PAGE).context["plugin"].state == "enabled"
    with tenant_scope(tenants.acme):
        assert set(AuditEntry.objects.values_list("action", flat=True)) >= {"plugin.configured", "plugin.enabled"}


def test_a_wrong_setting_enables_and_saves_nothing_and_loses_nothing_typed(admin: Client, tenants: Tenants) -> None:
    answer = admin.post(ENABLE, _sent(admin, gateway="g", level="8", key="k-1"))
    text = answer.content.decode()
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"gateway"}
    assert re.search(r'name="gateway"[^>]*value="g"', text)
    assert re.search(r'name="level"[^>]*value="8"', text)
    assert "Nothing was enabled or saved" in text
    assert "k-1" not in text  # a secret is never sent back; the page says that it has to be typed again
    assert (_enabled(tenants), _stored(tenants)) == (set(), {})


def test_what_the_plugin_itself_finds_wrong_enables_nothing_either(admin: Client, tenants: Tenants) -> None:
    answer = admin.post(ENABLE, _sent(admin, gateway="nowhere"))
    assert (answer.status_code, _enabled(tenants), _stored(tenants)) == (422, set(), {})
    assert "Nobody answers at nowhere." in answer.content.decode()


def test_a_plugin_that_cannot_get_ready_leaves_no_settings_behind(admin: Client, tenants: Tenants) -> None:
    class Picky(pages.Pager):
        name, title, declares = "picky", "Picky", ()

        def on_enable(self) -> None:
            raise RuntimeError("not today")

    with pages.installed(Picky):
        answer = admin.post("/settings/plugins/picky/enable/", {"gateway": "gate.example", "revision": "0"})
        assert answer.status_code == 409
        assert 'value="gate.example"' in answer.content.decode()
        with tenant_scope(tenants.acme):
            assert not PluginState.objects.filter(plugin="picky").exists()
            assert settings_store.stored("picky") == {}


def test_settings_saved_by_somebody_else_meanwhile_are_not_overwritten(admin: Client, tenants: Tenants) -> None:
    sent = _sent(admin, gateway="mine.example")
    with tenant_scope(tenants.acme):
        configuration.configure("pager", SYSTEM, {"gateway": "theirs.example"})
    answer = admin.post(ENABLE, sent)
    assert answer.status_code == 409
    assert 'value="mine.example"' in answer.content.decode()
    assert (_enabled(tenants), _stored(tenants)["gateway"]) == (set(), "theirs.example")
    assert admin.post(ENABLE, _sent(admin, gateway="mine.example"))["Location"] == PAGE


def test_settings_that_are_complete_need_not_be_sent_again(admin: Client, tenants: Tenants) -> None:
    with tenant_scope(tenants.acme):
        configuration.configure("pager", SYSTEM, {"gateway": "kept.example"})
        before = AuditEntry.objects.filter(action="plugin.configured").count()
    assert admin.get(ENABLE).context["needed"] == []
    assert admin.post(ENABLE, _sent(admin, gateway="kept.example", level="5", key=""))["Location"] == PAGE
    with tenant_scope(tenants.acme):
        assert AuditEntry.objects.filter(action="plugin.configured").count() == before


def test_what_is_typed_can_be_tried_before_anything_is_enabled(admin: Client, tenants: Tenants) -> None:
    answer = admin.post(ENABLE, _sent(admin, gateway="gate.example", **{"enable:try": "1"}))
    assert answer.context["result"].ok
    assert "Asked gate.example at level 5." in answer.content.decode()
    assert (_enabled(tenants), _stored(tenants)) == (set(), {})


def test_nobody_agrees_to_something_else_than_the_page_has_shown(admin: Client, tenants: Tenants) -> None:
    sent = _sent(admin, gateway="gate.example")

    class Curious(pages.Pager):
        version, reads = "2.2.0", ("the sender of each alarm", "everybody's calendar")

    with pages.installed(Curious):
        answer = admin.post(ENABLE, sent)
    assert (answer.status_code, _enabled(tenants)) == (409, set())
    text = answer.content.decode()
    assert "has changed since this page was shown" in text
    assert "everybody&#x27;s calendar" in text
    assert 'value="gate.example"' in text


def test_what_is_needed_and_not_set_up_comes_first_and_leads_back(admin: Client, tenants: Tenants) -> None:
    rota = "/settings/plugins/rota/enable/"
    page = admin.get(rota)
    (unready,) = page.context["offer"].unready
    assert unready.url == f"{ENABLE}?then=rota"
    assert 'type="submit"' not in page.content.decode().partition("<main")[2].partition("</main>")[0]
    assert (admin.post(rota).status_code, _enabled(tenants)) == (409, set())
    assert 'name="enable:then" value="rota"' in admin.get(unready.url).content.decode()
    answer = admin.post(ENABLE, _sent(admin, gateway="gate.example", **{"enable:then": "rota"}))
    assert answer["Location"] == rota
    assert admin.post(rota)["Location"] == "/settings/plugins/rota/"
    assert _enabled(tenants) == {"pager", "rota"}


def test_nobody_is_led_to_a_plugin_that_does_not_exist(admin: Client) -> None:
    answer = admin.post(ENABLE, _sent(admin, gateway="gate.example", **{"enable:then": "//evil.example"}))
    assert answer["Location"] == PAGE
