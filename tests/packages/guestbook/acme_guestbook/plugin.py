"""The plugin's class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from plugin_framework.sdk import ConfigurablePlugin, NavItem, action, event, hook


class GuestbookPlugin(ConfigurablePlugin):
    """A page on which members leave a line; others can be told of each."""

    name, version = "guestbook", "1.2.0"
    title = "Guest book"
    description = "A page on which your members leave a line."
    category = "Community"
    requires_platform = ">=0.1"
    reads = ("The lines your members leave, and who left them",)
    urls = "acme_guestbook.urls"
    declares = (
        event("guestbook_signed", "entry", doc="Somebody signed the guest book.", when="In the same transaction."),
        action("guestbook_opened", "lines", doc="The guest book is about to be shown.", when="On every visit."),
    )

    def get_config_schema(self) -> dict[str, Any]:
        """How the page greets."""
        greeting = {"type": "string", "title": "Greeting", "default": "Welcome", "maxLength": 60}
        return {"type": "object", "properties": {"greeting": greeting}}

    def initialize(self, config: dict[str, Any]) -> None:
        """Keep the greeting."""
        self.greeting = config["greeting"]

    def cleanup(self) -> None:
        """Nothing is held."""

    def nav_items(self) -> Sequence[NavItem]:
        """One entry."""
        return (NavItem("Guest book"),)

    @hook("guestbook_opened")
    def count(self, lines: int) -> str:
        """What the page says of the number of lines."""
        return f"{lines} lines in the book of {self.tenant.name}"

    @hook("guestbook_signed")
    def on_signed(self, entry: Any) -> None:
        """Note, in the worker, that the line was seen."""
        type(entry).objects.filter(pk=entry.pk).update(seen=entry.seen + 1)
