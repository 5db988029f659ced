"""A plugin whose migration fails while somebody enables it: nothing is changed, and whoever did it reads which one, and what to do."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from plugin_framework import lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.catalog import revisions
from plugin_framework.models import AuditEntry, PluginState
from plugin_framework.sdk import NotAllowed
from plugin_framework.tenancy import TenantRef, tenant_scope
from plugin_framework.tenancy_directory import platform
from saas.testing.people import person
from tests.conftest import Tenants

PAGE = "/settings/plugins/invoices/enable/"
IN_THE_WAY = "invoices_plugin_invoiceline"  # the last table that its migration makes
SAID = (
    "Invoices could not be enabled: its migration invoices_plugin.0001_initial failed (ProgrammingError). Nothing was changed. "
    "Try again; if it fails again, tell whoever made the plugin, or who runs this platform: its log has the details."
)
TO_STAFF = (
    "Invoices could not be enabled: its migration invoices_plugin.0001_initial failed (ProgrammingError). Nothing was changed. "
    "The log has the details; if it fails again, tell whoever made the plugin."
)


@pytest.fixture
def acme(tenants: Tenants) -> TenantRef:
    """Has a table already that the migration of invoices is about to make."""
    with tenant_scope(tenants.acme), connection.cursor() as cursor:
        cursor.execute(f'CREATE TABLE "{tenants.acme.schema}".{IN_THE_WAY} (id int)')
    return tenants.acme


def nothing_was_changed(acme: TenantRef) -> bool:
    """Whether there is no trace of it, nor of orders, which it needs and which would do."""
    with tenant_scope(acme), connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_tables WHERE schemaname = %s AND tablename ~ '^(orders|invoices)' AND tablename <> %s",
            [acme.schema, IN_THE_WAY],
        )
        tables = cursor.fetchone()[0]
        audited = AuditEntry.objects.filter(action__in=("plugin.enabled", "plugin.configured"))
        return not tables and not PluginState.objects.exists() and not audited.exists()


def test_it_is_not_allowed_in_plain_words_and_the_log_has_the_details(
    acme: TenantRef, caplog: pytest.LogCaptureFixture
) -> None:
    with tenant_scope(acme):
        before = revisions.read()
        with pytest.raises(NotAllowed) as caught:
            lifecycle.enable("invoices", SYSTEM)
        assert revisions.read() == before
    assert str(caught.value) == SAID
    assert f'relation "{IN_THE_WAY}" already exists' in caplog.text
    assert nothing_was_changed(acme)


def test_the_page_says_so_and_keeps_what_was_typed(acme: TenantRef, client_for: Callable[..., Client]) -> None:
    admin = client_for(acme, person(acme, "admin"))
    digest = admin.get(PAGE).context["offer"].digest
    typed = {"seller_address": "1 Rocket Road", "prefix": "ACME-", "enable:agreed": digest, "revision": "0"}
    answer = admin.post(PAGE, typed)
    assert (answer.status_code, SAID in answer.text) == (409, True)
    assert "1 Rocket Road" in answer.text
    assert 'value="ACME-"' in answer.text
    assert nothing_was_changed(acme)


def test_where_staff_enables_it_in_many_it_is_refused_in_this_one_and_enabled_in_the_others(
    acme: TenantRef, tenants: Tenants, client_for: Callable[..., Client]
) -> None:
    entry = platform()
    assert entry is not None
    staff = client_for(entry.ref, person(entry.ref, "admin", "root@platform.example"))
    bulk = {"action": "enable", "of": "invoices", "tenant": ["acme", "globex"]}
    done = {each.ref.slug: each for each in staff.post("/fleet/apply/", bulk).context["effects"]}
    assert (done["acme"].outcome, done["acme"].text) == ("refused", TO_STAFF)
    assert done["globex"].outcome == "change"
    assert nothing_was_changed(acme)


def test_the_command_says_so_and_exits_with_1(acme: TenantRef) -> None:
    with pytest.raises(CommandError) as caught:
        call_command("plugins", "enable", "--tenant", "acme", "--plugin", "invoices", stdout=io.StringIO())
    assert (str(caught.value), caught.value.returncode) == (TO_STAFF, 1)
    assert nothing_was_changed(acme)


def test_it_is_enabled_once_nothing_is_in_the_way(acme: TenantRef) -> None:
    with tenant_scope(acme):
        with pytest.raises(NotAllowed):
            lifecycle.enable("invoices", SYSTEM)
        with connection.cursor() as cursor:
            cursor.execute(f'DROP TABLE "{acme.schema}".{IN_THE_WAY}')
        assert lifecycle.enable("invoices", SYSTEM) == ["orders", "invoices"]
