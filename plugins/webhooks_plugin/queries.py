"""What the pages ask for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from plugins.webhooks_plugin.models import Endpoint, Waiting


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
        return State("error", _("Switched off: failed")) if endpoint.off_because else State("muted", _("Switched off"))
    if endpoint.failing_since:
        return State("warn", _("Failing"))
    return State("ok", _("Works")) if endpoint.last_success_at else State("info", _("Nothing sent yet"))


def waiting_about(emails: tuple[str, ...]) -> QuerySet[Waiting]:
    """Messages that wait for their endpoint and have one of these addresses as a value."""
    return Waiting.objects.filter(reduce(or_, (Q(body__icontains=json.dumps(email)) for email in emails)))


def of_person(emails: tuple[str, ...], user_id: int | None) -> dict[str, Any]:
    """The messages about somebody that wait, and the endpoints that they entered."""
    entered = Endpoint.objects.filter(created_by=user_id).order_by("pk") if user_id is not None else ()
    found: dict[str, Any] = {
        "waiting": list(waiting_about(emails).order_by("pk").values("event", "body")),
        "entered": [each.host for each in entered],
    }
    return {name: rows for name, rows in found.items() if rows}
