"""As many plugins as are asked for, made on the spot and found by the registry as any other: through the PLUGINS setting."""

from __future__ import annotations

from typing import Any

from plugin_framework.sdk import PluginInterface, action, hook

POINT = "bench_action"
_DECLARED = action(POINT, "value", doc="What the benchmark calls.")


def name_of(number: int) -> str:
    """The name of the plugin `number`."""
    return f"bench_{number:04}"


def listed(count: int) -> dict[str, dict[str, str]]:
    """The PLUGINS setting that names `count` of them."""
    return {name_of(number): {"module": __name__, "class": f"Plugin{number}"} for number in range(count)}


class _Plugin(PluginInterface):
    """Handles the one hook and does next to nothing, as the handlers of every peer do: only the dispatch differs."""

    version = "1.0.0"
    declares = (_DECLARED,)

    def initialize(self, config: dict[str, Any]) -> None:
        """Takes nothing."""

    def cleanup(self) -> None:
        """Gives nothing back."""

    @hook(POINT)
    def on_action(self, value: int) -> int:
        return value


def __getattr__(attribute: str) -> type[PluginInterface]:
    """The class that the PLUGINS setting names; made when the loader looks for it."""
    number = attribute.removeprefix("Plugin")
    if number == attribute or not number.isdigit():
        raise AttributeError(f"module {__name__!r} has no attribute {attribute!r}")
    return type(attribute, (_Plugin,), {"name": name_of(int(number)), "__module__": __name__})
