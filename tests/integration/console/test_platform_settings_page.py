"""Filling in and locking settings for every organisation, and what their pages show of it."""

from __future__ import annotations

import pytest
from django.test import Client

from plugin_framework import platform_settings
from plugin_framework.models import AuditEntry
from plugin_framework.tenancy import TenantRef, tenant_scope
from tests.conftest import Tenants

pytestmark = pytest.mark.usefixtures("plugins")
PAGE = "/catalog/pager/settings/"
HERE = "/settings/plugins/pager/"


def _log(tenant: TenantRef) -> list[tuple[str, object]]:
    with tenant_scope(tenant):
        rows = AuditEntry.objects.filter(action="catalog.settings_changed").order_by("pk")
        return [(entry.target, entry.detail["changed"]) for entry in rows]


def test_a_suggestion_is_in_the_organisations_form_and_what_it_leaves_alone_follows_the_platform(
    staff: Client, acme_admin: Client
) -> None:
    staff.post(PAGE, {"gateway": "gate.platform", "level": ""})
    assert 'value="gate.platform"' in acme_admin.get(HERE).content.decode()
    acme_admin.post(HERE + "configure/", {"gateway": "gate.platform", "level": "7", "revision": "0"})
    staff.post(PAGE, {"gateway": "gate2.platform", "level": ""})
    page = acme_admin.get(HERE).content.decode()
    assert 'value="gate2.platform"' in page
    assert 'value="7"' in page


def test_a_locked_field_cannot_be_filled_in_and_a_forged_one_is_not_looked_at(
    staff: Client, acme_admin: Client, tenants: Tenants
) -> None:
    staff.post(PAGE, {"gateway": "gate.platform", "lock": "gateway"})
    page = acme_admin.get(HERE).content.decode()
    assert "disabled" in page[page.index('name="gateway"') - 200 : page.index('name="gateway"') + 200]
    answer = acme_admin.post(HERE + "configure/", {"gateway": "evil.example", "level": "2", "revision": "0"})
    assert answer.status_code == 302
    acme_admin.post(HERE + "enable/")
    assert 'value="gate.platform"' in acme_admin.get(HERE).content.decode()


def test_the_organisations_that_have_it_read_of_the_change_in_their_own_log(
    staff: Client, acme_admin: Client, tenants: Tenants, platform: TenantRef
) -> None:
    acme_admin.post(HERE + "enable/", {"gateway": "gate.example", "revision": "0"})
    staff.post(PAGE, {"gateway": "gate.platform", "key": "k-platform-1", "lock": "level"})
    staff.post(PAGE, {"gateway": "gate.platform", "lock": "level"})
    told = ("pager", ["gateway", "key", "locked"])
    assert (_log(tenants.acme), _log(tenants.globex), _log(platform)) == ([told], [], [told])


def test_a_platforms_secret_is_kept_when_left_empty_removed_when_asked_and_never_shown(staff: Client) -> None:
    staff.post(PAGE, {"gateway": "gate.platform", "key": "k-platform-1"})
    page = staff.get(PAGE).content.decode()
    assert "k-platform-1" not in page
    assert "It is never shown again" in page
    staff.post(PAGE, {"gateway": "gate.platform", "level": "3"})
    assert set(platform_settings.saved("pager")[0]) == {"gateway", "key", "level"}
    staff.post(PAGE, {"gateway": "gate.platform", "level": "3", "remove:key": "on"})
    assert set(platform_settings.saved("pager")[0]) == {"gateway", "level"}


@pytest.mark.parametrize(
    "sent", [{"level": "99"}, {"gateway": "x"}, {"lock": "nonesuch"}, {"gateway": "a" * 5000}, {"level": "\x00"}]
)
def test_what_does_not_fit_is_refused_with_a_reason_and_nothing_is_saved(staff: Client, sent: dict[str, str]) -> None:
    answer = staff.post(PAGE, sent)
    assert answer.status_code == 422
    assert answer.context["form"].summary
    assert platform_settings.saved("pager") == ({}, [])


@pytest.mark.parametrize("name", ["rota", "broken", "nonesuch"])
def test_a_plugin_without_settings_has_no_such_page(staff: Client, name: str) -> None:
    assert staff.get(f"/catalog/{name}/settings/").status_code == 404
