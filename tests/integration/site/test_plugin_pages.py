"""Finding, enabling and disabling plugins through the pages."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from plugin_framework import lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.catalog.offers import set_offer
from plugin_framework.models import AuditEntry, PluginState
from plugin_framework.tenancy import tenant_scope
from tests.conftest import Tenants

pytestmark = pytest.mark.usefixtures("plugins")


def _names(answer: Any) -> list[str]:
    return [each.name for each in answer.context["plugins"]]


def _enabled(tenants: Tenants) -> set[str]:
    with tenant_scope(tenants.acme):
        return set(PluginState.objects.filter(enabled=True).values_list("plugin", flat=True))


def test_the_list_has_every_plugin_with_its_state(admin: Client) -> None:
    answer = admin.get("/settings/plugins/")
    states = {each.name: each.state for each in answer.context["plugins"]}
    assert {"pager", "rota", "clumsy", "broken", "orders", "email_notifications", "slack_notifications"} <= set(states)
    assert (states["pager"], states["broken"]) == ("available", "locked")
    assert "Pages somebody when something breaks" in answer.content.decode()


def test_a_search_finds_words_of_title_and_description(admin: Client) -> None:
    assert _names(admin.get("/settings/plugins/?q=BREAKS+somebody+pages")) == ["pager"]
    assert _names(admin.get("/settings/plugins/?q=zebra")) == []


def test_a_pill_shows_its_state_alone_and_counts_what_the_search_found(admin: Client) -> None:
    admin.post("/settings/plugins/clumsy/enable/")
    answer = admin.get("/settings/plugins/?state=enabled")
    assert _names(answer) == ["clumsy"]
    answer = admin.get("/settings/plugins/?q=clumsy&state=available")
    assert _names(answer) == []
    assert {pill.value: pill.count for pill in answer.context["filters"]}["enabled"] == 1


def test_a_rejected_plugins_fault_is_not_shown_to_the_organisation(admin: Client) -> None:
    for page in ("/settings/plugins/", "/settings/plugins/broken/"):
        text = admin.get(page).content.decode()
        assert "fault in the plugin itself" in text
        assert "/opt/somewhere" not in text


def test_a_plugins_page_says_what_it_does_and_reaches(admin: Client) -> None:
    text = admin.get("/settings/plugins/pager/").content.decode()
    for told in (
        "Pages somebody when something breaks",
        "Something has broken.",
        "the sender of each alarm",
        "the pager gateway you name",
        "2.1.0",
        "Rota",
    ):
        assert told in text, told


def test_the_enable_page_shows_all_that_comes_with_it(admin: Client) -> None:
    answer = admin.get("/settings/plugins/rota/enable/")
    text = answer.content.decode()
    assert [each.name for each in answer.context["also"]] == ["pager"]
    for told in ("Pager", "the pager gateway you name", "everybody&#x27;s name", "Something has broken."):
        assert told in text, told


def test_enabling_brings_what_is_needed_and_is_audited_under_the_persons_name(admin: Client, tenants: Tenants) -> None:
    answer = admin.post("/settings/plugins/rota/enable/")
    assert answer["Location"] == "/settings/plugins/rota/"
    assert _enabled(tenants) == {"pager", "rota"}
    with tenant_scope(tenants.acme):
        entries = AuditEntry.objects.filter(action="plugin.enabled").values_list("actor", "target")
        assert set(entries) == {("admin@acme.example", "pager"), ("admin@acme.example", "rota")}
    with tenant_scope(tenants.globex):
        assert not PluginState.objects.exists()


def test_enabling_what_has_to_be_set_up_leads_to_its_settings(admin: Client) -> None:
    answer = admin.post("/settings/plugins/pager/enable/", follow=True)
    assert answer.redirect_chain == [("/settings/plugins/pager/#settings", 302)]
    assert answer.context["plugin"].state == "attention"
    assert "runs as soon as its settings are complete" in answer.content.decode()


def test_enabling_twice_changes_nothing(admin: Client, tenants: Tenants) -> None:
    admin.post("/settings/plugins/clumsy/enable/")
    assert admin.get("/settings/plugins/clumsy/enable/")["Location"] == "/settings/plugins/clumsy/"
    assert "was enabled already" in admin.post("/settings/plugins/clumsy/enable/", follow=True).content.decode()
    with tenant_scope(tenants.acme):
        assert AuditEntry.objects.filter(action="plugin.enabled").count() == 1


def test_a_plugin_that_fails_to_get_ready_is_not_enabled_and_says_so(admin: Client, tenants: Tenants) -> None:
    answer = admin.post("/settings/plugins/refusing/enable/")
    assert answer.status_code == 409
    assert "its own preparations failed" in answer.content.decode()
    assert _enabled(tenants) == set()


def test_a_rejected_plugin_cannot_be_enabled(admin: Client, tenants: Tenants) -> None:
    assert admin.get("/settings/plugins/broken/enable/").status_code == 200
    assert admin.post("/settings/plugins/broken/enable/").status_code == 409
    assert _enabled(tenants) == set()


def test_disabling_what_others_need_names_them_and_changes_nothing(admin: Client, tenants: Tenants) -> None:
    admin.post("/settings/plugins/rota/enable/")
    assert "Rota" in admin.get("/settings/plugins/pager/disable/").content.decode()
    answer = admin.post("/settings/plugins/pager/disable/")
    assert answer.status_code == 409
    assert "rota" in answer.context["error"]
    assert _enabled(tenants) == {"pager", "rota"}


def test_disabling_with_the_box_ticked_takes_the_dependants_along(admin: Client, tenants: Tenants) -> None:
    admin.post("/settings/plugins/rota/enable/")
    answer = admin.post("/settings/plugins/pager/disable/", {"cascade": "on"}, follow=True)
    assert "Disabled: Rota, Pager." in answer.content.decode()
    assert _enabled(tenants) == set()


def test_disabling_keeps_the_settings(admin: Client) -> None:
    admin.post("/settings/plugins/pager/enable/")
    admin.post("/settings/plugins/pager/configure/", {"gateway": "kept.example", "level": "4", "revision": "0"})
    admin.post("/settings/plugins/pager/disable/")
    assert "kept.example" in admin.get("/settings/plugins/pager/").content.decode()


def test_a_plugin_that_fails_to_tidy_up_is_disabled_all_the_same(admin: Client, tenants: Tenants) -> None:
    admin.post("/settings/plugins/clumsy/enable/")
    assert admin.post("/settings/plugins/clumsy/disable/").status_code == 302
    assert _enabled(tenants) == set()


def test_the_disable_page_of_what_is_not_enabled_leads_back(admin: Client) -> None:
    assert admin.get("/settings/plugins/pager/disable/")["Location"] == "/settings/plugins/pager/"
    assert admin.post("/settings/plugins/pager/disable/").status_code == 302


def test_a_withdrawn_plugin_is_shown_with_the_platforms_message_and_cannot_be_enabled(
    admin: Client, tenants: Tenants
) -> None:
    set_offer("pager", "withdrawn", message="It rang at night. Back on Monday.")
    for page in ("/settings/plugins/", "/settings/plugins/pager/", "/settings/plugins/pager/enable/"):
        assert "It rang at night. Back on Monday." in admin.get(page).content.decode()
    answer = admin.post("/settings/plugins/pager/enable/")
    assert (answer.status_code, _enabled(tenants)) == (409, set())


def test_an_enabled_plugin_that_is_withdrawn_can_still_be_disabled(admin: Client, tenants: Tenants) -> None:
    admin.post("/settings/plugins/clumsy/enable/")
    set_offer("clumsy", "withdrawn", message="Gone.")
    assert admin.get("/settings/plugins/clumsy/disable/").status_code == 200
    admin.post("/settings/plugins/clumsy/disable/")
    assert _enabled(tenants) == set()


def test_a_hidden_plugin_is_seen_by_those_alone_who_had_it(admin: Client, tenants: Tenants) -> None:
    set_offer("pager", "hidden")
    assert "pager" not in _names(admin.get("/settings/plugins/"))
    assert admin.get("/settings/plugins/pager/").status_code == 404
    assert admin.post("/settings/plugins/pager/enable/").status_code == 404
    set_offer("pager", "everyone")
    with tenant_scope(tenants.acme):
        lifecycle.enable("pager", SYSTEM)
    set_offer("pager", "hidden")
    assert "pager" in _names(admin.get("/settings/plugins/"))
    assert admin.get("/settings/plugins/pager/").status_code == 200


def test_a_plugin_listed_for_others_is_shown_as_not_available(admin: Client, tenants: Tenants) -> None:
    set_offer("pager", "listed", granted=[tenants.globex.schema])
    answer = admin.get("/settings/plugins/pager/")
    assert answer.context["plugin"].state == "locked"
    assert admin.post("/settings/plugins/pager/enable/").status_code == 409
    set_offer("pager", "listed", granted=[tenants.acme.schema])
    assert admin.get("/settings/plugins/pager/").context["plugin"].state == "available"


def test_a_plugin_whose_code_is_gone_stays_visible_and_can_be_disabled(admin: Client, tenants: Tenants) -> None:
    with tenant_scope(tenants.acme):
        PluginState.objects.create(plugin="vanished", version="1.0", enabled=True)
    assert "vanished" in _names(admin.get("/settings/plugins/"))
    assert "not installed any more" in admin.get("/settings/plugins/vanished/").content.decode()
    admin.post("/settings/plugins/vanished/disable/")
    assert _enabled(tenants) == set()
