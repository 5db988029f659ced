"""A plugin that watches who comes in: turns some away, and hears of those who registered or signed in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from plugin_framework import lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.sdk import PluginInterface, Veto, hook
from plugin_framework.tenancy import TenantRef, tenant_scope
from tests.dummies.pages import installed


class Doorkeeper(PluginInterface):
    """Turns away everybody from banned.example."""

    name, version, title = "doorkeeper", "1.0.0", "Doorkeeper"

    def initialize(self, config: dict[str, Any]) -> None:
        pass

    def cleanup(self) -> None:
        pass

    @hook("user_registering")
    def on_registering(self, email: str) -> None:
        if email.endswith("@banned.example"):
            raise Veto("We do not serve banned.example here.")

    @hook("user_registered")
    def on_registered(self, user: object) -> None:
        pass

    @hook("user_logged_in")
    def on_signed_in(self, user: object) -> None:
        pass


@contextmanager
def at_the_door_of(*refs: TenantRef) -> Iterator[None]:
    """The plugin is installed, and enabled for these tenants."""
    with installed(Doorkeeper):
        for ref in refs:
            with tenant_scope(ref):
                lifecycle.enable("doorkeeper", SYSTEM)
        yield
