"""Plugins for the tests of the host's pages: one with settings, a secret and a test, one that needs it, one whose code fails."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.http import HttpRequest
from django.utils.safestring import mark_safe

from plugin_framework import loader
from plugin_framework.inspection import inspect_plugin
from plugin_framework.registry import registry
from plugin_framework.sdk import Banner, CheckResult, ConfigurablePlugin, NavItem, Panel, PluginInterface, event, hook

tried: list[dict[str, Any]] = []  # what check() was given, newest last


class Pager(ConfigurablePlugin):
    """Has required settings, a secret that is bound to where it goes, and something to test."""

    name, version, title = "pager", "2.1.0", "Pager"
    description = "Pages somebody when something breaks"
    reads = ("the sender of each alarm",)
    sends_to = ("the pager gateway you name",)
    declares = (event("alarm", "what", doc="Something has broken.", when="When a test says so."),)

    def get_config_schema(self) -> dict[str, Any]:
        return {
            "type": "object",
            "properties": {
                "gateway": {"type": "string", "title": "Gateway", "minLength": 3, "maxLength": 60},
                "level": {"type": "integer", "title": "Level", "minimum": 1, "maximum": 9, "default": 5},
                "key": {"type": "string", "title": "Access key", "writeOnly": True, "x-bound-to": ["gateway"]},
            },
            "required": ["gateway"],
        }

    def validate_config(self, config: dict[str, Any]) -> list[str]:
        return ["Nobody answers at nowhere."] if config["gateway"] == "nowhere" else []

    def initialize(self, config: dict[str, Any]) -> None:
        self.config = config

    def cleanup(self) -> None:
        pass

    def check(self, config: dict[str, Any]) -> CheckResult:
        tried.append(config)
        if config["gateway"] == "crash":
            raise RuntimeError("the gateway's secret handshake failed")
        return CheckResult(config["gateway"] != "silent", f"Asked {config['gateway']} at level {config['level']}.")

    @hook("alarm")
    def on_alarm(self, what: str) -> None:
        pass


class Rota(PluginInterface):
    """Needs the pager."""

    name, version, title = "rota", "1.0.0", "Rota"
    description = "Says whose turn it is"
    dependencies = ("pager>=2",)
    reads = ("everybody's name",)

    def initialize(self, config: dict[str, Any]) -> None:
        pass

    def cleanup(self) -> None:
        pass

    def dashboard_panels(self) -> Sequence[Panel]:
        return [Panel("Whose turn it is", "tenantry_tests/panel.html", {"who": "Grace"})]

    def nav_items(self) -> Sequence[NavItem]:
        return [NavItem("Rota")]

    def banners(self, request: HttpRequest) -> Sequence[Banner]:
        evil = mark_safe("<script>alert(1)</script>")  # what a careless author might do
        link = {"link_url": "/?a=1&b=<i>", "link_label": evil}
        first = Banner(
            "turn",
            evil,
            mark_safe(f"{evil}\nIt is the turn of Grace."),
            "warning",
            dismiss_url="/apps/rota/seen/",
            **link,
        )
        return [first, *(Banner(f"more-{number}", f"Shift {number}", "") for number in range(2, 8))]


class Clumsy(PluginInterface):
    """Fails wherever the host asks it for something."""

    name, version, title = "clumsy", "1.0.0", "Clumsy"

    def initialize(self, config: dict[str, Any]) -> None:
        pass

    def cleanup(self) -> None:
        pass

    def on_disable(self) -> None:
        raise RuntimeError("cannot tidy up")

    def dashboard_panels(self) -> Sequence[Panel]:
        raise RuntimeError("no panels today")

    def nav_items(self) -> Sequence[NavItem]:
        raise RuntimeError("lost the way")

    def banners(self, request: HttpRequest) -> Sequence[Banner]:
        return [
            Banner("1", "Half a banner", ""),
            Banner("2", "Bad", "", link_url="javascript:alert(1)", link_label="x"),
        ]


class Refusing(Clumsy):
    """Fails while it is being enabled."""

    name, title = "refusing", "Refusing"
    error: type[BaseException] = RuntimeError

    def on_enable(self) -> None:
        raise self.error("cannot get ready")


@contextmanager
def installed(*classes: type[PluginInterface], quarantined: dict[str, str] | None = None) -> Iterator[None]:
    """Have these plugins installed beside the others, and as many rejected ones; what was there before is there again afterwards."""
    before = dict(registry.specs), dict(registry.quarantine), dict(registry.points)
    loader.install(registry, {spec.name: spec for spec in (inspect_plugin(cls, {}) for cls in classes)})
    registry.quarantine |= quarantined or {}
    tried.clear()
    try:
        yield
    finally:
        registry.specs, registry.quarantine, registry.points = before
