"""/readyz: what is missing, said to whom."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client

from plugin_framework.delivery import workers
from plugin_framework.registry import registry
from plugin_framework.tenancy import public_scope
from saas.watch import gauges, readiness
from saas.watch.probe import Probe
from tests.conftest import Tenants
from tests.integration.watch.conftest import TOKEN, Page

BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def working(committed_db: str, tenants: Tenants, counts: Path) -> Tenants:
    """Everything is ready: a worker's heart beats."""
    with public_scope():
        workers.beat(workers.myself())
    return tenants


def ask(query: str = "", **headers: str) -> tuple[int, dict[str, Any]]:
    answer = Client(headers=headers).get(f"/readyz{query}")
    return answer.status_code, answer.json()


def execute(sql: str) -> None:
    with public_scope(), connection.cursor() as cursor:
        cursor.execute(sql)


def test_all_is_well(working: Tenants) -> None:
    assert ask() == (200, {"status": "ok", "not_ready": []})
    assert ask(**BEARER) == (200, {"status": "ok", "not_ready": [], "details": {}})


@pytest.mark.parametrize("host", ["acme.localhost", "nobody.localhost", "10.0.0.7", "not a host"])
def test_every_host_answers(working: Tenants, host: str) -> None:
    assert ask(host=host)[0] == 200


def test_without_a_worker_it_is_not_ready_and_pages_can_be_served(working: Tenants) -> None:
    execute("UPDATE public.delivery_worker SET seen_at = now() - interval '5 min'")
    assert ask() == (503, {"status": "not ready", "not_ready": ["worker"]})
    assert ask("?without=worker")[0] == 200
    status, body = ask(**BEARER)
    assert (status, body["details"]) == (503, {"worker": readiness._NO_WORKER(seconds=30).english})


def test_migrations_that_are_missing_are_named_to_who_has_the_token(working: Tenants) -> None:
    execute("DELETE FROM public.django_migrations WHERE app = 'delivery' AND name = '0002_breaker'")
    assert ask() == (503, {"status": "not ready", "not_ready": ["migrations"]})
    assert "delivery.0002_breaker" in ask(**BEARER)[1]["details"]["migrations"]
    assert ask("?without=worker")[0] == 503


def test_an_empty_database_is_not_set_up(working: Tenants) -> None:
    execute("ALTER TABLE public.django_migrations RENAME TO gone")
    status, body = ask(**BEARER)
    assert (status, body["details"]) == (503, {"migrations": readiness._NO_TABLES.text})


def test_without_plugins_it_is_not_ready(working: Tenants) -> None:
    before, registry.specs = registry.specs, {}
    try:
        assert ask() == (503, {"status": "not ready", "not_ready": ["plugins"]})
    finally:
        registry.specs = before


@pytest.mark.parametrize("given", [{}, {"Authorization": f"Bearer {TOKEN}x"}, {"Authorization": "Bearer"}])
def test_who_has_no_token_learns_names_only(working: Tenants, given: dict[str, str]) -> None:
    execute("DELETE FROM public.delivery_worker")
    assert ask(**given)[1] == {"status": "not ready", "not_ready": ["worker"]}


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A database that takes connections and never says a word, and a little patience."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        settings = connections.settings["default"]
        port = deaf.getsockname()[1]
        monkeypatch.setitem(settings, "HOST", "127.0.0.1")
        monkeypatch.setitem(settings, "PORT", str(port))
        monkeypatch.setitem(settings, "PASSWORD", "")
        monkeypatch.setattr(readiness, "_probe", Probe(readiness._look, seconds=0.2))
        monkeypatch.setattr(gauges, "_probe", Probe(gauges._look, seconds=0.2))
        yield


def test_a_database_that_hangs_is_given_up_on(counts: Path, silent: None, django_db_blocker: Any) -> None:
    with django_db_blocker.unblock():
        for _ in range(3):
            assert ask() == (503, {"status": "not ready", "not_ready": ["database"]})


def test_metrics_are_answered_while_the_database_hangs(
    counts: Path, silent: None, scrape: Callable[[], Page], django_db_blocker: Any
) -> None:
    with django_db_blocker.unblock():
        page = scrape()
    assert page("tenantry_database_up") == 0
    assert page.of("tenantry_lanes_due") == {}
    assert page.of("tenantry_workers_alive") == {}
