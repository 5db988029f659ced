"""The plugin's class, in its first release."""

from __future__ import annotations

from typing import Any

from plugin_framework.sdk import ConfigurablePlugin, event, hook


class BoardPlugin(ConfigurablePlugin):
    """Notes; whoever handles `board_noted` is told of each."""

    name, version = "board", "1.0.0"
    title = "Board"
    description = "A board on which your members leave notes."
    category = "Community"
    reads = ("The notes your members leave",)
    urls = "acme_board.urls"
    declares = (event("board_noted", "note", doc="Somebody left a note.", when="In the same transaction."),)

    def get_config_schema(self) -> dict[str, Any]:
        """How the board greets."""
        return {
            "type": "object",
            "properties": {"greeting": {"type": "string", "title": "Greeting", "default": "Hello"}},
        }

    def initialize(self, config: dict[str, Any]) -> None:
        """Keep the greeting."""
        self.greeting = config["greeting"]

    def cleanup(self) -> None:
        """Nothing is held."""

    @hook("board_noted")
    def hear(self, note: Any) -> None:
        """Write down that it was heard of."""
        from acme_board.models import Heard

        Heard.objects.create(text=note.text, handler="hear")
