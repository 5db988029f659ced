"""A worker asks the gate with what it knew of a tenant from before; what is written in the meantime counts nevertheless."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from plugin_framework import activation, configuration, hooks, lifecycle
from plugin_framework.activation import BoundHandler
from plugin_framework.audit import SYSTEM
from plugin_framework.delivery import house
from plugin_framework.delivery.emit import emit_event
from plugin_framework.models import Delivery, PluginState
from plugin_framework.tenancy import TenantRef, tenant_scope
from tests.conftest import Tenants
from tests.dummies.gated import HEARD
from tests.support.queue import work_off


@pytest.fixture
def acme(committed_db: str, tenants: Tenants) -> Iterator[TenantRef]:
    HEARD.clear()
    with tenant_scope(tenants.acme):
        configuration.configure("canary", SYSTEM, {"canary": "tweet"})
        configuration.configure("gated", SYSTEM, {"number": 1})
        lifecycle.enable("gated", SYSTEM)
    yield tenants.acme
    activation.cache.clear()


def happens(tenant: TenantRef) -> None:
    """An event, with the plugin running; afterwards this process knows the tenant as it is now."""
    with tenant_scope(tenant):
        hooks.emit("gated_event", "hello")


def changed_elsewhere(tenant: TenantRef, *, enabled: bool) -> None:
    """As another process does it: with a new revision, and nothing in this one's memory."""
    known = activation.last_known(tenant.schema)
    with tenant_scope(tenant), transaction.atomic():
        PluginState.objects.filter(plugin="gated").update(enabled=enabled)
        lifecycle.bump_tenant()
    assert activation.last_known(tenant.schema) == known


def states(tenant: TenantRef) -> list[str]:
    with tenant_scope(tenant):
        return [*Delivery.objects.filter(plugin="gated").values_list("state", flat=True)]


def test_what_ran_when_it_last_looked_is_not_called_once_it_is_disabled(acme: TenantRef) -> None:
    happens(acme)
    changed_elsewhere(acme, enabled=False)
    work_off()
    assert (HEARD, states(acme)) == ([], ["cancelled"])


def test_what_was_disabled_when_it_last_looked_is_delivered_once_it_is_enabled(acme: TenantRef) -> None:
    happens(acme)
    changed_elsewhere(acme, enabled=False)
    with tenant_scope(acme):
        assert "gated" not in activation.current().plugins
    changed_elsewhere(acme, enabled=True)
    work_off()
    assert (HEARD, states(acme)) == (["hello"], ["done"])


def test_the_platforms_own_work_sees_what_runs_now(acme: TenantRef, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bool] = []
    monkeypatch.setattr(house, "_handlers", dict(house._handlers))
    house.register("look", lambda: seen.append("gated" in activation.current().plugins))
    with tenant_scope(acme):
        assert "gated" in activation.current().plugins
        emit_event("happened", (), [BoundHandler(house.HOUSE, "look", "happened", print, False)])
    changed_elsewhere(acme, enabled=False)
    work_off()
    assert seen == [False]


def test_what_it_sends_itself_for_a_tenant_it_knows_goes_past_the_cursors(acme: TenantRef) -> None:
    happens(acme)
    work_off()
    happens(acme)
    with CaptureQueriesContext(connection) as asked:
        work_off()
    assert states(acme) == ["done", "done"]
    assert [each["sql"] for each in asked] == []
