"""Enabling, disabling and configuring: whole or not at all, audited, one at a time."""

from __future__ import annotations

import threading

import pytest
from django.db import connection

from plugin_framework import configuration, lifecycle
from plugin_framework.audit import Actor
from plugin_framework.models import AuditEntry, PluginSetting, PluginState
from plugin_framework.sdk import NotAllowed
from plugin_framework.tenancy import tenant_scope
from tests.conftest import Tenants
from tests.dummies.pages import Refusing, installed

ADA = Actor("ada@example.com")


def enabled() -> set[str]:
    return set(PluginState.objects.filter(enabled=True).values_list("plugin", flat=True))


def tables(schema: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", [schema])
        return {name for (name,) in cursor.fetchall()}


def test_what_is_needed_is_enabled_first_and_all_of_it_is_audited(acme: Tenants) -> None:
    assert lifecycle.enable("omega", ADA) == ["alpha", "omega"]
    assert lifecycle.enable("omega", ADA) == []
    entries = AuditEntry.objects.filter(action="plugin.enabled", actor=str(ADA)).order_by("pk")
    assert [entry.target for entry in entries] == ["alpha", "omega"]


def test_what_is_needed_can_be_asked_about_instead(acme: Tenants) -> None:
    with pytest.raises(NotAllowed, match="Omega needs Alpha"):
        lifecycle.enable("omega", ADA, with_requirements=False)
    assert enabled() == {"caller"}


def test_disabling_names_the_dependants_or_takes_them_along(acme: Tenants) -> None:
    lifecycle.enable("omega", ADA)
    with pytest.raises(NotAllowed, match="Alpha is needed by Omega"):
        lifecycle.disable("alpha", ADA)
    assert lifecycle.disable("alpha", ADA, cascade=True) == ["omega", "alpha"]
    assert lifecycle.disable("alpha", ADA) == []
    assert enabled() == {"caller"}


def test_a_plugin_that_fails_while_it_is_enabled_is_not(acme: Tenants) -> None:
    with installed(Refusing), pytest.raises(NotAllowed, match="its own preparations failed"):
        lifecycle.enable("refusing", ADA)
    assert enabled() == {"caller"}
    assert not AuditEntry.objects.filter(target="refusing").exists()


def test_settings_and_tables_stay_when_a_plugin_is_disabled(acme: Tenants) -> None:
    configuration.configure("living", ADA, {"number": 9})
    lifecycle.enable("living", ADA)
    lifecycle.enable("orders", ADA)
    made = {name for name in tables(acme.acme.schema) if name.startswith("orders")}
    lifecycle.disable("living", ADA)
    lifecycle.disable("orders", ADA)
    assert PluginSetting.objects.get(plugin_name="living", key="number").value == 9
    assert made
    assert made <= tables(acme.acme.schema)


def test_only_who_installs_a_plugin_gets_its_tables(acme: Tenants) -> None:
    lifecycle.enable("orders", ADA)
    assert any(name.startswith("orders") for name in tables(acme.acme.schema))
    assert not any(name.startswith("orders") for name in tables(acme.globex.schema) | tables("public"))


def test_wrong_settings_change_nothing(acme: Tenants) -> None:
    configuration.configure("living", ADA, {"number": 1})
    with pytest.raises(configuration.Invalid) as caught:
        configuration.configure("living", ADA, {"number": "many"})
    assert caught.value.errors[0].path == ("number",)
    assert PluginSetting.objects.get(plugin_name="living", key="number").value == 1


def test_a_stale_form_is_a_conflict(acme: Tenants) -> None:
    first = configuration.configure("living", ADA, {"number": 1}, expected_revision=0)
    configuration.configure("living", ADA, {"number": 2}, expected_revision=first)
    with pytest.raises(configuration.Conflict):
        configuration.configure("living", ADA, {"number": 3}, expected_revision=first)
    assert PluginSetting.objects.get(plugin_name="living", key="number").value == 2


def test_two_admins_who_enable_at_once_enable_once(committed_db: str, plugins: None, tenants: Tenants) -> None:
    at_once, newly = threading.Barrier(4), []

    def run() -> None:
        try:
            with tenant_scope(tenants.acme):
                at_once.wait()
                newly.extend(lifecycle.enable("orders", ADA))
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert newly == ["orders"]
    with tenant_scope(tenants.acme):
        assert AuditEntry.objects.filter(action="plugin.enabled", target="orders").count() == 1
