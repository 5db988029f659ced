"""The messages themselves, as Slack's webhooks take them: a short text for notifications and one block to be shown.

They are in the language that is spoken when they are made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from plugins.slack_plugin.mrkdwn import plain

type Message = dict[str, Any]


def order_confirmed(order: Any) -> Message:
    """An order was confirmed."""
    total = f"{plain(number_format(order.total, 2, force_grouping=True), 30)} {plain(order.currency, 10)}"
    title = _("Order %(order)s confirmed") % {"order": plain(order.id, 20)}
    return _message(title, {_("Customer"): plain(order.customer_name), _("Total"): total})


def system_error(error: Any) -> Message:
    """A request ended in an unhandled error; its text is already redacted."""
    return _message(_("A page ended in an error"), {_("Error"): plain(error, 500)})


def user_registered(user: Any) -> Message:
    """Somebody registered."""
    facts = {_("Name"): plain(getattr(user, "name", "") or ""), _("E-mail"): plain(user.email, 254)}
    return _message(_("Somebody has registered"), facts)


def test(organisation: str) -> Message:
    """What "Test connection" posts."""
    said = _("%(organisation)s. If you can read this, the connection works.") % {"organisation": plain(organisation)}
    return _message(_("Test message"), {_("From"): said})


def as_sample(message: Message) -> Message:
    """The same, saying that it has not happened."""
    note = {"type": "context", "elements": [{"type": "mrkdwn", "text": _("A sample: it has not happened.")}]}
    text = _("Sample: %(subject)s") % {"subject": message["text"]}
    return {**message, "text": text, "blocks": [*message["blocks"], note]}


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
