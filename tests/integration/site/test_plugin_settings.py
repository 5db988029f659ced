"""The settings form on a plugin's page: saving, errors, two people at once, and "Test connection"."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from plugin_framework import lifecycle, settings_store
from plugin_framework.audit import SYSTEM
from plugin_framework.catalog.offers import set_offer
from plugin_framework.models import AuditEntry, PluginSetting, PluginState
from plugin_framework.registry import registry
from plugin_framework.tenancy import tenant_scope
from tests.conftest import Tenants
from tests.dummies import pages

pytestmark = pytest.mark.usefixtures("plugins")
CONFIGURE, TEST, PAGE = (f"/settings/plugins/pager/{each}" for each in ("configure/", "test/", ""))
GOOD = {"gateway": "gate.example", "level": "7", "key": "k-secret-1", "revision": "0"}


def _stored(tenants: Tenants) -> dict[str, Any]:
    with tenant_scope(tenants.acme):
        return settings_store.open_secrets(registry.specs["pager"].schema, "pager", settings_store.stored("pager"))


def _revision(admin: Client) -> str:
    return str(admin.get(PAGE).context["revision"])


def test_settings_are_saved_whole_and_the_plugin_runs_on_the_next_request(admin: Client, tenants: Tenants) -> None:
    with tenant_scope(tenants.acme):
        lifecycle.enable("pager", SYSTEM)
    answer = admin.post(CONFIGURE, GOOD)
    assert answer["Location"] == PAGE
    assert _stored(tenants) == {"gateway": "gate.example", "level": 7, "key": "k-secret-1"}
    assert admin.get(PAGE).context["plugin"].state == "enabled"


def test_settings_can_be_made_before_the_plugin_is_enabled(admin: Client, tenants: Tenants) -> None:
    admin.post(CONFIGURE, GOOD)
    admin.post("/settings/plugins/pager/enable/")
    assert admin.get(PAGE).context["plugin"].state == "enabled"


def test_a_saved_secret_is_never_shown_again_and_kept_when_left_blank(admin: Client, tenants: Tenants) -> None:
    admin.post(CONFIGURE, GOOD)
    page = admin.get(PAGE).content.decode()
    assert "gate.example" in page
    assert "k-secret-1" not in page
    admin.post(CONFIGURE, {**GOOD, "key": "", "level": "2", "revision": _revision(admin)})
    assert _stored(tenants) == {"gateway": "gate.example", "level": 2, "key": "k-secret-1"}
    with tenant_scope(tenants.acme):
        assert "k-secret-1" not in str(list(PluginSetting.objects.values())) + str(list(AuditEntry.objects.values()))


def test_errors_stand_at_their_fields_and_nothing_typed_is_lost(admin: Client, tenants: Tenants) -> None:
    answer = admin.post(CONFIGURE, {**GOOD, "gateway": "g", "level": "12"})
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"gateway", "level"}
    text = answer.content.decode()
    assert 'value="12"' in text
    assert "k-secret-1" not in text
    assert _stored(tenants) == {}


@pytest.mark.parametrize("level", ["", "x", "1e400", "9" * 5000, "\x00", "7.5", "٣"])
def test_garbage_in_a_field_is_an_error_or_a_default_but_never_a_failure(admin: Client, level: str) -> None:
    assert admin.post(CONFIGURE, {**GOOD, "level": level}).status_code in (302, 422)


def test_what_the_plugin_itself_objects_to_stands_above_the_form(admin: Client, tenants: Tenants) -> None:
    answer = admin.post(CONFIGURE, {**GOOD, "gateway": "nowhere"})
    assert answer.status_code == 422
    assert "Nobody answers at nowhere." in answer.context["form"].non_field_errors()
    assert _stored(tenants) == {}


def test_a_secret_has_to_be_typed_again_once_it_would_go_elsewhere(admin: Client, tenants: Tenants) -> None:
    admin.post(CONFIGURE, GOOD)
    elsewhere = {**GOOD, "gateway": "elsewhere.example", "key": "", "revision": _revision(admin)}
    answer = admin.post(CONFIGURE, elsewhere)
    assert (answer.status_code, set(answer.context["form"].errors)) == (422, {"key"})
    assert _stored(tenants)["gateway"] == "gate.example"
    pages.tried.clear()
    answer = admin.post(TEST, elsewhere)
    assert set(answer.context["form"].errors) == {"key"}
    assert pages.tried == []


def test_of_two_who_save_at_once_the_second_sees_both_versions(admin: Client, tenants: Tenants) -> None:
    admin.post(CONFIGURE, GOOD)
    revision = _revision(admin)
    admin.post(CONFIGURE, {**GOOD, "key": "", "gateway": "gate.example", "level": "8", "revision": revision})
    late = {**GOOD, "gateway": "late.example", "key": "k-late", "level": "3", "revision": revision}
    answer = admin.post(CONFIGURE, late)
    text = answer.content.decode()
    assert answer.status_code == 409
    assert {row.label: (row.before, row.after) for row in answer.context["rows"]} == {
        "Gateway": ("gate.example", "late.example"),
        "Level": ("8", "3"),
        "Access key": ("kept secret", "typed anew"),
    }
    assert "late.example" in text
    assert "k-late" not in text
    assert "k-secret-1" not in text
    assert _stored(tenants)["level"] == 8
    admin.post(CONFIGURE, {**late, "revision": str(answer.context["revision"])})
    assert _stored(tenants) == {"gateway": "late.example", "level": 3, "key": "k-late"}


@pytest.mark.parametrize("revision", ["", "x", "-5", "9" * 5000])
def test_a_form_that_does_not_say_what_it_was_made_from_overwrites_nothing(
    admin: Client, tenants: Tenants, revision: str
) -> None:
    admin.post(CONFIGURE, GOOD)
    assert admin.post(CONFIGURE, {**GOOD, "level": "1", "revision": revision}).status_code == 409
    assert _stored(tenants)["level"] == 7


def test_testing_tries_what_is_typed_and_saves_nothing(admin: Client, tenants: Tenants) -> None:
    answer = admin.post(TEST, GOOD)
    assert answer.status_code == 200
    assert answer.context["result"].ok
    assert "Asked gate.example at level 7." in answer.content.decode()
    assert pages.tried == [{"gateway": "gate.example", "level": 7, "key": "k-secret-1"}]
    assert "k-secret-1" not in answer.content.decode()
    assert _stored(tenants) == {}
    with tenant_scope(tenants.acme):
        assert not PluginState.objects.exists()


def test_a_failed_test_says_why_in_place(admin: Client) -> None:
    answer = admin.post(TEST, {**GOOD, "gateway": "silent"})
    assert (answer.status_code, answer.context["result"].ok) == (200, False)
    assert "Asked silent at level 7." in answer.content.decode()


def test_a_test_that_crashes_is_a_sentence_not_a_failure(admin: Client) -> None:
    answer = admin.post(TEST, {**GOOD, "gateway": "crash"})
    assert (answer.status_code, answer.context["result"].ok) == (200, False)
    assert "secret handshake" not in answer.content.decode()


def test_testing_invalid_settings_shows_the_errors_and_reaches_nobody(admin: Client) -> None:
    answer = admin.post(TEST, {**GOOD, "level": "70"})
    assert (answer.status_code, set(answer.context["form"].errors)) == (422, {"level"})
    assert pages.tried == []


def test_a_withdrawn_plugins_code_is_neither_configured_nor_tested(admin: Client, tenants: Tenants) -> None:
    set_offer("pager", "withdrawn", message="It rang at night.")
    for url in (CONFIGURE, TEST):
        assert "It rang at night." in admin.post(url, GOOD, follow=True).content.decode()
    assert (pages.tried, _stored(tenants)) == ([], {})
    assert admin.get(PAGE).context["form"] is None


def test_a_plugin_without_a_test_refuses_to_be_tested(admin: Client) -> None:
    assert admin.post("/settings/plugins/rota/test/", {}, follow=True).status_code == 200


def test_a_secret_that_cannot_be_opened_any_more_is_asked_for(admin: Client, tenants: Tenants) -> None:
    admin.post(CONFIGURE, GOOD)
    with tenant_scope(tenants.acme):
        PluginSetting.objects.filter(key="key").update(value={"$sealed": "v1:gone"})
    revision = _revision(admin)
    for url in (CONFIGURE, TEST):
        answer = admin.post(url, {**GOOD, "key": "", "revision": revision})
        assert answer.status_code == 422
        assert "Enter it again" in answer.content.decode()
    assert admin.post(CONFIGURE, {**GOOD, "key": "k-new", "revision": revision}).status_code == 302
    assert _stored(tenants)["key"] == "k-new"
