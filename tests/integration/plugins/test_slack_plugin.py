"""The Slack plugin against a real HTTP server: what arrives, what each answer means, and which addresses it takes."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from pytest_django import Settings

from plugin_framework import changing, configuration
from plugin_framework.audit import SYSTEM
from plugin_framework.delivery.context import CurrentDelivery
from plugin_framework.sdk import DeadLetter, ErrorReport, NetworkError
from plugins.orders_plugin import services
from plugins.orders_plugin.models import Order
from plugins.orders_plugin.services import LineInput, OrderInput
from plugins.slack_plugin import SlackNotificationPlugin
from plugins.slack_plugin.mrkdwn import plain
from saas.testing.receivers import WebhookServer
from tests.conftest import Tenants
from tests.integration.plugins.conftest import KEY

Make = Callable[..., Any]
REPORT = ErrorReport(
    "ValueError in views:get:12 at /x/", "ValueError", "views:get:12", "/x/", "f", "2026-01-01T00:00:00Z"
)

NOT_SLACK = [
    "https://example.com/services/T/B/x",
    "https://hooks.slack.com.evil.example/services/T/B/x",
    "https://evil.example/hooks.slack.com/services",
    "https://hooks-slack.com/services/T/B/x",
    "http://hooks.slack.com/services/T/B/x",
    "https://hooks.slack.com:8443/services/T/B/x",
    "https://hooks.slack.com@evil.example/services",
    "https://user:pass@hooks.slack.com/services/T",
    "https://hooks.slack.com\\@evil.example/x",
    "https://hooks.slack.com/services/T\n/B",
    "https://hooks.slack.com/services/T?x=https://evil.example",
    "https://169.254.169.254/latest/meta-data/",
    "https://[::ffff:127.0.0.1]/x",
    "ftp://hooks.slack.com/services/T",
    "hooks.slack.com/services/T",
]  # fmt: skip


def order_for(name: str = "Carl Customer") -> Order:
    return services.create(OrderInput(name, "carl@example.com", "EUR", (LineInput("Fuel", 2, Decimal("0.20")),)), None)


def shown(server: WebhookServer) -> str:
    """What the last message shows."""
    return str(server.posts[-1].body["blocks"][0]["text"]["text"])


def test_each_event_is_posted_to_the_channel(
    acme: Tenants, slack_on: Make, switch_on: Make, hook: WebhookServer, ada: Make
) -> None:
    switch_on("orders")
    plugin = slack_on(channel="#launches")
    order = order_for()
    plugin.notify_order_confirmed(order)
    assert shown(hook) == f"*Order {order.pk} confirmed*\nCustomer: Carl Customer\nTotal: 0.40 EUR"
    plugin.notify_user_registered(ada())
    assert shown(hook) == "*Somebody has registered*\nName: Ada\nE-mail: ada@acme.example"
    plugin.notify_system_error(REPORT)
    assert shown(hook) == "*A page ended in an error*\nError: ValueError in views:get:12 at /x/"
    assert {post.body["channel"] for post in hook.posts} == {"#launches"}
    assert {post.path for post in hook.posts} == {"/services/T0/B0/s3cr3t"}
    assert hook.posts[0].body["text"] == f"Order {order.pk} confirmed: Carl Customer, 0.40 EUR"


@pytest.mark.parametrize(
    "name",
    [
        "<!channel>",
        "<!here|x>",
        "<@U123>",
        "<https://evil.example|Click>",
        "@channel",
        "@HERE now",
        "@everyone",
        "a & b",
    ],
)
def test_a_name_calls_nobody_and_links_nowhere(
    acme: Tenants, slack_on: Make, switch_on: Make, hook: WebhookServer, name: str
) -> None:
    switch_on("orders")
    slack_on().notify_order_confirmed(order_for(name))
    body = hook.posts[0].body
    for text in (shown(hook), body["text"]):
        assert not set("<>") & set(text)
        assert not {"@channel", "@here", "@everyone"} & set(text.casefold().split())
    assert (body["parse"], body["link_names"], body["blocks"][0]["text"]["verbatim"]) == ("none", False, True)
    assert "&amp;" in shown(hook) or "&" not in name


def test_foreign_text_is_one_short_line() -> None:
    assert plain("a\r\nb\u2028c\x00d") == "a b c d"
    assert len(plain("x" * 10_000)) == 200


def test_only_the_chosen_events_are_posted(
    acme: Tenants, slack_on: Make, switch_on: Make, hook: WebhookServer, ada: Make
) -> None:
    switch_on("orders")
    plugin = slack_on(events=["system_error"])
    plugin.notify_order_confirmed(order_for())
    plugin.notify_user_registered(ada())
    assert hook.posts == []
    plugin.notify_system_error(REPORT)
    assert len(hook.posts) == 1


def test_every_attempt_carries_the_same_key(
    acme: Tenants, slack_on: Make, hook: WebhookServer, delivering: CurrentDelivery
) -> None:
    plugin = slack_on()
    plugin.notify_system_error(REPORT)
    plugin.notify_system_error(REPORT)
    assert [post.headers["idempotency-key"] for post in hook.posts] == [str(KEY)] * 2
    assert delivering.response_status == 200


def test_a_429_is_tried_again_when_slack_says(acme: Tenants, slack_on: Make, hook: WebhookServer) -> None:
    hook.status, hook.headers = 429, {"Retry-After": "37"}
    with pytest.raises(NetworkError) as caught:
        slack_on().notify_system_error(REPORT)
    assert (caught.value.status, caught.value.retry_after, caught.value.permanent) == (429, 37.0, False)


@pytest.mark.parametrize("status", [400, 404, 410])
def test_an_answer_that_will_not_change_is_set_aside(
    acme: Tenants, slack_on: Make, hook: WebhookServer, delivering: CurrentDelivery, status: int
) -> None:
    hook.status = status
    with pytest.raises(DeadLetter, match=r"Slack|webhook") as caught:
        slack_on().notify_system_error(REPORT)
    assert "s3cr3t" not in str(caught.value)
    assert delivering.response_status == status


@pytest.mark.parametrize("status", [302, 403, 500, 503])
def test_any_other_answer_is_tried_again(acme: Tenants, slack_on: Make, hook: WebhookServer, status: int) -> None:
    hook.status = status
    with pytest.raises(NetworkError, match=str(status)) as caught:
        slack_on().notify_system_error(REPORT)
    assert not caught.value.permanent
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "ok", "words"), [(200, True, "took a test message"), (404, False, "does not know"), (500, False, "500")]
)
def test_test_connection_says_what_slack_answered(
    acme: Tenants, hook: WebhookServer, status: int, ok: bool, words: str
) -> None:
    hook.status = status
    result = configuration.check(changing.spec_of("slack_notifications"), {"webhook_url": hook.url})
    assert (result.ok, words in result.message) == (ok, True), result.message
    assert "s3cr3t" not in result.message
    assert "Test message" in shown(hook)


@pytest.mark.parametrize("url", NOT_SLACK)
def test_only_slacks_own_addresses_are_taken(acme: Tenants, url: str) -> None:
    with pytest.raises(configuration.Invalid) as caught:
        configuration.configure("slack_notifications", SYSTEM, {}, secrets={("webhook_url",): url})
    assert url not in str(caught.value)


@pytest.mark.parametrize("host", ["hooks.slack.com", "hooks.slack-gov.com"])
def test_slacks_addresses_are_taken(host: str) -> None:
    assert SlackNotificationPlugin().validate_config({"webhook_url": f"https://{host}/services/T0/B0/x"}) == []


def test_loopback_is_taken_only_where_the_platform_allows_it(
    acme: Tenants, hook: WebhookServer, settings: Settings
) -> None:
    settings.PLUGIN_ALLOW_LOOPBACK = False
    with pytest.raises(configuration.Invalid, match="Slack gave you"):
        configuration.configure("slack_notifications", SYSTEM, {}, secrets={("webhook_url",): hook.url})
    result = configuration.check(changing.spec_of("slack_notifications"), {"webhook_url": hook.url})
    assert not result.ok
    assert hook.posts == []


def test_a_webhook_saved_while_loopback_was_allowed_is_stopped_by_the_guard(
    acme: Tenants, slack_on: Make, hook: WebhookServer, settings: Settings
) -> None:
    plugin = slack_on()
    settings.PLUGIN_ALLOW_LOOPBACK = False
    with pytest.raises(NetworkError, match=r"https://|not allowed"):
        plugin.notify_system_error(REPORT)
    assert hook.posts == []


def test_a_message_is_small(acme: Tenants, slack_on: Make, switch_on: Make, hook: WebhookServer) -> None:
    switch_on("orders")
    slack_on().notify_order_confirmed(order_for("x" * 200))
    slack_on().notify_system_error("y" * 100_000)
    assert all(len(json.dumps(post.body)) < 3000 for post in hook.posts)
