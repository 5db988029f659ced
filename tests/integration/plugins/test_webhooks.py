"""Webhooks as receivers see them: signed, each endpoint for itself, however the others behave."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from decimal import Decimal
from threading import Barrier, Event
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from standardwebhooks import Webhook, WebhookVerificationError

from plugin_framework import lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.delivery import breaker, lanes
from plugin_framework.models import Delivery
from plugin_framework.sdk import SecretLost, unseal
from plugin_framework.tenancy import current_tenant, tenant_scope
from plugins.orders_plugin import services as orders
from plugins.orders_plugin.services import LineInput, OrderInput
from plugins.webhooks_plugin import sending, services
from plugins.webhooks_plugin.models import Attempt, Endpoint, Waiting
from saas.testing import actions
from saas.testing.people import person
from saas.testing.receivers import Post, WebhookServer, webhook_server
from tests.conftest import Tenants

Make = Callable[..., Any]
Open = Callable[[], WebhookServer]


@pytest.fixture
def acme(committed_db: str, tenants: Tenants) -> Iterator[Tenants]:
    """The test works inside `acme`, where the plugin runs; commits are real."""
    with tenant_scope(tenants.acme):
        actions.enable("webhooks")
        actions.deliver()
        yield tenants


@pytest.fixture
def opened() -> Iterator[Open]:
    """`opened()`: one more receiver."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(webhook_server())


@pytest.fixture
def ada(acme: Tenants) -> Any:
    return person(acme.acme, "admin", "ada@acme.example")


def endpoint(server: WebhookServer, actor: Any, *events: str) -> Endpoint:
    row = Endpoint(url=server.url, every_event=not events, events=list(events))
    return services.add(row, actor)


def secret_of(row: Endpoint, *, old: bool = False) -> str:
    row.refresh_from_db()
    return unseal("webhooks", "signing", row.old_secret if old else row.secret)


def happen(hook: str = "plugin_configured", *args: object) -> list[Delivery]:
    """Something happens, and is delivered as far as it goes now; deliveries to endpoints."""
    actions.emit_and_deliver(hook, *(args or ("orders",)))
    return owed()


def owed() -> list[Delivery]:
    return list(Delivery.objects.filter(hook="webhook_due").order_by("pk"))


def later(row: Endpoint | None = None) -> list[Delivery]:
    """Time passes until whatever waits for its next attempt is due."""
    Delivery.objects.filter(state="due").update(next_at=timezone.now() - timedelta(seconds=1))
    if row is not None:
        Endpoint.objects.filter(pk=row.pk).update(rest_until=timezone.now() - timedelta(seconds=1))
    lanes.hurry(current_tenant().schema)
    actions.deliver()
    return owed()


def verified(post: Post, key: str) -> Any:
    return Webhook(key).verify(post.raw, post.headers)


def types(server: WebhookServer) -> list[str]:
    return [post.body["type"] for post in server.posts]


def test_what_is_posted_is_signed_as_others_check_it(hook: WebhookServer, ada: Any) -> None:
    row = endpoint(hook, ada)
    happen("user_registered", ada)
    (post,) = hook.posts
    message = verified(post, secret_of(row))
    assert message["type"] == "user.registered"
    assert message["data"] == {"id": ada.pk, "email": "ada@acme.example", "name": ada.name}
    assert post.headers["content-type"] == "application/json"
    assert post.headers["webhook-id"].startswith("msg_")
    assert b" " not in post.raw


@pytest.mark.parametrize("header", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_what_was_tampered_with_is_refused(hook: WebhookServer, ada: Any, header: str) -> None:
    row = endpoint(hook, ada)
    happen()
    (post,) = hook.posts
    key = secret_of(row)
    other = {"webhook-id": "msg_other", "webhook-timestamp": str(int(post.headers["webhook-timestamp"]) - 1)}
    forged = other.get(header) or "v1," + base64.b64encode(b"x" * 32).decode()
    with pytest.raises(WebhookVerificationError):
        Webhook(key).verify(post.raw, {**post.headers, header: forged})
    with pytest.raises(WebhookVerificationError):
        Webhook(key).verify(post.raw.replace(b"orders", b"others"), post.headers)
    with pytest.raises(WebhookVerificationError):
        verified(post, "whsec_" + base64.b64encode(b"y" * 32).decode())


def test_a_secret_is_as_long_as_the_specification_asks_and_no_two_are_alike(hook: WebhookServer, ada: Any) -> None:
    keys = {secret_of(endpoint(hook, ada)) for _ in range(3)}
    assert len(keys) == 3
    assert all(key.startswith("whsec_") and 24 <= len(base64.b64decode(key[6:])) <= 64 for key in keys)


def test_both_secrets_verify_while_one_replaces_the_other_and_only_the_new_one_afterwards(
    hook: WebhookServer, ada: Any
) -> None:
    row = endpoint(hook, ada)
    old = secret_of(row)
    services.replace_secret(row.pk, ada)
    new = secret_of(row)
    assert new != old
    assert secret_of(row, old=True) == old
    happen()
    assert len(hook.posts[-1].headers["webhook-signature"].split(" ")) == 2
    assert verified(hook.posts[-1], old) == verified(hook.posts[-1], new)
    remaining = row.old_until - timezone.now()
    assert timedelta(hours=23) < remaining <= timedelta(hours=24)
    Endpoint.objects.update(old_until=timezone.now() - timedelta(seconds=1))
    happen()
    verified(hook.posts[-1], new)
    with pytest.raises(WebhookVerificationError):
        verified(hook.posts[-1], old)


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


def test_one_that_fails_repeats_nothing_at_the_others_and_keeps_its_message_id(opened: Open, ada: Any) -> None:
    good, bad, last = opened(), opened(), opened()
    for server in (good, bad, last):
        endpoint(server, ada)
    bad.status = 503
    rows = happen()
    assert [row.state for row in rows] == ["done", "due", "done"]
    for _ in range(3):
        later()
    assert (len(good.posts), len(bad.posts), len(last.posts)) == (1, 4, 1)
    assert len({post.headers["webhook-id"] for post in bad.posts}) == 1
    assert len({server.posts[0].headers["webhook-id"] for server in (good, bad, last)}) == 3
    bad.status = 200
    assert {row.state for row in later()} == {"done"}
    assert list(Attempt.objects.filter(endpoint__url=bad.url).order_by("pk").values_list("number", "status")) == [
        (1, 503),
        (2, 503),
        (3, 503),
        (4, 503),
        (5, 200),
    ]


def test_a_redirect_is_not_followed(opened: Open, ada: Any) -> None:
    first, second = opened(), opened()
    endpoint(first, ada)
    first.status, first.headers = 307, {"Location": second.url}
    assert [(row.state, row.response_status) for row in happen()] == [("due", 307)]
    assert (len(first.posts), second.posts) == (1, [])


def test_while_one_hangs_the_others_get_everything_and_it_is_not_asked_for_each(
    opened: Open, ada: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "TIMEOUT", 0.5)
    good, hanging = opened(), opened()
    row = endpoint(hanging, ada)
    endpoint(good, ada)
    over = Event()
    hanging.interrupt = over.wait  # type: ignore[assignment] # what it returns is of no interest
    try:
        for _ in range(20):
            happen()
    finally:
        over.set()
    assert len(good.posts) == 20
    assert len(hanging.posts) == 1  # the others wait, without a request each
    assert Waiting.objects.filter(endpoint=row).count() == 20
    assert breaker.rests() == {}


def test_what_waited_follows_the_first_that_arrives_each_once(opened: Open, ada: Any) -> None:
    server = opened()
    row = endpoint(server, ada)
    server.status = 500
    for _ in range(5):
        happen()
    assert len(server.posts) == 1
    server.status = 200
    later()
    ids = [post.headers["webhook-id"] for post in server.posts]
    assert ids[0] == ids[1]  # the one that was tried again
    assert len(ids) == 6
    assert len(set(ids)) == 5
    row.refresh_from_db()
    assert (row.failing_since, row.failures, row.probe, Waiting.objects.count()) == (None, 0, "", 0)


def test_a_new_message_is_tried_after_a_rest_and_takes_the_first_one_along(opened: Open, ada: Any) -> None:
    server = opened()
    row = endpoint(server, ada)
    server.status = 500
    happen()
    Endpoint.objects.filter(pk=row.pk).update(rest_until=timezone.now() - timedelta(seconds=1))
    happen()
    assert len(server.posts) == 2  # a trial, which failed: it waits now
    assert [each.state for each in owed()] == ["due", "done"]
    server.status = 200
    Endpoint.objects.filter(pk=row.pk).update(rest_until=timezone.now() - timedelta(seconds=1))
    happen()
    ids = [post.headers["webhook-id"] for post in server.posts]
    assert sorted(ids[2:]) == sorted({*ids})  # all three, once, although the first one's own turn has not come
    later()
    assert len(server.posts) == 5  # and when it comes, it has gone out already
    assert {each.state for each in owed()} == {"done"}
    assert Waiting.objects.count() == 0


def test_nothing_new_is_tried_before_the_time_that_the_receiver_named(opened: Open, ada: Any) -> None:
    server = opened()
    row = endpoint(server, ada)
    server.status, server.headers = 429, {"Retry-After": "5000"}
    (owing,) = happen()
    row.refresh_from_db()
    soonest = timezone.now() + timedelta(seconds=4900)
    assert row.rest_until is not None
    assert min(row.rest_until, owing.next_at) > soonest


def test_many_failures_of_one_do_not_let_the_plugin_rest(opened: Open, ada: Any) -> None:
    good = opened()
    for _ in range(8):
        bad = opened()
        bad.status = 500
        endpoint(bad, ada)
    endpoint(good, ada)
    for _ in range(3):
        happen()
        later()
    assert len(good.posts) == 3
    assert breaker.rests() == {}


def test_one_whose_secret_is_lost_keeps_nobody_else_from_anything(opened: Open, ada: Any) -> None:
    lost, good = opened(), opened()
    row = endpoint(lost, ada)
    endpoint(good, ada)
    Endpoint.objects.filter(pk=row.pk).update(secret="v1:deadbeef:x")
    for _ in range(6):
        happen()
        later(row)
    assert (lost.posts, len(good.posts)) == ([], 6)
    assert breaker.rests() == {}
    assert "Give it a new one" in str(Attempt.objects.filter(endpoint=row).latest("pk").error)
    services.replace_secret(row.pk, ada)
    happen()
    later(row)
    assert len(lost.posts) == 7


def test_410_switches_that_endpoint_off_and_no_other(opened: Open, ada: Any) -> None:
    gone, good = opened(), opened()
    row, other = endpoint(gone, ada), endpoint(good, ada)
    gone.status = 410
    assert [each.state for each in happen()] == ["dead", "done"]
    row.refresh_from_db()
    other.refresh_from_db()
    assert (row.active, other.active) == (False, True)
    assert "410" in row.off_because
    happen()
    assert (len(gone.posts), len(good.posts)) == (1, 2)
    gone.status = 200
    services.switch_on(row.pk, ada)
    happen()
    assert len(gone.posts) == 2


def test_one_that_never_answers_is_switched_off_in_the_end(opened: Open, ada: Any) -> None:
    server = opened()
    row = endpoint(server, ada)
    server.status = 500
    happen()
    happen()
    Endpoint.objects.filter(pk=row.pk).update(failing_since=timezone.now() - timedelta(hours=61))
    states = sorted(each.state for each in later())
    row.refresh_from_db()
    assert (row.active, states, Waiting.objects.count()) == (False, ["dead", "done"], 0)
    assert "Nothing has arrived there for more than 60 hours." in row.off_because


def test_nothing_more_is_kept_than_there_is_room_for(opened: Open, ada: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "MOST_WAITING", 3)
    server = opened()
    row = endpoint(server, ada)
    server.status = 500
    for _ in range(4):
        happen()
    row.refresh_from_db()
    assert not row.active
    assert "waited for it" in row.off_because
    assert Waiting.objects.count() == 0


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


def test_two_organisations_never_see_each_others(opened: Open, ada: Any, acme: Tenants) -> None:
    ours, theirs = opened(), opened()
    row = endpoint(ours, ada)
    with tenant_scope(acme.globex):
        actions.enable("webhooks")
        other = endpoint(theirs, person(acme.globex, "admin"))
        happen()
        assert list(Endpoint.objects.values_list("url", flat=True)) == [theirs.url]
        foreign = other.secret
    assert ours.posts == []
    assert secret_of(row)
    with pytest.raises(SecretLost):
        unseal("webhooks", "signing", foreign)


def test_secrets_are_sealed_in_the_database(hook: WebhookServer, ada: Any, acme: Tenants) -> None:
    row = endpoint(hook, ada)
    key = secret_of(row)
    assert key not in row.secret
    happen()
    with pytest.raises(AssertionError, match="is nowhere"):
        actions.assert_isolated(key, acme.acme, acme.globex)


def test_the_error_of_an_attempt_names_the_host_and_not_the_path(opened: Open, ada: Any) -> None:
    server = opened()
    endpoint(server, ada)
    server.status = 500
    server.answer = b"s3cr3t you"
    (row,) = happen()
    texts = [row.last_error, *Attempt.objects.values_list("error", flat=True)]
    assert len(texts) == 2
    assert all("500" in text and "s3cr3t" not in text for text in texts)
