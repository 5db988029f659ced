"""A handler that keeps people waiting is reported, and its plugin rests for a while after too many of that."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from django.db import transaction
from django.test import Client

from plugin_framework import activation, budget, hooks, lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.gate import Reason
from plugin_framework.models import AuditEntry, PluginState
from plugin_framework.registry import registry
from plugin_framework.tenancy import tenant_scope
from saas.testing.people import person
from tests.conftest import Tenants
from tests.dummies.pages import installed
from tests.integration.engine.dummies import Alpha, Caller


@pytest.fixture
def two(committed_db: str, tenants: Tenants) -> Iterator[Tenants]:
    """Both have the plugin; every handler of `knock` is too slow, however quick it is."""
    with installed(Caller, Alpha):
        registry.points["knock"] = replace(registry.points["knock"], budget_ms=0)
        for ref in (tenants.acme, tenants.globex):
            with tenant_scope(ref):
                lifecycle.enable("caller", SYSTEM)
                lifecycle.enable("alpha", SYSTEM)
        yield tenants
        activation.cache.clear()
        budget._overruns.clear()


def knock(tenants: Tenants, times: int) -> None:
    for _ in range(times):
        with tenant_scope(tenants.acme):
            assert hooks.call_hook("knock", "you") == ["alpha heard you"]


def reason(tenants: Tenants, which: str) -> Reason:
    with tenant_scope(getattr(tenants, which)):
        return activation.current().decision("alpha").reason


def test_each_overrun_is_logged_with_the_handler_and_the_time(two: Tenants, caplog: pytest.LogCaptureFixture) -> None:
    knock(two, 1)
    assert "alpha.on_knock of 'knock' took" in caplog.text
    assert reason(two, "acme") is Reason.RUNS


def test_too_many_overruns_pause_the_plugin_here_and_nowhere_else(two: Tenants) -> None:
    knock(two, budget.TOLERATED)
    assert reason(two, "acme") is Reason.RUNS
    knock(two, 1)
    assert reason(two, "acme") is Reason.PAUSED
    assert reason(two, "globex") is Reason.RUNS
    with tenant_scope(two.acme):
        assert hooks.call_hook("knock", "you") == []
        assert "kept pages waiting" in AuditEntry.objects.get(action="plugin.paused").detail["reason"]


def test_it_is_paused_although_the_callers_transaction_is_rolled_back(two: Tenants) -> None:
    with tenant_scope(two.acme), pytest.raises(RuntimeError, match="planned"), transaction.atomic():
        for _ in range(budget.TOLERATED + 1):
            hooks.call_hook("knock", "you")
        raise RuntimeError("planned")
    assert reason(two, "acme") is Reason.PAUSED


def test_it_runs_again_by_itself_when_the_time_is_over(two: Tenants) -> None:
    with tenant_scope(two.acme):
        lifecycle.pause("alpha", SYSTEM, reason="a moment", seconds=0.0)
    assert reason(two, "acme") is Reason.RUNS
    with tenant_scope(two.acme):
        lifecycle.pause("alpha", SYSTEM, reason="a while", seconds=600)
        assert activation.current().retry_at < float("inf")


def test_its_admin_resumes_it_and_settings_were_never_touched(two: Tenants, client_for: Callable[..., Client]) -> None:
    with tenant_scope(two.acme):
        before = PluginState.objects.get(plugin="alpha").settings_revision
        lifecycle.pause("alpha", SYSTEM, reason="It kept pages waiting.", seconds=600)
    admin = client_for(two.acme, person(two.acme, "admin"))
    page = admin.get("/settings/plugins/alpha/").content.decode()
    assert "It kept pages waiting." in page
    assert "Resume it now" in page
    assert admin.post("/settings/plugins/alpha/resume/").status_code == 302
    assert reason(two, "acme") is Reason.RUNS
    with tenant_scope(two.acme):
        assert PluginState.objects.get(plugin="alpha").settings_revision == before
