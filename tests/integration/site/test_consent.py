"""What an organisation has agreed to is recorded, and a version that asks for more is shown until somebody agrees."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client

from plugin_framework import lifecycle, permissions
from plugin_framework.audit import SYSTEM, Actor
from plugin_framework.models import AuditEntry, PluginState
from plugin_framework.permissions import Kind, Permission
from plugin_framework.sdk import NotAllowed, hook
from plugin_framework.tenancy import tenant_scope
from tests.conftest import Tenants
from tests.dummies import pages

pytestmark = pytest.mark.usefixtures("plugins")
PAGE, AGREE = "/settings/plugins/rota/", "/settings/plugins/rota/agree/"


class Nosy(pages.Rota):
    """The next version of the rota."""

    version = "1.1.0"
    dependencies = ()
    reads = ("everybody's name", "everybody's calendar")
    sends_to = ("calendar.example",)
    changelog = (
        ("1.1.0", "2026-11-28", "Looks into calendars."),
        ("1.0.0", "2026-11-01", "Says whose turn it is."),
    )

    @hook("user_registered")
    def welcome(self, user: object) -> None:
        pass


class Calm(pages.Rota):
    """The rota as it was."""

    dependencies = ()


@pytest.fixture
def newer(plugins: None, tenants: Tenants) -> Iterator[None]:
    """The rota was enabled at 1.0.0; 1.1.0 is installed now."""
    with pages.installed(Calm), tenant_scope(tenants.acme):
        lifecycle.enable("rota", Actor("ada@acme.example"))
    with pages.installed(Nosy):
        yield


def test_enabling_records_who_agreed_to_what(admin: Client, tenants: Tenants) -> None:
    with pages.installed(Calm):
        admin.post("/settings/plugins/rota/enable/")
    with tenant_scope(tenants.acme):
        row = PluginState.objects.get(plugin="rota")
    consent = permissions.consent_of(row)
    assert (consent.by, consent.version) == ("admin@acme.example", "1.0.0")
    assert consent.to == {Permission(Kind.READS, "everybody's name")}


@pytest.mark.usefixtures("newer")
def test_a_version_that_asks_for_more_needs_attention_and_runs_on(admin: Client) -> None:
    page = admin.get(PAGE)
    plugin = page.context["plugin"]
    assert (plugin.state, plugin.runs) == ("attention", True)
    assert plugin.reason_text == "Version 1.1.0 asks for more than you have agreed to."
    assert plugin.new_reach.reads == ("everybody's calendar",)
    assert plugin.new_reach.sends_to == ("calendar.example",)
    assert [each.name for each in plugin.new_reach.hooks] == ["user_registered"]
    text = page.content.decode()
    for told in ("Version 1.1.0 asks for more", "ada@acme.example", "calendar.example", "Looks into calendars."):
        assert told in text, told
    assert [each.version for each in plugin.new_releases] == ["1.1.0"]
    assert "asks for more" in admin.get("/settings/plugins/?state=attention").content.decode()


@pytest.mark.usefixtures("newer")
def test_agreeing_ends_it_and_is_audited_with_what_was_new(admin: Client, tenants: Tenants) -> None:
    shown = admin.get(PAGE).context["asked"]
    assert admin.post(AGREE, {"agreed": shown}).status_code == 302
    plugin = admin.get(PAGE).context["plugin"]
    assert (plugin.state, plugin.new_reach) == ("enabled", None)
    assert (plugin.consent.by, plugin.consent.version) == ("admin@acme.example", "1.1.0")
    with tenant_scope(tenants.acme):
        entry = AuditEntry.objects.get(action="plugin.agreed")
    assert entry.detail["new"] == [
        "reads: everybody's calendar",
        "sends_to: calendar.example",
        "hears: user_registered",
    ]


@pytest.mark.usefixtures("newer")
@pytest.mark.parametrize("shown", ["", "0" * 32])
def test_agreeing_to_something_that_was_not_shown_changes_nothing(admin: Client, shown: str) -> None:
    answer = admin.post(AGREE, {"agreed": shown}, follow=True)
    assert "has changed since the page was shown" in answer.content.decode()
    assert answer.context["plugin"].new_reach is not None


def test_a_version_that_asks_for_less_asks_nobody(admin: Client, tenants: Tenants) -> None:
    with pages.installed(Nosy), tenant_scope(tenants.acme):
        lifecycle.enable("rota", SYSTEM)
    with pages.installed(Calm):
        assert admin.get(PAGE).context["plugin"].state == "enabled"


def test_what_was_enabled_before_anybody_was_asked_is_no_alarm_and_can_be_agreed_to(
    admin: Client, tenants: Tenants
) -> None:
    with pages.installed(Nosy):
        with tenant_scope(tenants.acme):
            lifecycle.enable("rota", SYSTEM)
            PluginState.objects.update(consented=None, consented_at=None, consented_by="", consented_version="")
        page = admin.get(PAGE)
        assert page.context["plugin"].state == "enabled"
        assert "before agreements were recorded" in page.content.decode()
        admin.post(AGREE, {"agreed": page.context["asked"]})
        assert admin.get(PAGE).context["plugin"].consent.version == "1.1.0"


def test_nobody_agrees_for_a_plugin_that_is_not_enabled(admin: Client, tenants: Tenants) -> None:
    answer = admin.post(AGREE, {"agreed": permissions.digest(["rota"])}, follow=True)
    assert "You are asked what it may do when you enable it" in answer.content.decode()
    with tenant_scope(tenants.acme), pytest.raises(NotAllowed):
        permissions.agree("never_heard_of", SYSTEM, shown="")


def test_a_kind_that_only_a_newer_version_of_the_platform_knows_is_left_alone(tenants: Tenants) -> None:
    with pages.installed(Calm), tenant_scope(tenants.acme):
        lifecycle.enable("rota", SYSTEM)
        row = PluginState.objects.get(plugin="rota")
        row.consented = [*row.consented, ["watches", "the door"]]
        assert permissions.consent_of(row).to == {Permission(Kind.READS, "everybody's name")}
