"""The author's view of the engine: `plugin_registry` and the three ways to call a hook."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from plugin_framework.sdk._errors import NotAllowed
from plugin_framework.sdk._runtime import runtime


class PluginRegistry:
    """What is installed, for everybody; and what the current tenant has switched on."""

    @property
    def plugins(self) -> Mapping[str, Any]:
        """All loaded plugins by name, whatever any tenant runs."""
        return runtime().plugins()

    @property
    def enabled_plugins(self) -> Mapping[str, Any]:
        """The current tenant's running plugins by name: its own instances, with its own settings."""
        return runtime().enabled_plugins()

    def get_enabled_plugins(self) -> list[Any]:
        """The current tenant's running plugins, in the order in which their handlers run."""
        return list(self.enabled_plugins.values())

    def register_plugin(self, plugin: Any) -> None:
        """Add a plugin class, or an instance of one, at start-up.

        Raises:
            ValueError: the name is taken, a dependency is missing, or the class is unsound; the text says which.
        """
        runtime().register_plugin(plugin)

    def enable_plugin(self, plugin_name: str, config: dict[str, Any] | None = None) -> None:
        """Enable a plugin, and what it depends on, for the current tenant."""
        runtime().enable_plugin(plugin_name, config)

    def disable_plugin(self, plugin_name: str) -> None:
        """Disable a plugin for the current tenant; settings and data stay.

        Raises:
            NotAllowed: another enabled plugin depends on it (its name is in the text).
        """
        runtime().disable_plugin(plugin_name)

    def register_hook(self, hook_name: str, callback: Callable[..., Any]) -> None:
        """Refused: a handler without an owning plugin could not be switched off by anyone."""
        raise NotAllowed(
            f"A handler of {hook_name!r} needs an owning plugin: mark a plugin's method with @hook({hook_name!r})."
        )

    def call_hook(self, hook_name: str, *args: Any, **kwargs: Any) -> list[Any]:
        """See :func:`call_hook`."""
        return runtime().call_hook(hook_name, args, kwargs)


plugin_registry = PluginRegistry()


def call_hook(name: str, *args: Any, **kwargs: Any) -> list[Any]:
    """Run the current tenant's handlers of an action now and return what they returned; an event point is emitted instead.

    Raises:
        NoTenant: outside of a tenant. UnknownHook: nobody declares `name`. Veto: where the point allows one.
    """
    return runtime().call_hook(name, args, kwargs)


def apply_filters(name: str, value: Any, *args: Any, **kwargs: Any) -> Any:
    """Pass `value` through the current tenant's handlers of a filter; one that fails is skipped and the value kept."""
    return runtime().apply_filters(name, value, *args, **kwargs)


def emit(name: str, *args: Any) -> None:
    """Record an event for the current tenant's handlers, in the caller's transaction; they are called after the commit.

    Args:
        args: JSON values, dates, decimals, UUIDs and saved model instances (kept as references and loaded again).
    """
    runtime().emit(name, *args)
