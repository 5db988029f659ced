"""The plugin's class: it shows each person the announcements of now that they have not dismissed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.http import HttpRequest
from django.urls import reverse

from plugin_framework.sdk import Banner, ConfigurablePlugin, NavItem, Person


class AnnouncementsPlugin(ConfigurablePlugin):
    """Lets admins tell everybody something, above every page."""

    name, version = "announcements", "1.0.0"
    title: ClassVar[str] = "Announcements"
    description = "Tell everybody in your organisation something, above every page until they have read it."
    category: ClassVar[str] = "People"
    icon: ClassVar[str] = "message"
    details: ClassVar[str] = (
        "Admins write announcements, at once or for later, and see how many people have dismissed each. Everybody sees the current "
        "ones above every page, and dismisses them for themselves; under Announcements they can be read again. Disabling the plugin "
        "hides the announcements and keeps them."
    )
    reads: ClassVar[tuple[str, ...]] = ("The announcements you write, and who has dismissed which",)
    keeps_of_people: ClassVar[str] = "Announcements that they wrote stay, without saying who wrote them."
    stores: ClassVar[tuple[str, ...]] = ("The announcements you write", "Who has dismissed which")
    changelog: ClassVar[tuple[tuple[str, str, str], ...]] = (
        (
            "1.0.0",
            "2026-11-23",
            "Announcements above every page, at once or for later, with a link; everybody dismisses them for themselves.",
        ),
    )
    urls: ClassVar[str] = "plugins.announcements_plugin.urls"

    def get_config_schema(self) -> dict[str, Any]:
        """How many are shown at once, and whether people can dismiss them."""
        at_once = {
            "type": "integer",
            "title": "Shown at once",
            "description": "With more than this, the most pressing are shown first and the others once these are dismissed or over.",
            "minimum": 1,
            "maximum": 5,
            "default": 3,
        }
        dismissible = {
            "type": "boolean",
            "title": "People can dismiss announcements",
            "description": "Otherwise each stays above every page until it is over.",
            "default": True,
        }
        return {"type": "object", "properties": {"at_once": at_once, "dismissible": dismissible}}

    def initialize(self, config: dict[str, Any]) -> None:
        """Keep both."""
        self._at_once, self._dismissible = int(config["at_once"]), bool(config["dismissible"])

    def cleanup(self) -> None:
        """Nothing is held."""

    def nav_items(self) -> Sequence[NavItem]:
        """One entry, for the list."""
        return (NavItem("Announcements"),)

    def banners(self, request: HttpRequest) -> Sequence[Banner]:
        """What this person has not dismissed, in one query; everything of now where nothing can be dismissed."""
        from plugins.announcements_plugin import queries  # models can be imported once the apps are loaded

        found = queries.undismissed(request.user) if self._dismissible else queries.current()
        return [
            Banner(
                key=str(each.pk),
                title=each.title,
                text=each.text,
                level=each.level,
                link_url=each.link_url,
                link_label=each.link_label,
                dismiss_url=reverse("apps:announcements:dismiss", args=[each.pk]) if self._dismissible else "",
            )
            for each in found[: self._at_once]
        ]

    def export_person(self, person: Person) -> dict[str, Any]:
        """What they wrote, and what they have dismissed."""
        from plugins.announcements_plugin import queries  # as above

        return queries.of_person(person.user_id) if person.user_id is not None else {}

    def erase_person(self, person: Person) -> int:
        """Take their name off what they wrote, and forget what they have dismissed."""
        from plugins.announcements_plugin import services  # as above

        return services.forget_person(person.user_id) if person.user_id is not None else 0
