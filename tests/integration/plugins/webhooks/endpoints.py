"""What the tests of webhooks do with endpoints and with what is owed to them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.utils import timezone
from standardwebhooks import Webhook

from plugin_framework.delivery import lanes
from plugin_framework.models import Delivery
from plugin_framework.sdk import unseal
from plugin_framework.tenancy import current_tenant
from plugins.webhooks_plugin import services
from plugins.webhooks_plugin.models import Endpoint
from saas.testing import actions
from saas.testing.receivers import Post, WebhookServer

Make = Callable[..., Any]
Open = Callable[[], WebhookServer]


def endpoint(server: WebhookServer, actor: Any, *events: str) -> Endpoint:
    row = Endpoint(url=server.url, every_event=not events, events=list(events))
    return services.add(row, actor)


def secret_of(row: Endpoint, *, old: bool = False) -> str:
    row.refresh_from_db()
    return unseal("webhooks", "signing", row.old_secret if old else row.secret)


def happen(hook: str = "plugin_configured", *args: object) -> list[Delivery]:
    """Something happens, and is delivered as far as it goes now; deliveries to endpoints."""
    actions.emit_and_deliver(hook, *(args or ("orders",)))
    return owed()


def owed() -> list[Delivery]:
    return list(Delivery.objects.filter(hook="webhook_due").order_by("pk"))


def later(row: Endpoint | None = None) -> list[Delivery]:
    """Time passes until whatever waits for its next attempt is due."""
    Delivery.objects.filter(state="due").update(next_at=timezone.now() - timedelta(seconds=1))
    if row is not None:
        Endpoint.objects.filter(pk=row.pk).update(rest_until=timezone.now() - timedelta(seconds=1))
    lanes.hurry(current_tenant().schema)
    actions.deliver()
    return owed()


def verified(post: Post, key: str) -> Any:
    return Webhook(key).verify(post.raw, post.headers)


def types(server: WebhookServer) -> list[str]:
    return [post.body["type"] for post in server.posts]
