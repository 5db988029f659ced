"""What the pages ask for."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from plugins.webhooks_plugin.models import Endpoint


@dataclass(frozen=True, slots=True)
class State:
    """How an endpoint is doing, for a badge: `kind` is its colour."""

    kind: str
    words: str


def endpoints() -> QuerySet[Endpoint]:
    """All of them, each with how many messages wait for it as `queue`."""
    return Endpoint.objects.annotate(queue=Count("waiting", filter=Q(waiting__released=False))).order_by("pk")


def state(endpoint: Endpoint) -> State:
    """How `endpoint` is doing."""
    if not endpoint.active:
        return State("error", "Switched off: failed") if endpoint.off_because else State("muted", "Switched off")
    if endpoint.failing_since:
        return State("warn", "Failing")
    return State("ok", "Works") if endpoint.last_success_at else State("info", "Nothing sent yet")
