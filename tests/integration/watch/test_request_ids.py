"""Every request has an id: its answer names it, and so do its log lines."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

import pytest
from django.test import Client

from plugin_framework import lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.tenancy import tenant_scope
from saas.logs import TenantFilter
from saas.testing.people import person
from tests.conftest import Tenants

GIVEN = "req-0123.abc_DEF"


@pytest.fixture
def contexts() -> Iterator[list[tuple[str, dict[str, object]]]]:
    """Of each record that is logged: the logger, and what the filter made of the place."""
    found: list[tuple[str, dict[str, object]]] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append((record.name, {"tenant": record.tenant, **record.context}))  # type: ignore[attr-defined]  # our filter adds them

    handler = Keep()
    handler.addFilter(TenantFilter())
    logging.getLogger().addHandler(handler)
    yield found
    logging.getLogger().removeHandler(handler)


@pytest.mark.parametrize("path", ["/healthz", "/", "/nowhere/", "/static/nothing.css"])
def test_every_answer_names_its_request(client_for: Callable[..., Client], tenants: Tenants, path: str) -> None:
    client = client_for(tenants.acme)
    first, second = client.get(path)["X-Request-ID"], client.get(path)["X-Request-ID"]
    assert len(first) == 32
    assert first != second


def test_an_unknown_host_is_answered_with_one_too(db: None) -> None:
    answer = Client(headers={"host": "nobody.localhost"}).get("/", headers={"X-Request-ID": GIVEN})
    assert (answer.status_code, answer["X-Request-ID"]) == (404, GIVEN)


def test_a_proxys_id_is_taken_over_and_on_the_lines(
    client_for: Callable[..., Client], tenants: Tenants, contexts: list[tuple[str, dict[str, object]]]
) -> None:
    answer = client_for(tenants.acme).get("/nowhere/", headers={"X-Request-ID": GIVEN})
    assert answer["X-Request-ID"] == GIVEN
    (context,) = [each for name, each in contexts if name == "django.request"]
    assert context == {"tenant": "acme", "schema": tenants.acme.schema, "request_id": GIVEN}


@pytest.mark.parametrize(
    "given",
    [
        "",
        "short",
        "x" * 65,
        "has a space",
        "new\nline00",
        "-begins-so",
        "<script>alert(1)",
        'quo"te-00',
        "ümlaut-000",
        "a" * 10_000,
    ],
)
def test_what_is_no_id_is_replaced(db: None, given: str) -> None:
    answer = Client().get("/healthz", headers={"X-Request-ID": given})
    assert answer["X-Request-ID"] != given
    assert len(answer["X-Request-ID"]) == 32


def test_a_plugins_page_says_which_plugin_and_the_next_request_does_not(
    client_for: Callable[..., Client], tenants: Tenants, contexts: list[tuple[str, dict[str, object]]]
) -> None:
    with tenant_scope(tenants.acme):
        lifecycle.enable("orders", SYSTEM)
    client = client_for(tenants.acme, person(tenants.acme, "admin"))
    assert client.get("/apps/orders/").status_code == 200
    contexts.clear()
    assert client.get("/apps/orders/999999/").status_code == 404
    assert client.get("/nowhere/").status_code == 404
    plugins = [each.get("plugin") for name, each in contexts if name == "django.request"]
    assert plugins == ["orders", None]
