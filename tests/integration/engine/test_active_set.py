"""The active set: seen at the next request after a commit, never before one, and cleaned up once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from plugin_framework import activation, configuration, lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.catalog.offers import set_offer
from plugin_framework.gate import Reason
from plugin_framework.models import PluginState
from plugin_framework.sdk import NoTenant, plugin_registry
from plugin_framework.tenancy import no_scope, tenant_scope
from tests.conftest import Tenants
from tests.dummies.pages import installed
from tests.integration.engine.dummies import LIVES, Bare


@pytest.fixture
def two(committed_db: str, plugins: None, tenants: Tenants) -> Tenants:
    """Commits are real here: the cache only ever holds what is committed."""
    return tenants


def running(tenants: Tenants) -> set[str]:
    with tenant_scope(tenants.acme):
        return set(activation.current().plugins)


def elsewhere[T](work: Callable[[], T]) -> T:
    """What `work` gives in another thread, with another connection."""
    found: list[T] = []

    def run() -> None:
        try:
            found.append(work())
        finally:
            connection.close()

    thread = threading.Thread(target=run, daemon=True)  # one that waits for ever fails its test, and keeps no process
    thread.start()
    thread.join()
    return found[0]


def test_a_change_is_seen_by_the_next_scope_and_not_by_a_running_one(two: Tenants) -> None:
    with tenant_scope(two.acme):
        assert "alpha" not in activation.current().plugins
        elsewhere(lambda: _enable(two, "alpha"))
        assert "alpha" not in activation.current().plugins
    assert "alpha" in running(two)


def test_a_change_made_in_a_scope_within_is_seen_in_those_around_it_that_it_concerns(two: Tenants) -> None:
    with tenant_scope(two.globex):
        other = activation.current()
        with tenant_scope(two.acme):
            assert "alpha" not in activation.current().plugins
            _enable(two, "alpha")
            assert "alpha" in activation.current().plugins
        assert activation.current() is other


def test_a_change_of_the_catalog_is_seen_in_all_scopes_around_it(two: Tenants) -> None:
    _enable(two, "alpha")
    with tenant_scope(two.acme):
        assert "alpha" in activation.current().plugins
        with tenant_scope(two.globex):
            set_offer("alpha", "withdrawn", message="Recalled by its maker")
        assert "alpha" not in activation.current().plugins


def test_a_change_in_a_scope_within_that_is_rolled_back_leaves_all_as_it_was(two: Tenants) -> None:
    with tenant_scope(two.acme):
        assert "alpha" not in activation.current().plugins
        with pytest.raises(RuntimeError), transaction.atomic():
            _enable(two, "alpha")
            assert "alpha" in activation.current().plugins
            raise RuntimeError
        assert "alpha" not in activation.current().plugins
    assert "alpha" not in running(two)


def _enable(tenants: Tenants, name: str) -> None:
    with tenant_scope(tenants.acme):
        lifecycle.enable(name, SYSTEM)


def test_an_uncommitted_change_is_seen_by_its_own_scope_alone_and_gone_after_a_rollback(two: Tenants) -> None:
    with tenant_scope(two.acme), pytest.raises(RuntimeError, match="planned"), transaction.atomic():
        lifecycle.enable("alpha", SYSTEM)
        assert "alpha" in activation.current().plugins
        assert "alpha" not in elsewhere(lambda: running(two))
        raise RuntimeError("planned")
    assert "alpha" not in running(two)


class Curious(Bare):
    """Wants to know who else runs, before anybody can."""

    name = "curious"

    def initialize(self, config: dict[str, Any]) -> None:
        self.others = list(plugin_registry.enabled_plugins)


def test_a_plugin_that_asks_who_runs_while_it_starts_fails_to_start_and_nobody_waits_for_it(two: Tenants) -> None:
    with installed(Curious):
        _enable(two, "alpha")
        _enable(two, "curious")
        assert "alpha" in elsewhere(lambda: running(two))
        with tenant_scope(two.acme):
            decision = activation.current().decision("curious")
    assert (decision.reason, decision.text) == (Reason.FAILED_TO_START, "It failed to start: StillStarting.")


def test_a_warm_set_costs_one_statement_for_the_revisions_and_none_when_they_are_known(two: Tenants) -> None:
    _enable(two, "alpha")
    running(two)
    with CaptureQueriesContext(connection) as queries, tenant_scope(two.acme):
        activation.current()
        activation.current()
    assert len(queries) <= 1 + 1  # the search_path, where it is a statement of its own, and the revisions


def test_one_that_is_not_in_memory_is_built_from_one_statement(two: Tenants) -> None:
    """With thousands of tenants that is most requests."""
    _enable(two, "alpha")
    running(two)  # the catalog, which is the same for all
    activation.cache.clear()
    with CaptureQueriesContext(connection) as queries, tenant_scope(two.acme):
        assert "alpha" in activation.current().plugins
    assert len(queries) <= 1 + 1 + 1  # as above, and what is recorded of the tenant


def test_another_tenants_set_is_never_given(two: Tenants) -> None:
    _enable(two, "alpha")
    with tenant_scope(two.acme):
        mine = activation.current()
        assert mine.tenant == two.acme
        with tenant_scope(two.globex):
            theirs = activation.current()
        assert activation.current() is mine
    assert theirs.tenant == two.globex
    assert dict(theirs.plugins) == {}


def test_two_tenants_that_have_changed_nothing_have_sets_of_their_own(two: Tenants) -> None:
    for ref in (two.acme, two.globex):
        with tenant_scope(ref):
            assert activation.current().tenant == ref


def test_a_row_written_past_the_lifecycle_is_not_seen_until_a_revision_says_so(two: Tenants) -> None:
    running(two)
    with tenant_scope(two.acme):
        PluginState.objects.create(plugin="alpha", version="1.0.0", enabled=True)
    assert "alpha" not in running(two)
    _enable(two, "omega")
    assert {"alpha", "omega"} <= running(two)


def test_an_instance_lives_as_long_as_its_settings_and_is_cleaned_once(two: Tenants) -> None:
    _configure(two, 1)
    _enable(two, "living")
    LIVES.clear()
    running(two)
    _enable(two, "alpha")  # a new set, which takes the instance over
    running(two)
    assert LIVES == [("made", 1)]
    with tenant_scope(two.acme):
        activation.current()
        elsewhere(lambda: _configure(two, 2))
        elsewhere(lambda: running(two))
        assert ("cleaned", 1) not in LIVES  # the first is in use here
    assert LIVES.count(("cleaned", 1)) == 1
    with tenant_scope(two.acme):
        lifecycle.disable("living", SYSTEM)
    running(two)
    activation.cache.clear()
    assert LIVES.count(("made", 1)) == LIVES.count(("cleaned", 1)) == 1
    assert LIVES.count(("made", 2)) == LIVES.count(("cleaned", 2)) > 0


def _configure(tenants: Tenants, number: int) -> None:
    with tenant_scope(tenants.acme):
        configuration.configure("living", SYSTEM, {"number": number})


def test_threads_that_need_a_new_set_at_once_make_one(two: Tenants) -> None:
    _enable(two, "living")
    with tenant_scope(two.acme):
        configuration.configure("living", SYSTEM, {"number": 5})
    activation.cache.clear()
    LIVES.clear()
    at_once = threading.Barrier(8)

    def ask() -> None:
        try:
            at_once.wait()
            running(two)
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert LIVES == [("made", 5)]


def test_a_plugin_that_fails_to_start_says_so_and_is_tried_again_later(
    two: Tenants, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tenant_scope(two.acme):
        configuration.configure("living", SYSTEM, {"number": -1})
        lifecycle.enable("living", SYSTEM)
        assert activation.current().decision("living").reason is Reason.FAILED_TO_START
    monkeypatch.setattr(activation, "RETRY_FAILED_START", 0.0)
    activation.cache.clear()
    running(two)
    monkeypatch.setattr("tests.integration.engine.dummies.Living.initialize", lambda self, config: None)
    assert "living" in running(two)


def test_outside_of_a_tenant_there_is_no_set(two: Tenants) -> None:
    with no_scope(), pytest.raises(NoTenant):
        activation.current()


def test_the_cache_is_bounded(two: Tenants, monkeypatch: pytest.MonkeyPatch) -> None:
    with tenant_scope(two.acme):
        configuration.configure("living", SYSTEM, {"number": 1})
        lifecycle.enable("living", SYSTEM)
    monkeypatch.setattr(activation, "CACHED_TENANTS", 1)
    LIVES.clear()
    running(two)
    with tenant_scope(two.globex):
        activation.current()
    assert LIVES == [("made", 1), ("cleaned", 1)]
