"""Counting who has which plugin: exact, and without reading again what has not changed."""

from __future__ import annotations

import pytest
from django.db import transaction

from plugin_framework import lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from saas.console import adoption
from saas.testing.statements import written_down
from tenants.models import State, Tenant
from tests.conftest import Tenants


@pytest.fixture(autouse=True)
def nothing_known(tenants: Tenants) -> None:
    adoption.known.clear()


def _read() -> tuple[adoption.Adoption, str]:
    """What was counted, and the statements that read the plugins of organisations."""
    with written_down() as statements:
        found = adoption.count_adoption()
    return found, "\n".join(each for each in statements if "pluginstate" in each)


def _enable(ref: TenantRef, *names: str) -> None:
    with tenant_scope(ref):
        for name in names:
            lifecycle.enable(name, SYSTEM)


def test_what_has_not_changed_is_not_read_again(tenants: Tenants) -> None:
    _enable(tenants.acme, "orders")
    first, read = _read()
    assert (first.counts["orders"], first.looked_at, first.total) == (1, 2, 2)
    assert tenants.acme.schema in read
    assert tenants.globex.schema in read
    assert _read() == (first, "")


def test_a_change_is_counted_at_once_and_read_where_it_was_made(tenants: Tenants) -> None:
    _read()
    _enable(tenants.globex, "orders", "announcements")
    found, read = _read()
    assert (found.counts["orders"], found.counts["announcements"], found.complete) == (1, 1, True)
    assert tenants.acme.schema not in read
    with tenant_scope(tenants.globex):
        lifecycle.disable("orders", SYSTEM)
    assert _read()[0].counts["orders"] == 0


def test_what_is_taken_back_is_not_counted_although_it_was_seen(tenants: Tenants) -> None:
    with transaction.atomic():
        _enable(tenants.acme, "orders")
        assert _read()[0].counts["orders"] == 1
        transaction.set_rollback(True)
    assert _read()[0].counts["orders"] == 0


def test_a_fleet_too_large_for_one_page_is_known_after_a_few(tenants: Tenants, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adoption, "READ_AT_MOST", 1)
    _enable(tenants.acme, "orders")
    _enable(tenants.globex, "orders")
    first, second = _read()[0], _read()[0]
    assert (first.counts["orders"], first.looked_at, first.complete) == (1, 1, False)
    assert (second.counts["orders"], second.looked_at, second.complete) == (2, 2, True)
    for ref in (tenants.acme, tenants.globex):
        _enable(ref, "announcements")
    assert _read()[0].looked_at == 1  # what is known of the other one is not true any more
    assert _read()[0].counts["announcements"] == 2


def test_the_suspended_count_and_those_that_are_gone_do_not(tenants: Tenants) -> None:
    _enable(tenants.acme, "orders")
    _enable(tenants.globex, "orders")
    with public_scope():
        Tenant.objects.filter(schema_name=tenants.acme.schema).update(state=State.SUSPENDED)
    assert _read()[0].counts["orders"] == 2
    with public_scope():
        Tenant.objects.filter(schema_name=tenants.globex.schema).update(state=State.PROVISIONING)
    assert (_read()[0].counts["orders"], _read()[0].total) == (1, 1)
