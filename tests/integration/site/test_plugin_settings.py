"""The settings form on a plugin's page: saving, errors, two people at once, and "Test connection"."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client

from plugin_framework import lifecycle, settings_store
from plugin_framework.audit import SYSTEM
from plugin_framework.catalog.offers import set_offer, set_platform_settings
from plugin_framework.models import AuditEntry, PluginSetting, PluginState, SettingsHistory
from plugin_framework.registry import registry
from plugin_framework.tenancy import tenant_scope
from tests.conftest import Tenants
from tests.dummies import pages
from tests.support.filled_forms import Page

pytestmark = pytest.mark.usefixtures("plugins")
CONFIGURE, TEST, PAGE = (f"/settings/plugins/pager/{each}" for each in ("configure/", "test/", ""))
GOOD = {"gateway": "gate.example", "level": "7", "key": "k-secret-1", "revision": "0"}


def _stored(tenants: Tenants) -> dict[str, Any]:
    with tenant_scope(tenants.acme):
        return settings_store.open_secrets(registry.specs["pager"].schema, "pager", settings_store.stored("pager"))


def _send(admin: Client, data: QueryDict) -> Any:
    return admin.post(CONFIGURE, data.urlencode(), content_type="application/x-www-form-urlencoded")


def _stored_after(admin: Client, tenants: Tenants, data: QueryDict) -> dict[str, Any]:
    assert _send(admin, data).status_code == 302
    return _stored(tenants)


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
    assert {each.label: (each.theirs_text, each.mine_text, each.both) for each in answer.context["versions"]} == {
        "Gateway": ("gate.example", "late.example", False),
        "Level": ("8", "3", True),
        "Access key": ("as it is saved", "what you typed", False),
    }
    assert "late.example" in text
    assert "k-late" not in text
    assert "k-secret-1" not in text
    assert _stored(tenants)["level"] == 8
    drawn = Page(text)
    assert sum(each.name == "sealed:key" for each in drawn.controls) == 1
    _send(admin, drawn.submit())  # and nothing is typed again, not even the secret
    assert _stored(tenants) == {"gateway": "late.example", "level": 3, "key": "k-late"}


def test_what_only_one_of_two_has_changed_is_chosen_already_and_the_rest_can_be(
    admin: Client, tenants: Tenants
) -> None:
    admin.post(CONFIGURE, GOOD)
    mine = Page(admin.get(PAGE).content.decode()).submit(gateway="mine.example", key="k-mine")
    admin.post(CONFIGURE, {**GOOD, "key": "", "level": "8", "revision": _revision(admin)})
    answer = _send(admin, mine)
    assert [(each.field, each.mine, each.both) for each in answer.context["versions"]] == [
        ("gateway", True, False), ("level", False, False), ("key", True, False),
    ]  # fmt: skip
    drawn = Page(answer.content.decode())
    third = _send(admin, drawn.submit(**{"take:gateway": "theirs", "take:key": "theirs", "revision": "0"}))
    assert third.status_code == 409, "a third one has saved meanwhile"
    assert [each.field for each in third.context["versions"]] == []
    _send(admin, drawn.submit())
    assert _stored(tenants) == {"gateway": "mine.example", "level": 8, "key": "k-mine"}


def test_a_version_whose_beginning_is_forgotten_is_taken_for_changed_throughout(
    admin: Client, tenants: Tenants
) -> None:
    admin.post(CONFIGURE, GOOD)
    late = Page(admin.get(PAGE).content.decode()).submit()
    admin.post(CONFIGURE, {**GOOD, "key": "", "level": "8", "revision": _revision(admin)})
    with tenant_scope(tenants.acme):
        SettingsHistory.objects.all().delete()
    answer = _send(admin, late)
    assert [(each.field, each.mine, each.both) for each in answer.context["versions"]] == [("level", True, True)]


def test_a_typed_secret_outlives_a_page_that_is_drawn_again_and_is_good_in_this_form_alone(
    admin: Client, tenants: Tenants
) -> None:
    answer = admin.post(CONFIGURE, {**GOOD, "level": "99"})
    drawn = Page(answer.content.decode())
    token = drawn.attributes_of("sealed:key")["value"]
    assert "k-secret-1" not in token
    for wrong in (f"{token[:-4]}AAAA", "", "v1:x:y"):
        data = drawn.submit(level="5", revision=_revision(admin), **{"sealed:key": wrong})
        assert "key" not in _stored_after(admin, tenants, data)
    other = admin.post("/settings/plugins/pager/test/", {**GOOD, "level": "5", "key": "", "sealed:gateway": token})
    assert other.context["form"].secrets == {}
    assert _stored_after(admin, tenants, drawn.submit(level="5", revision=_revision(admin)))["key"] == "k-secret-1"


def test_a_typed_secret_can_be_forgotten_before_it_is_saved(admin: Client, tenants: Tenants) -> None:
    drawn = Page(admin.post(CONFIGURE, {**GOOD, "level": "99"}).content.decode())
    assert "key" not in _stored_after(admin, tenants, drawn.submit(level="5", **{"remove:key": "on"}))


def test_the_platforms_default_applies_again_where_a_field_was_put_back_to_it(admin: Client, tenants: Tenants) -> None:
    set_platform_settings("pager", {"level": 3, "gateway": "gate.platform"}, [])
    admin.post(CONFIGURE, {**GOOD, "key": ""})
    for name, default in (("level", "3"), ("gateway", "gate.platform")):
        drawn = Page(_send(admin, Page(admin.get(PAGE).content.decode()).submit(f"reset:{name}")).content.decode())
        assert drawn.attributes_of(name)["value"] == default
        assert name in _stored(tenants), "nothing is saved yet"
        assert name not in _stored_after(admin, tenants, drawn.submit())


def test_for_htmx_a_test_answers_with_what_came_of_it_and_nothing_around_it(admin: Client) -> None:
    for changes, told in (({}, "Asked gate.example at level 7."), ({"level": "70"}, "Must be at most 9.")):
        answer = admin.post(TEST, {**GOOD, **changes}, headers={"HX-Request": "true"})
        text = answer.content.decode()
        assert answer.status_code == 200
        assert told in text
        assert "<html" not in text
        assert "k-secret-1" not in text
    assert 'href="#id_level"' in text


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
