"""The plugin's class, in its second release: another name for its setting, another handler, another event."""

from __future__ import annotations

from typing import Any

from plugin_framework.sdk import ConfigurablePlugin, event, hook


class BoardPlugin(ConfigurablePlugin):
    """Notes; whoever handles `board_noted` is told of each."""

    name, version, config_version = "board", "2.0.0", 2
    title = "Board"
    description = "A board on which your members leave notes."
    category = "Community"
    reads = ("The notes your members leave",)
    urls = "acme_board.urls"
    declares = (
        event("board_noted", "note", doc="Somebody left a note.", when="In the same transaction."),
        event("board_pinned", "pin", doc="Somebody pinned a note.", when="In the same transaction."),
    )

    def get_config_schema(self) -> dict[str, Any]:
        """How the board welcomes."""
        return {"type": "object", "properties": {"welcome": {"type": "string", "title": "Welcome", "default": "Hello"}}}

    def migrate_config(self, old: dict[str, Any], from_version: int) -> dict[str, Any]:
        """The greeting is called welcome."""
        return {"welcome": old["greeting"]} if "greeting" in old else old

    def initialize(self, config: dict[str, Any]) -> None:
        """Keep the greeting."""
        self.greeting = config["welcome"]

    def cleanup(self) -> None:
        """Nothing is held."""

    @hook("board_noted")
    def hear(self, note: Any) -> None:
        """Write down that it was heard of."""
        self._write(note.text, "hear")

    @hook("board_noted")
    def hear_again(self, note: Any) -> None:
        """Older code does not have this handler."""
        self._write(note.text, "hear_again")

    @hook("board_pinned")
    def see(self, pin: Any) -> None:
        """Older code does not have this event, nor what it is about."""
        self._write(pin.text, "see")

    @staticmethod
    def _write(text: str, handler: str) -> None:
        from acme_board.models import Heard

        Heard.objects.create(text=text, handler=handler)
