"""Which events there are, and what of each is sent: thin, so that whoever needs more asks for it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

NAMES = {
    "user.registered": _("Somebody registers"),
    "user.logged_in": _("Somebody signs in"),
    "order.confirmed": _("An order is confirmed"),
    "plugin.enabled": _("A plugin is enabled"),
    "plugin.disabled": _("A plugin is disabled"),
    "plugin.configured": _("The settings of a plugin are saved"),
}
TEST = "webhook.test"  # asked for by an admin; every endpoint takes it


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. `at` is when; of some events nobody knows it better than to the second they were taken up."""

    type: str
    at: datetime
    data: dict[str, Any]

    @property
    def body(self) -> str:
        """What is posted and signed, to the byte: compact JSON in ASCII (https://www.standardwebhooks.com, "Payload structure")."""
        at = self.at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return json.dumps({"type": self.type, "timestamp": at, "data": self.data}, separators=(",", ":"))


def registered(user: Any) -> Event:
    """An account was made."""
    return Event("user.registered", user.date_joined, _person(user))


def logged_in(user: Any) -> Event:
    """Somebody signed in."""
    return Event("user.logged_in", _now(), _person(user))


def order_confirmed(order: Any) -> Event:
    """An order was confirmed."""
    facts = {
        "id": order.pk,
        "customer_name": order.customer_name,
        "customer_email": order.customer_email,
        "total": str(order.total),
        "currency": order.currency,
    }
    return Event("order.confirmed", order.confirmed_at or _now(), facts)


def plugin_changed(what: str, plugin: str) -> Event:
    """A plugin was enabled, disabled or configured; its settings stay here."""
    return Event(f"plugin.{what}", _now(), {"plugin": plugin})


def test(organisation: str) -> Event:
    """What an admin sends to see whether it arrives."""
    return Event(TEST, _now(), {"organisation": organisation})


def _person(user: Any) -> dict[str, Any]:
    return {"id": user.pk, "email": user.email, "name": getattr(user, "name", "")}


def _now() -> datetime:
    return datetime.now(UTC)
