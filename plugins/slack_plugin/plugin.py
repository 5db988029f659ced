"""The plugin's class: which events become Slack messages, and how they leave."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.utils.translation import gettext

from plugin_framework.sdk import (
    CheckResult,
    ConfigurablePlugin,
    DeadLetter,
    delivery_answered,
    delivery_is_sample,
    delivery_key,
    hook,
    in_language_of,
)
from plugins.slack_plugin import messages
from plugins.slack_plugin.messages import Message
from plugins.slack_plugin.webhook import PERMANENT, meaning, problem_with

_EVENTS = {
    "order_confirmed": "An order is confirmed",
    "user_registered": "Somebody registers",
    "system_error": "A page ends in an error",
}


class SlackNotificationPlugin(ConfigurablePlugin):
    """Posts to one channel of the tenant's own Slack workspace, through an incoming webhook."""

    name, version = "slack_notifications", "1.0.0"
    title: ClassVar[str] = "Slack notifications"
    description = "Posts to a Slack channel when an order is confirmed, somebody registers, or something breaks."
    category: ClassVar[str] = "Notifications"
    icon: ClassVar[str] = "message"
    details: ClassVar[str] = (
        "You need an incoming webhook of your Slack workspace. Messages are posted in the background; if Slack cannot "
        "take one, it is tried again for three days, and you see each attempt under Deliveries."
    )
    reads: ClassVar[tuple[str, ...]] = (
        "Name and e-mail address of people who register",
        "Number, customer and total of confirmed orders",
        "Kind and place of errors, without any data",
    )
    keeps_of_people: ClassVar[str] = "What was posted to Slack is there, and has to be deleted there."
    sends_to: ClassVar[tuple[str, ...]] = ("hooks.slack.com", "hooks.slack-gov.com")
    changelog: ClassVar[tuple[tuple[str, str, str], ...]] = (
        (
            "1.0.0",
            "2026-11-23",
            "Messages to one channel about confirmed orders, registrations and errors, and a test message.",
        ),
    )
    docs_url: ClassVar[str] = "https://api.slack.com/messaging/webhooks"

    def get_config_schema(self) -> dict[str, Any]:
        """The webhook, the channel, and which events are posted."""
        return {
            "type": "object",
            "required": ["webhook_url"],
            "properties": {
                "webhook_url": {
                    "type": "string",
                    "title": "Webhook URL",
                    "description": "From your Slack app, under Incoming Webhooks. Whoever has it can post to your "
                    "channel, so it is stored encrypted and never shown again.",
                    "format": "uri",
                    "minLength": 1,
                    "maxLength": 600,
                    "writeOnly": True,
                    "x-order": 1,
                    "x-placeholder": "https://hooks.slack.com/services/…",
                },
                "channel": {
                    "type": "string",
                    "title": "Channel",
                    "description": "Newer webhooks always post to the channel they were made for.",
                    "default": "#general",
                    "pattern": r"^[#@]?[^\s#@<>&]{1,80}$",
                    "x-order": 2,
                },
                "events": {
                    "type": "array",
                    "title": "Post when",
                    "items": {"type": "string", "enum": list(_EVENTS), "x-enum-labels": _EVENTS},
                    "uniqueItems": True,
                    "maxItems": len(_EVENTS),
                    "default": list(_EVENTS),
                    "x-order": 3,
                },
            },
        }

    def validate_config(self, config: dict[str, Any]) -> list[str]:
        """Only Slack's own hosts: a free choice would let a tenant make the platform call anything."""
        problem = problem_with(str(config.get("webhook_url", "")), allow_loopback=self.http.policy.allow_loopback)
        return [problem] if problem else []

    def initialize(self, config: dict[str, Any]) -> None:
        """Keep what posting needs."""
        self._url = str(config["webhook_url"])
        self._channel = str(config["channel"])
        self._events = frozenset(config["events"])

    def cleanup(self) -> None:
        """Nothing is held open between messages."""

    @hook("order_confirmed")
    def notify_order_confirmed(self, order: Any) -> None:
        """Tell the channel about an order."""
        if "order_confirmed" in self._events:
            self._post(messages.order_confirmed, order)

    @hook("system_error")
    def notify_system_error(self, error: Any) -> None:
        """Tell the channel that something broke."""
        if "system_error" in self._events:
            self._post(messages.system_error, error)

    @hook("user_registered")
    def notify_user_registered(self, user: Any) -> None:
        """Tell the channel about a new member."""
        if "user_registered" in self._events:
            self._post(messages.user_registered, user)

    def check(self, config: dict[str, Any]) -> CheckResult:
        """Post a test message; Slack offers no way to test a webhook without one."""
        problems = self.validate_config(config)
        if problems:
            return CheckResult(False, problems[0])
        with in_language_of():  # it is the channel that reads it
            body = {**messages.test(self.tenant.name), "channel": config["channel"]}
        response = self.http.post(config["webhook_url"], json=body)
        if not response.ok:
            return CheckResult(False, meaning(response.status))
        return CheckResult(True, gettext("Slack took a test message. Look for it in the channel."))

    def _post(self, say: Callable[[Any], Message], what: Any) -> None:
        """Hand what `say` makes of `what` to Slack, in the organisation's language.

        Raises:
            DeadLetter: Slack said that this can never work. NetworkError: anything else went wrong; it is tried again.
        """
        with in_language_of():
            message = messages.as_sample(say(what)) if delivery_is_sample() else say(what)
        response = self.http.post(self._url, json={**message, "channel": self._channel}, idempotency_key=delivery_key())
        delivery_answered(response)
        if response.status in PERMANENT:
            raise DeadLetter(meaning(response.status))
        response.raise_for_status()
