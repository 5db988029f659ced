"""A plugin that talks: wherever the platform asks it something it puts its secret into messages, variables and errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from plugin_framework.registry import registry
from plugin_framework.sdk import (
    CheckResult,
    ConfigurablePlugin,
    NavItem,
    Panel,
    event,
    filter_value,
    hook,
    plugin_registry,
)
from saas.site.plugin_settings import settings_form

MOODS = ("quiet", "initialize", "validate", "judge", "check", "say", "pages")


class Indiscreet(ConfigurablePlugin):
    """Does what its `mood` says."""

    name, version, title = "indiscreet", "1.0.0", "Indiscreet"
    declares = (
        event("whispered", "what", doc="A test has whispered.", when="When it says so."),
        filter_value("gossip", "text", doc="A test passes something on.", when="When it says so."),
    )

    def get_config_schema(self) -> dict[str, Any]:
        return {
            "type": "object",
            "properties": {
                "mood": {"type": "string", "enum": list(MOODS), "default": "quiet"},
                "token": {"type": "string", "writeOnly": True, "maxLength": 200},
                "nested": {
                    "type": "object",
                    "properties": {"key": {"type": "string", "writeOnly": True, "maxLength": 5}},
                },
            },
        }

    def validate_config(self, config: dict[str, Any]) -> list[str]:
        if config["mood"] == "validate":
            blurt(config)
        return [f"{config.get('token')} is no good token."] if config["mood"] == "judge" else []

    def initialize(self, config: dict[str, Any]) -> None:
        self.token = str(config.get("token", ""))  # a plain text now
        self.config = config
        if config["mood"] == "initialize":
            blurt(config)

    def cleanup(self) -> None:
        blurt(self.config)

    def check(self, config: dict[str, Any]) -> CheckResult:
        if config["mood"] == "check":
            blurt(config)
        return CheckResult(config["mood"] != "say", f"Tried {config.get('token')}.")

    def nav_items(self) -> Sequence[NavItem]:
        return [] if self.config["mood"] != "pages" else blurt(self.config)

    def dashboard_panels(self) -> Sequence[Panel]:
        return [] if self.config["mood"] != "pages" else blurt(self.config)

    @hook("whispered")
    def on_whisper(self, what: str) -> None:
        if what != "nothing":
            blurt(self.config)

    @hook("gossip")
    def on_gossip(self, text: str) -> str:
        self.log.info("I was told %s, and my token is %s", text, self.token)
        blurt(self.config)

    @hook("view_pre_dispatch")
    def on_view(self, view: object, request: HttpRequest) -> None:
        self.log.debug("%r with %r", request, dict(self.config))
        blurt(self.config)


def blurt(config: dict[str, Any]) -> NoReturn:
    """Raise with the secret in the message, in an inner error, in a note and in local variables of several kinds."""
    secret = str(config.get("token"))
    raw, listed = secret.encode(), [{"Authorization": f"Bearer {secret}"}]
    try:
        raise ValueError(f"{secret!r} was refused", raw, listed)
    except ValueError as error:
        error.add_note(f"The token was {secret}.")
        raise RuntimeError(f"cannot sign in with {secret}") from error


def boom(request: HttpRequest, plugin: str) -> HttpResponse:
    """A page that fails with everything in its hands."""
    found = plugin_registry.enabled_plugins[plugin]
    mine, posted = dict(found.settings), dict(request.POST)
    if request.POST:
        form = settings_form(registry.specs[plugin], request.POST)
        blurt({"token": next(iter(form.secrets.values()))})
    return HttpResponse(f"{mine} {posted} {blurt({'token': next(iter(_secrets(found)))})}")


def _secrets(plugin: Any) -> list[str]:
    return [str(plugin.settings[key]) for key in ("password", "webhook_url", "token") if key in plugin.settings]


urlpatterns = [path("boom/<str:plugin>/", boom), path("", include("saas.urls_tenant"))]
handler400 = "saas.errors.bad_request"
handler403 = "saas.errors.forbidden"
handler404 = "saas.errors.not_found"
handler500 = "saas.errors.server_error"
