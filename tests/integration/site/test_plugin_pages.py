"""Finding, enabling and disabling plugins through the pages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from plugin_framework import lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.catalog.models import Availability
from plugin_framework.catalog.offers import set_offer
from plugin_framework.models import AuditEntry, PluginState
from plugin_framework.tenancy import tenant_scope
from saas.console import actions
from tenants import profile
from tests.conftest import Tenants
from tests.dummies import pages

pytestmark = pytest.mark.usefixtures("plugins")


def _names(answer: Any) -> list[str]:
    return [each.name for each in answer.context["plugins"]]


READY = {"gateway": "gate.example", "revision": "0"}  # what the pager cannot do without


def _set_up_pager(admin: Client) -> None:
    """Save its settings; it is not enabled by that."""
    admin.post("/settings/plugins/pager/configure/", READY)


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
    assert (_names(answer), answer.context["elsewhere"]) == ([], 1)
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
    assert [each.name for each in answer.context["offer"].also] == ["pager"]
    for told in ("Pager", "the pager gateway you name", "everybody&#x27;s name", "Something has broken."):
        assert told in text, told


def test_enabling_brings_what_is_needed_and_is_audited_under_the_persons_name(admin: Client, tenants: Tenants) -> None:
    _set_up_pager(admin)
    answer = admin.post("/settings/plugins/rota/enable/")
    assert answer["Location"] == "/settings/plugins/rota/"
    assert _enabled(tenants) == {"pager", "rota"}
    with tenant_scope(tenants.acme):
        entries = AuditEntry.objects.filter(action="plugin.enabled").values_list("actor", "target")
        assert set(entries) == {("admin@acme.example", "pager"), ("admin@acme.example", "rota")}
    with tenant_scope(tenants.globex):
        assert not PluginState.objects.exists()


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


def test_a_plugin_whose_code_cannot_be_loaded_claims_nothing(admin: Client) -> None:
    text = admin.get("/settings/plugins/broken/").content.decode()
    assert "Its code cannot be loaded, so nothing can be said of what it reads, stores and sends." in text
    assert "Which settings it has is not known" in text
    for claim in ("Nobody outside.", "It names nothing", "What is saved is kept"):
        assert claim not in text


def test_a_plugin_that_cannot_be_enabled_shows_nothing_that_would_come_with_it(admin: Client) -> None:
    set_offer("pager", "withdrawn", message="It is on fire.")
    text = admin.get("/settings/plugins/rota/enable/").content.decode()
    assert "It cannot be enabled now." in text
    assert "What is enabled with it" not in text
    page = admin.get("/settings/plugins/pager/").content.decode()
    assert "They can be filled in as soon as the plugin is available here." in page


def test_a_plugins_page_leads_to_the_pages_of_its_own_while_it_runs(admin: Client, tenants: Tenants) -> None:
    opens = '<a class="button" href="/apps/orders/">Open Orders</a>'
    assert opens not in admin.get("/settings/plugins/orders/").content.decode()
    with tenant_scope(tenants.acme):
        lifecycle.enable("orders", SYSTEM)
    assert opens in admin.get("/settings/plugins/orders/").content.decode()
    assert opens not in admin.get("/settings/plugins/pager/").content.decode()


def test_disabling_what_others_need_names_them_and_changes_nothing(admin: Client, tenants: Tenants) -> None:
    _set_up_pager(admin)
    admin.post("/settings/plugins/rota/enable/")
    assert "Rota" in admin.get("/settings/plugins/pager/disable/").content.decode()
    answer = admin.post("/settings/plugins/pager/disable/")
    assert answer.status_code == 409
    assert "Rota" in answer.context["error"]
    assert _enabled(tenants) == {"pager", "rota"}


def test_disabling_with_the_box_ticked_takes_the_dependants_along(admin: Client, tenants: Tenants) -> None:
    _set_up_pager(admin)
    admin.post("/settings/plugins/rota/enable/")
    answer = admin.post("/settings/plugins/pager/disable/", {"cascade": "on"}, follow=True)
    assert "Disabled: Rota, Pager." in answer.content.decode()
    assert _enabled(tenants) == set()


def test_disabling_keeps_the_settings(admin: Client) -> None:
    admin.post("/settings/plugins/pager/enable/", {"gateway": "kept.example", "level": "4", "revision": "0"})
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


def _withdraw(plugin: str, message: str) -> None:
    assert actions.offer(plugin, Availability.WITHDRAWN, SYSTEM, message=message)


def test_what_the_platform_has_withdrawn_is_said_with_the_day_on_which_it_was_in_the_organisations_zone(
    admin: Client, tenants: Tenants
) -> None:
    with tenant_scope(tenants.acme):
        lifecycle.enable("webhooks", SYSTEM)
        profile.change(profile.Profile("Acme", "Pacific/Auckland"), SYSTEM)
    _withdraw("webhooks", "It rang.")
    _withdraw("webhooks", "It rang at night.")
    with tenant_scope(tenants.acme):
        told = AuditEntry.objects.filter(action="catalog.withdrawn").order_by("id")
        first, second = told.values_list("pk", flat=True)
        told.filter(pk=first).update(at=datetime(2026, 3, 1, 20, tzinfo=UTC))
        told.filter(pk=second).update(at=datetime(2026, 3, 9, tzinfo=UTC))
    page = admin.get("/settings/plugins/webhooks/").text
    assert "Withdrawn by the platform on 2 Mar 2026: It rang at night." in page
    assert "Withdrawn by the platform: It rang at night." in admin.get("/settings/plugins/").text
    actions.offer("webhooks", Availability.EVERYONE, SYSTEM)
    set_offer("webhooks", "withdrawn", message="Again.")  # and nobody was told: then no day is known
    assert "Withdrawn by the platform: Again." in admin.get("/settings/plugins/webhooks/").text


def test_a_sample_is_offered_for_a_plugin_that_runs_and_for_no_other(admin: Client, tenants: Tenants) -> None:
    with tenant_scope(tenants.acme):
        lifecycle.enable("webhooks", SYSTEM)
    assert "Send a sample event" in admin.get("/settings/plugins/webhooks/").text
    _withdraw("webhooks", "It rang at night.")
    page = admin.get("/settings/plugins/webhooks/").text
    assert "Send a sample event" not in page
    assert "Test connection" not in page


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


def test_an_enabled_plugin_in_trouble_is_found_under_enabled_as_well(admin: Client, tenants: Tenants) -> None:
    with tenant_scope(tenants.acme):
        lifecycle.enable("pager", SYSTEM)
    counts = {pill.value: pill.count for pill in admin.get("/settings/plugins/").context["filters"]}
    assert (counts["enabled"], counts["attention"]) == (1, 1)
    assert counts[""] == len(_names(admin.get("/settings/plugins/")))
    assert _names(admin.get("/settings/plugins/?state=enabled")) == ["pager"]


def test_a_locked_plugin_says_why_and_what_to_do(admin: Client) -> None:
    set_offer("pager", "withdrawn", message="It rang at night.")
    text = admin.get("/settings/plugins/?state=locked").content.decode()
    for told in ("It rang at night.", "as soon as the platform offers it again"):
        assert told in text, told


def test_a_plugin_that_needs_a_locked_one_is_locked_too_and_names_it(admin: Client, tenants: Tenants) -> None:
    set_offer("pager", "withdrawn", message="It rang at night.")
    rota = next(each for each in admin.get("/settings/plugins/").context["plugins"] if each.name == "rota")
    assert (rota.state, rota.may_enable) == ("locked", False)
    assert rota.reason_text == "It needs Pager, which cannot be enabled: Withdrawn by the platform: It rang at night."
    assert admin.post("/settings/plugins/rota/enable/").status_code == 409
    assert _enabled(tenants) == set()


@pytest.mark.parametrize(
    ("address", "told", "next_step"),
    [
        ("?q=zebra", "No plugin fits “zebra”", "Show all plugins"),
        ("?q=pager&state=enabled", "1 plugin in another state fits.", "Search in all states"),
        ("?state=enabled", "No plugin is enabled yet", "See what is available"),
        ("?state=attention", "Nothing needs your attention", "Look at recent deliveries"),
    ],
)
def test_an_empty_list_says_why_and_what_comes_next(admin: Client, address: str, told: str, next_step: str) -> None:
    text = admin.get(f"/settings/plugins/{address}").content.decode()
    assert told in text
    assert next_step in text


def test_a_card_has_category_and_version(admin: Client) -> None:
    text = admin.get("/settings/plugins/?q=pager").content.decode()
    assert "Version 2.1.0" in text
    assert "Other" in text


def test_fifty_plugins_take_no_more_queries_than_a_few(admin: Client, tenants: Tenants) -> None:
    made = [type(f"Many{n}", (pages.Clumsy,), {"name": f"many_{n}", "title": f"Many {n}"}) for n in range(50)]
    with pages.installed(*made):
        with tenant_scope(tenants.acme):
            for each in made[:25]:
                lifecycle.enable(each.name, SYSTEM)
        with CaptureQueriesContext(connection) as queries:
            answer = admin.get("/settings/plugins/")
        assert len(_names(answer)) >= 50
        assert len(queries) <= 20
        assert len(answer.content) < 100_000


def test_the_two_ways_to_stop_are_told_apart(admin: Client) -> None:
    admin.post("/settings/plugins/clumsy/enable/")
    text = admin.get("/settings/plugins/clumsy/").content.decode()
    for told in ("Two ways to stop using it", "goes on where it was", "Only once it is disabled."):
        assert told in text, told
    admin.post("/settings/plugins/clumsy/disable/")
    assert "Delete what it has stored…" in admin.get("/settings/plugins/clumsy/").content.decode()
