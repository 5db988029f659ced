"""Where the engine binds itself to the SDK: the SDK calls it through one protocol and never imports it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from plugin_framework.sdk.net import HttpResponse, NetworkPolicy


class Runtime(Protocol):
    """What the SDK needs of the engine."""

    def call_hook(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]: ...
    def apply_filters(self, name: str, value: Any, *args: Any, **kwargs: Any) -> Any: ...
    def emit(self, name: str, *args: Any) -> None: ...
    def on_public_host(self) -> bool: ...
    def network_policy(self) -> NetworkPolicy: ...
    def delivery_key(self) -> str | None: ...
    def delivery_answered(self, answer: int | HttpResponse) -> None: ...
    def exactly_once(self) -> AbstractContextManager[None]: ...
    def get_setting(self, plugin: str, key: str, default: Any) -> Any: ...
    def set_setting(self, plugin: str, key: str, value: Any) -> None: ...
    def plugins(self) -> Mapping[str, Any]: ...
    def enabled_plugins(self) -> Mapping[str, Any]: ...
    def register_plugin(self, plugin: Any) -> None: ...
    def enable_plugin(self, name: str, config: dict[str, Any] | None) -> None: ...
    def disable_plugin(self, name: str) -> None: ...


_bound: Runtime | None = None


def bind(runtime: Runtime) -> None:
    """Called once, by the engine's ``AppConfig.ready``."""
    global _bound
    _bound = runtime


def runtime() -> Runtime:
    """The bound engine.

    Raises:
        RuntimeError: Django is not set up yet.
    """
    if _bound is None:
        raise RuntimeError(
            "The plugin engine is not ready. Call django.setup() first, and use plugins after the apps are loaded."
        )
    return _bound
