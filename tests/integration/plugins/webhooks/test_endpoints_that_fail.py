"""Each endpoint for itself, however the others behave: one that fails waits, is tried again, and is switched off in the end."""

from __future__ import annotations

from datetime import timedelta
from threading import Event
from typing import Any

import pytest
from django.utils import timezone

from plugin_framework.delivery import breaker, retry
from plugins.webhooks_plugin import sending, services
from plugins.webhooks_plugin.models import Attempt, Endpoint, Waiting
from tests.integration.plugins.webhooks.endpoints import (
    Open,
    endpoint,
    happen,
    later,
    owed,
)


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


def test_while_one_hangs_the_others_get_everything_and_it_is_not_asked_for_each(
    opened: Open, ada: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "TIMEOUT", 3.0)
    monkeypatch.setattr(sending, "PAUSES", (3600,))  # neither its rest is over while the others are served,
    monkeypatch.setattr(retry, "WAITS", (3600.0,) * len(retry.WAITS))  # nor is the first message's next attempt due
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
