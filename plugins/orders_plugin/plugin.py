"""The plugin's class: what it adds to the organisation's pages, and the hook point it declares."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, ClassVar

from django.utils import timezone

from plugin_framework.sdk import ConfigurablePlugin, HookPoint, NavItem, Panel, Person, SampleFor, event
from plugins.orders_plugin.currencies import CURRENCIES, DEFAULT_CURRENCY


def _sample_order(to: SampleFor) -> tuple[object]:
    """An order that is in no table, by the admin who asks: whoever writes to the customer writes to them."""
    from plugins.orders_plugin.models import Order, OrderState  # as in the panels below

    order = Order(
        pk=0,
        customer_name=to.user.name or to.user.email,
        customer_email=to.user.email,
        total=Decimal("42.00"),
        state=OrderState.CONFIRMED,
        note="A sample: nobody has ordered anything.",
        confirmed_at=timezone.now(),
    )
    return (order,)


class OrdersPlugin(ConfigurablePlugin):
    """Keeps orders, and tells other plugins when one is confirmed."""

    name, version = "orders", "1.0.0"
    title: ClassVar[str] = "Orders"
    description = "Keep the orders of your customers: draft, confirm, cancel."
    category: ClassVar[str] = "Sales"
    icon: ClassVar[str] = "cart"
    details: ClassVar[str] = (
        "Everybody in your organisation can see and change orders. When one is confirmed, plugins such as e-mail and Slack "
        "notifications are told. Disabling the plugin hides the orders and keeps them."
    )
    reads: ClassVar[tuple[str, ...]] = ("The orders you enter: customer, address, lines, prices",)
    keeps_of_people: ClassVar[str] = (
        "Confirmed and cancelled orders stay in the books, without the customer’s name, address and note; drafts are deleted."
    )
    stores: ClassVar[tuple[str, ...]] = ("The orders you enter: customer, address, lines, prices",)
    changelog: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("1.0.0", "2026-11-23", "Orders to draft, confirm and cancel; other plugins are told of each confirmation."),
    )
    urls: ClassVar[str] = "plugins.orders_plugin.urls"
    declares: ClassVar[tuple[HookPoint, ...]] = (
        event(
            "order_confirmed",
            "order",
            doc="An order was confirmed.",
            when="With the transaction that confirms it; once for each order, however often the button is pressed.",
            unless="Not for drafts, changes or cancellations.",
            sample=_sample_order,
        ),
    )

    def get_config_schema(self) -> dict[str, Any]:
        """The currency that new orders start with."""
        currency = {
            "type": "string",
            "title": "Usual currency",
            "description": "New orders start with it; each can have another one.",
            "enum": list(CURRENCIES),
            "default": DEFAULT_CURRENCY,
        }
        return {"type": "object", "properties": {"currency": currency}}

    def initialize(self, config: dict[str, Any]) -> None:
        """Nothing to take: `settings` has it all."""

    def cleanup(self) -> None:
        """Nothing is held."""

    def nav_items(self) -> Sequence[NavItem]:
        """One entry, for the list."""
        return (NavItem("Orders"),)

    def dashboard_panels(self) -> Sequence[Panel]:
        """How many orders there are of each state."""
        from plugins.orders_plugin import queries  # models can be imported once the apps are loaded, this module before

        return (Panel("Orders", "orders_plugin/panel.html", {"counts": queries.counts()}),)

    def export_person(self, person: Person) -> dict[str, Any]:
        """The orders of a customer, and the numbers of those that somebody has entered."""
        from plugins.orders_plugin import personal_data  # as above

        return personal_data.export(person)

    def erase_person(self, person: Person) -> int:
        """Take the customer out of their orders."""
        from plugins.orders_plugin import personal_data  # as above

        return personal_data.erase(person)
