"""Writes the audit log: every mutation calls `record` in its own transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from plugin_framework.models import AuditEntry
from plugin_framework.sdk._words import Phrase

_COMMAND_LINE = Phrase("command line")
_STAFF = Phrase("%(email)s (platform staff)")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person by e-mail, an operator on the command line, or the platform itself; pages show it through `reread`."""

    label: str

    def __str__(self) -> str:
        return self.label


SYSTEM = Actor("Tenantry")
COMMAND_LINE = Actor(_COMMAND_LINE.text)


def person(email: str, *, staff: bool = False) -> Actor:
    """Somebody signed in; `staff` marks the platform's own people, so that a tenant sees who it was."""
    return Actor(_STAFF(email=email).english if staff else email)


def record(actor: Actor, action: str, target: str = "", **detail: Any) -> AuditEntry:
    """Append to the current tenant's audit log. `detail` must be JSON and must not hold secrets."""
    return AuditEntry.objects.create(actor=actor.label[:200], action=action, target=target[:200], detail=detail)


def recount(entry: AuditEntry, count: int) -> None:
    """The work that `entry` tells of goes on in another transaction, this one: it has done `count` by now."""
    entry.detail = {**entry.detail, "count": count}
    entry.save(update_fields=["detail"])
