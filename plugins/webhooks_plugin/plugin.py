"""The plugin's class: which events it takes up, and the event of its own that each endpoint's share becomes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from plugin_framework.sdk import (
    CheckResult,
    ConfigurablePlugin,
    HookPoint,
    NavItem,
    Person,
    delivery_is_sample,
    event,
    hook,
    reread,
)
from plugins.webhooks_plugin import events

_TIME_TO_CHECK = 15.0  # seconds, for all endpoints together: somebody waits for the answer


class WebhooksPlugin(ConfigurablePlugin):
    """Tells other programs of the organisation what happens, by signed HTTP requests."""

    name, version = "webhooks", "1.0.0"
    title: ClassVar[str] = "Webhooks"
    description = "Tell your own programs what happens here, with signed HTTP requests."
    category: ClassVar[str] = "Integrations"
    icon: ClassVar[str] = "plug"
    details: ClassVar[str] = (
        "Admins enter addresses under Webhooks and choose what each is told. Messages are posted in the background, signed as "
        "Standard Webhooks says, each endpoint with a secret of its own. One that does not answer is tried again for days, and "
        "never keeps the others waiting for long; its page says what was tried and what came of it."
    )
    reads: ClassVar[tuple[str, ...]] = (
        "Name and e-mail address of people who register or sign in",
        "Number, customer, e-mail address and total of confirmed orders",
        "Names of plugins that are enabled, disabled or configured",
    )
    stores: ClassVar[tuple[str, ...]] = (
        "The addresses that your admins enter, with their secrets, encrypted",
        "What was sent to each, and what came back",
    )
    sends_to: ClassVar[tuple[str, ...]] = ("The addresses that your admins enter",)
    keeps_of_people: ClassVar[str] = (
        "Endpoints that they entered stay. What was posted to your own programs is there now, and has to be erased there."
    )
    changelog: ClassVar[tuple[tuple[str, str, str], ...]] = (
        (
            "1.0.0",
            "2026-11-23",
            "Signed messages to any number of endpoints, each with its own events, secret and record of what was tried.",
        ),
    )
    docs_url: ClassVar[str] = "https://www.standardwebhooks.com/"
    urls: ClassVar[str] = "plugins.webhooks_plugin.urls"
    declares: ClassVar[tuple[HookPoint, ...]] = (
        event(
            "webhook_due",
            "endpoint",
            "message",
            "what",
            "body",
            doc="A message is owed to one endpoint.",
            when="Once for each endpoint that wants an event; again when an endpoint works after messages had to wait for it.",
            unless="Not for endpoints that are switched off, nor for test events. Meant for the plugin itself.",
        ),
    )

    def initialize(self, config: dict[str, Any]) -> None:
        """Nothing to take: endpoints are rows, read when they are needed."""

    def cleanup(self) -> None:
        """Nothing is held open between messages."""

    def on_disable(self) -> None:
        """The platform cancels what it has not delivered; what waits in the plugin's own table goes with it."""
        from plugins.webhooks_plugin import services  # models can be imported once the apps are loaded; so below

        services.forget_what_waits()

    def export_person(self, person: Person) -> dict[str, Any]:
        """The messages about them that wait for an endpoint, and the endpoints that they entered."""
        from plugins.webhooks_plugin import queries

        return queries.of_person(person.emails, person.user_id)

    def erase_person(self, person: Person) -> int:
        """Drop the messages about them that wait, and who entered which endpoint."""
        from plugins.webhooks_plugin import services

        return services.forget_person(person.emails, person.user_id)

    def nav_items(self) -> Sequence[NavItem]:
        """One entry, for the list."""
        return (NavItem("Webhooks", for_admins=True),)

    @hook("user_registered")
    def take_registration(self, user: Any) -> None:
        """Somebody registered."""
        self._fan_out(events.registered(user))

    @hook("user_logged_in")
    def take_sign_in(self, user: Any) -> None:
        """Somebody signed in."""
        self._fan_out(events.logged_in(user))

    @hook("order_confirmed")
    def take_order(self, order: Any) -> None:
        """An order was confirmed."""
        self._fan_out(events.order_confirmed(order))

    @hook("plugin_enabled")
    def take_enabled(self, plugin: str) -> None:
        """A plugin was enabled."""
        self._fan_out(events.plugin_changed("enabled", plugin))

    @hook("plugin_disabled")
    def take_disabled(self, plugin: str) -> None:
        """A plugin was disabled."""
        self._fan_out(events.plugin_changed("disabled", plugin))

    @hook("plugin_configured")
    def take_configured(self, plugin: str) -> None:
        """A plugin’s settings were saved."""
        self._fan_out(events.plugin_changed("configured", plugin))

    @hook("webhook_due")
    def post_to_one(self, endpoint: int, message: str, what: str, body: str) -> None:
        """Post a message to its endpoint."""
        from plugins.webhooks_plugin import sending

        sending.deliver(self.http, endpoint, sending.Message(message, what, body))

    def check(self, config: dict[str, Any]) -> CheckResult:
        """Send a test event to each endpoint that is switched on, as many as there is time for."""
        from plugins.webhooks_plugin import services
        from plugins.webhooks_plugin.models import Endpoint

        begun, wrong, tried = time.monotonic(), [], 0
        active = list(Endpoint.objects.filter(active=True))
        for endpoint in active:
            if time.monotonic() - begun > _TIME_TO_CHECK:
                break
            tried += 1
            result = services.send_test(self.http, endpoint, self.tenant.name)
            wrong += [f"{endpoint}: {reread(result.error)}"] if result.error else []
        if not active:
            return CheckResult(False, _("No endpoint is switched on. Add one under Webhooks."))
        number = {"all": len(active), "tried": tried}
        some = [_("Of %(all)d endpoints, %(tried)d were tried.") % number] if tried < len(active) else []
        arrived = ngettext(
            "A test event arrived at %(tried)d endpoint.", "A test event arrived at %(tried)d endpoints.", tried
        )
        return CheckResult(not wrong, " ".join([*(wrong or [arrived % number]), *some]))

    def _fan_out(self, what: events.Event) -> None:
        from plugins.webhooks_plugin import services

        if delivery_is_sample():
            what = replace(what, data={**what.data, "sample": True})
        services.fan_out(what)
