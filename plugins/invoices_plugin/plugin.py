"""The plugin's class: it makes an invoice when an order was confirmed, and shows them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from plugin_framework.sdk import ConfigurablePlugin, DeadLetter, NavItem, Panel, Person, delivery_is_sample, hook
from plugins.invoices_plugin.billing import NotBillable, Terms, ordered
from plugins.invoices_plugin.schema import config_schema


class InvoicesPlugin(ConfigurablePlugin):
    """Makes invoices for confirmed orders, numbered without gaps."""

    name, version = "invoices", "1.0.0"
    title: ClassVar[str] = "Invoices"
    description = "Makes a printable invoice for each order you confirm, numbered without gaps."
    dependencies: Sequence[str] = ("orders>=1,<2",)
    category: ClassVar[str] = "Sales"
    icon: ClassVar[str] = "file"
    details: ClassVar[str] = (
        "An invoice is made in the background as soon as an order is confirmed, with the next number. It never changes, "
        "whatever becomes of the order or of these settings; you note when it was paid. Everybody in your organisation can see "
        "the invoices. Disabling the plugin hides them and keeps them; orders confirmed meanwhile get none."
    )
    reads: ClassVar[tuple[str, ...]] = ("Customer, e-mail address, lines and total of confirmed orders",)
    keeps_of_people: ClassVar[str] = (
        "Invoices stay as they were issued, with the customer’s name, because the law asks for them; the e-mail address is removed."
    )
    stores: ClassVar[tuple[str, ...]] = (
        "Each invoice as it was made: seller, customer, lines, tax and total; when it was paid",
    )
    changelog: ClassVar[tuple[tuple[str, str, str], ...]] = (
        (
            "1.0.0",
            "2026-11-23",
            "Invoices for confirmed orders, numbered without gaps, ready to print, and a panel of what is not paid yet.",
        ),
    )
    urls: ClassVar[str] = "plugins.invoices_plugin.urls"

    def get_config_schema(self) -> dict[str, Any]:
        """Who sells, what is printed on each invoice, and the tax."""
        return config_schema()

    def initialize(self, config: dict[str, Any]) -> None:
        """Keep the terms of new invoices."""
        self._terms = Terms.of(config, self.tenant.name)

    def cleanup(self) -> None:
        """Nothing is held."""

    @hook("order_confirmed")
    def make_invoice(self, order: Any) -> None:
        """Make the order's invoice, once, however often the event is delivered; none if the order was cancelled meanwhile."""
        from plugins.invoices_plugin import services  # models can be imported once the apps are loaded

        if delivery_is_sample():
            self.log.info("A sample order gets no invoice: numbers have no gaps")
            return
        if order.state == "cancelled":
            self.log.info("Order %s was cancelled before it got an invoice", order.id)
            return
        try:
            services.issue(ordered(order), self._terms)
        except NotBillable as error:
            raise DeadLetter(str(error)) from error

    def nav_items(self) -> Sequence[NavItem]:
        """One entry, for the list."""
        return (NavItem("Invoices"),)

    def dashboard_panels(self) -> Sequence[Panel]:
        """What is not paid yet."""
        from plugins.invoices_plugin import queries  # as above

        context = {"counts": queries.counts(), "outstanding": queries.outstanding()}
        return (Panel("Invoices", "invoices_plugin/panel.html", context),)

    def export_person(self, person: Person) -> dict[str, Any]:
        """The invoices of a customer, and those whose payment somebody noted."""
        from plugins.invoices_plugin import personal_data  # as above

        return personal_data.export(person)

    def erase_person(self, person: Person) -> int:
        """Take the customer's address out of their invoices."""
        from plugins.invoices_plugin import personal_data  # as above

        return personal_data.erase(person)
