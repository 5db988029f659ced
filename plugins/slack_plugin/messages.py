"""The messages themselves, as Slack's webhooks take them: a short text for notifications and one block to be shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from plugins.slack_plugin.mrkdwn import plain

type Message = dict[str, Any]


def order_confirmed(order: Any) -> Message:
    """An order was confirmed."""
    total = f"{plain(order.total, 30)} {plain(order.currency, 10)}"
    return _message(f"Order {plain(order.id, 20)} confirmed", {"Customer": plain(order.customer_name), "Total": total})


def system_error(error: Any) -> Message:
    """A request ended in an unhandled error; its text is already redacted."""
    return _message("An error occurred", {"Error": plain(error, 500)})


def user_registered(user: Any) -> Message:
    """Somebody registered."""
    facts = {"Name": plain(getattr(user, "name", "") or ""), "E-mail": plain(user.email, 254)}
    return _message("New member", facts)


def test(organisation: str) -> Message:
    """What "Test connection" posts."""
    return _message("Test message", {"From": f"{plain(organisation)}. If you can read this, the connection works."})


def as_sample(message: Message) -> Message:
    """The same, saying that it has not happened."""
    note = {"type": "context", "elements": [{"type": "mrkdwn", "text": "A sample: it has not happened."}]}
    return {**message, "text": f"Sample: {message['text']}", "blocks": [*message["blocks"], note]}


def _message(title: str, facts: Mapping[str, str]) -> Message:
    """`title` and `facts` must be harmless already."""
    shown = {name: value for name, value in facts.items() if value}
    return {
        "text": f"{title}: {', '.join(shown.values())}",
        # Slack is told twice to take names as they stand; `verbatim` is for the block, the others for the text.
        "parse": "none",
        "link_names": False,
        "unfurl_links": False,
        "blocks": [
            {
                "type": "section",
                "text": {
                    "type": "mrkdwn",
                    "verbatim": True,
                    "text": "\n".join([f"*{title}*", *(f"{name}: {value}" for name, value in shown.items())]),
                },
            }
        ],
    }
