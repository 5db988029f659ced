"""What an endpoint is told, and that it is told once."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from plugin_framework import lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.tenancy import tenant_scope
from plugins.orders_plugin import services as orders
from plugins.orders_plugin.services import LineInput, OrderInput
from plugins.webhooks_plugin import sending, services
from plugins.webhooks_plugin.models import Endpoint
from saas.testing import actions
from saas.testing.receivers import WebhookServer
from tests.conftest import Tenants
from tests.integration.plugins.webhooks.endpoints import (
    Make,
    Open,
    endpoint,
    happen,
    later,
    owed,
    types,
)


def test_every_event_arrives_with_what_the_readme_says_of_it(
    hook: WebhookServer, ada: Any, acme: Tenants, switch_on: Make
) -> None:
    switch_on("orders")
    actions.deliver()
    endpoint(hook, ada)
    order = orders.create(OrderInput("Carl", "carl@example.com", "EUR", (LineInput("Fuel", 2, Decimal("0.20")),)), ada)
    orders.confirm(order.pk, ada)
    happen("user_logged_in", ada)
    lifecycle.disable("orders", SYSTEM)
    lifecycle.enable("orders", SYSTEM)
    happen("user_registered", ada)
    sent = {post.body["type"]: post.body["data"] for post in hook.posts}
    who = {"id": ada.pk, "email": "ada@acme.example", "name": ada.name}
    bought = {"customer_name": "Carl", "customer_email": "carl@example.com", "total": "0.40", "currency": "EUR"}
    assert sent == {
        "order.confirmed": {"id": order.pk, **bought},
        "user.logged_in": who,
        "user.registered": who,
        "plugin.disabled": {"plugin": "orders"},
        "plugin.enabled": {"plugin": "orders"},
    }


def test_an_endpoint_is_told_of_what_it_wants_alone(opened: Open, ada: Any) -> None:
    every, some, other = opened(), opened(), opened()
    endpoint(every, ada)
    endpoint(some, ada, "plugin.configured", "user.registered")
    endpoint(other, ada, "order.confirmed")
    happen()
    happen("user_logged_in", ada)
    assert sorted(types(every)) == ["plugin.configured", "user.logged_in"]
    assert types(some) == ["plugin.configured"]
    assert other.posts == []


def test_a_redirect_is_not_followed(opened: Open, ada: Any) -> None:
    first, second = opened(), opened()
    endpoint(first, ada)
    first.status, first.headers = 307, {"Location": second.url}
    assert [(row.state, row.response_status) for row in happen()] == [("due", 307)]
    assert (len(first.posts), second.posts) == (1, [])


def test_a_disabled_plugin_posts_nothing_not_even_what_waited(opened: Open, ada: Any) -> None:
    server = opened()
    endpoint(server, ada)
    server.status = 500
    happen()
    happen()
    lifecycle.disable("webhooks", SYSTEM)
    server.status = 200
    later()
    happen()
    assert len(server.posts) == 1
    actions.enable("webhooks")
    actions.deliver()
    before = len(server.posts)
    happen()
    assert types(server)[before:] == ["plugin.configured"]
    assert {each.state for each in owed()} <= {"done", "cancelled"}


def test_a_deleted_or_switched_off_endpoint_gets_nothing_that_was_owed(opened: Open, ada: Any) -> None:
    first, second = opened(), opened()
    rows = [endpoint(first, ada), endpoint(second, ada)]
    first.status = second.status = 500
    happen()
    services.delete(rows[0].pk, ada)
    services.switch_off(rows[1].pk, ada)
    assert {each.state for each in later()} == {"done"}
    assert (len(first.posts), len(second.posts)) == (1, 1)


def test_those_who_add_endpoints_at_the_same_time_do_not_exceed_the_most(
    hook: WebhookServer, ada: Any, acme: Tenants, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "MOST", 3)
    start = Barrier(8)

    def one() -> str:
        try:
            with tenant_scope(acme.acme):
                start.wait(20)
                endpoint(hook, ada)
        except services.TooMany:
            return "too many"
        finally:
            connection.close()
        return "added"

    with ThreadPoolExecutor(8) as pool:
        results = Counter(each.result() for each in [pool.submit(one) for _ in range(8)])
    assert results == {"added": 3, "too many": 5}
    assert Endpoint.objects.count() == 3


def test_the_log_keeps_the_last_five_hundred_attempts_of_each(
    opened: Open, ada: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sending.KEPT == 500
    monkeypatch.setattr(sending, "KEPT", 5)
    rows = [endpoint(opened(), ada) for _ in range(2)]
    for _ in range(7):
        happen()
    for row in rows:
        kept = row.attempts.values_list("message", flat=True)
        sent = [each.payload[1] for each in owed() if each.payload[0] == row.pk]
        assert list(kept) == sent[:-6:-1]


def test_an_event_is_fanned_out_once_though_its_worker_dies_meanwhile(
    hook: WebhookServer, ada: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = endpoint(hook, ada), endpoint(hook, ada)
    real = services.emit
    calls: list[int] = []

    def dies_halfway(name: str, pk: int, *args: object) -> None:
        calls.append(pk)
        if len(calls) == 2:
            raise OSError("gone in the middle")
        real(name, pk, *args)

    monkeypatch.setattr(services, "emit", dies_halfway)
    assert happen() == []  # neither, or the first would be told twice
    monkeypatch.undo()
    later()
    assert [each.payload[0] for each in owed()] == [first.pk, second.pk]
    assert len(hook.posts) == 2
