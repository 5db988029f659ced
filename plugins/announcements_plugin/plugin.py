"""The plugin's class: it shows what admins have announced above every page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.http import HttpRequest
from django.urls import reverse

from plugin_framework.sdk import Banner, ConfigurablePlugin, NavItem


class AnnouncementsPlugin(ConfigurablePlugin):
    """Lets admins tell everybody something."""

    name, version = "announcements", "1.0.0"
    title: ClassVar[str] = "Announcements"
    description = "Tell everybody in your organisation something, above every page."
    category: ClassVar[str] = "People"
    icon: ClassVar[str] = "message"
    details: ClassVar[str] = (
        "Admins write announcements, with a first and a last day if they like. Each person sees them above every page until they "
        "put them away; admins see how many have done so. Everybody can read current ones again on the plugin's page."
    )
    reads: ClassVar[tuple[str, ...]] = ("Who has put which announcement away",)
    urls: ClassVar[str] = "plugins.announcements_plugin.urls"

    def get_config_schema(self) -> dict[str, Any]:
        """How many are shown at once, and whether people can put them away."""
        return {
            "type": "object",
            "properties": {
                "at_once": {
                    "type": "integer",
                    "title": "Shown at once",
                    "description": "The newest ones; the others follow as these are put away or end.",
                    "minimum": 1,
                    "maximum": 5,
                    "default": 2,
                },
                "dismissible": {
                    "type": "boolean",
                    "title": "People can put announcements away",
                    "description": "Otherwise each stays above every page until its last day.",
                    "default": True,
                },
            },
        }

    def initialize(self, config: dict[str, Any]) -> None:
        """Nothing to take: `settings` has it all."""

    def cleanup(self) -> None:
        """Nothing is held."""

    def nav_items(self) -> Sequence[NavItem]:
        """One entry, for the list."""
        return (NavItem("Announcements"),)

    def banners(self, request: HttpRequest) -> Sequence[Banner]:
        """What this person has not put away yet."""
        from plugins.announcements_plugin import queries  # models can be imported once the apps are loaded

        dismissible = bool(self.settings["dismissible"])
        found = queries.unread(request.user) if dismissible else queries.current()
        return [
            Banner(
                key=str(each.pk),
                title=each.title,
                text=each.text,
                level=each.level,
                url=each.link,
                dismiss_url=reverse("apps:announcements:dismiss", args=[each.pk]) if dismissible else "",
            )
            for each in found[: self.settings["at_once"]]
        ]
