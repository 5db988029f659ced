"""A handler that keeps people waiting is reported, and its plugin rests for a while after too many of that."""

from __future__ import annotations

import threading
import time
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
from plugin_framework.sdk import hook
from plugin_framework.tenancy import tenant_scope
from saas.testing.people import person
from tests.conftest import Tenants
from tests.dummies.pages import installed
from tests.integration.engine.dummies import Alpha, Caller


@pytest.fixture
def two(committed_db: str, tenants: Tenants, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tenants]:
    """Both have the plugin; every handler of `knock` is too slow, however quick it is."""
    monkeypatch.setattr(hooks, "SHORT", 0.0)
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


class Waiting(Alpha):
    """Waits until it is told to go on."""

    go_on = threading.Event()

    @hook("knock")
    def on_knock(self, who: str) -> str:
        assert self.go_on.wait(30)
        return f"alpha heard {who}"


@pytest.fixture
def waiting(two: Tenants) -> Iterator[Tenants]:
    """The plugin waits a while, and may take a moment."""
    with installed(Caller, Waiting):
        activation.cache.clear()
        registry.points["knock"] = replace(registry.points["knock"], budget_ms=100)
        yield two


def _knock_and_let_go_after(tenants: Tenants, work: Callable[[], object]) -> None:
    """As many calls as would be too many, during each of which `work` is done in another thread."""
    for _ in range(budget.TOLERATED + 1):
        Waiting.go_on.clear()
        other = threading.Thread(target=lambda: (work(), Waiting.go_on.set()))
        other.start()
        knock(tenants, 1)
        other.join()


def _compute() -> None:
    until = time.thread_time() + 0.2
    while time.thread_time() < until:
        sum(range(1000))


def test_a_handler_that_waits_in_a_crowded_process_is_reported_and_not_paused(
    waiting: Tenants, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(budget, "CROWDED", 0.05)  # on a machine that has other work the process gets less than it wants
    _knock_and_let_go_after(waiting, _compute)
    assert "while this process was busy with others" in caplog.text
    assert reason(waiting, "acme") is Reason.RUNS


def test_a_handler_that_waits_in_an_idle_process_is_paused(waiting: Tenants) -> None:
    _knock_and_let_go_after(waiting, lambda: threading.Event().wait(0.3))
    assert reason(waiting, "acme") is Reason.PAUSED


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
