"""Model instances in an event: references that are read again, in the tenant in which the handler runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from plugin_framework.delivery.payload import MissingRow, NotKnownHere, freeze, thaw
from plugin_framework.models import AuditEntry, PluginState
from plugin_framework.sdk import DeadLetter
from plugin_framework.tenancy import TenantRef, tenant_scope


@pytest.fixture
def acme(tenants: Any) -> Iterator[TenantRef]:
    with tenant_scope(tenants.acme):
        yield tenants.acme


def test_an_instance_is_kept_as_a_reference_and_read_as_it_is_then(acme: TenantRef) -> None:
    entry = AuditEntry.objects.create(actor="before", action="x")
    frozen = freeze([entry, {"list": [entry]}])
    assert frozen[0] == {"$model": "plugin_framework.AuditEntry", "pk": entry.pk}
    AuditEntry.objects.update(actor="after")
    first, second = thaw(frozen)
    assert (first.pk, first.actor, second["list"][0].actor) == (entry.pk, "after", "after")


def test_the_same_reference_in_another_tenant_is_another_row_or_none(acme: TenantRef, tenants: Any) -> None:
    PluginState.objects.create(pk=4711, plugin="canary_of_acme", version="1")
    frozen = freeze([PluginState.objects.get(pk=4711)])
    with tenant_scope(tenants.globex), pytest.raises(MissingRow):
        thaw(frozen)


def test_a_row_that_is_gone_is_named(acme: TenantRef) -> None:
    entry = AuditEntry.objects.create(actor="a", action="x")
    frozen = freeze([entry])
    pk = entry.pk
    entry.delete()
    with pytest.raises(MissingRow, match=f"plugin_framework.AuditEntry {pk}, which does not exist any more"):
        thaw(frozen)


def test_a_model_that_is_gone_is_named(acme: TenantRef) -> None:
    for label in ("gone_plugin.Thing", "plugin_framework.Thing"):
        with pytest.raises(NotKnownHere, match=f"{label}, and what defines that is not installed here"):
            thaw([{"$model": label, "pk": 1}])
    assert not issubclass(NotKnownHere, DeadLetter), "a worker with newer code may know it"


def test_a_kind_of_value_that_only_a_newer_version_knows_is_left_to_it() -> None:
    with pytest.raises(NotKnownHere, match="carries a money"):
        thaw([{"price": {"$money": "1 EUR"}}])
    assert thaw(freeze([{"$money": "1 EUR"}])) == ({"$money": "1 EUR"},), "a key that only looks so"


def test_a_table_that_is_gone_is_named(acme: TenantRef) -> None:
    entry = AuditEntry.objects.create(actor="a", action="x")
    frozen = freeze([entry])
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE plugin_framework_auditentry")
    with pytest.raises(MissingRow, match="its table was removed"):
        thaw(frozen)


def test_an_unsaved_instance_is_refused(acme: TenantRef) -> None:
    for unsaved in (AuditEntry(actor="a"), AuditEntry(pk=5, actor="a")):
        with pytest.raises(TypeError, match=r"order is an unsaved plugin_framework\.AuditEntry; save it"):
            freeze([unsaved], ["order"])
