"""What a plugin asks for, and what the current tenant has agreed to: a newer version that asks for more is to be agreed to anew."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from plugin_framework.audit import Actor, record
from plugin_framework.changing import lock_plugins, spec_of
from plugin_framework.models import PluginState
from plugin_framework.registry import PluginSpec, registry, title_of
from plugin_framework.sdk import NotAllowed

MOST_NAMED = 300  # characters of one permission in the audit log


class Kind(StrEnum):
    """What sort of thing is asked for."""

    READS = "reads"
    STORES = "stores"
    SENDS_TO = "sends_to"
    HEARS = "hears"


@dataclass(frozen=True, slots=True)
class Permission:
    """One thing that a plugin asks for: the author's words, or the name of a hook point that it handles."""

    kind: Kind
    what: str


@dataclass(frozen=True, slots=True)
class Consent:
    """What somebody of a tenant has agreed to, when they last did. `at`: None if nobody was ever asked."""

    to: frozenset[Permission]
    version: str
    by: str
    at: datetime | None


NOBODY_ASKED = Consent(frozenset(), "", "", None)


def asked(spec: PluginSpec) -> tuple[Permission, ...]:
    """All that the installed version asks for."""
    words = {Kind.READS: spec.cls.reads, Kind.STORES: spec.cls.stores, Kind.SENDS_TO: spec.cls.sends_to}
    said = [Permission(kind, str(each)) for kind, texts in words.items() for each in texts]
    heard = [Permission(Kind.HEARS, hook) for hook in sorted({handler.hook for handler in spec.handlers})]
    return tuple(dict.fromkeys([*said, *heard]))


def consent_of(row: PluginState | None) -> Consent:
    """What is recorded in `row`. A kind that this code does not know is a newer version's, and is left out."""
    if row is None or row.consented is None:
        return NOBODY_ASKED
    known = set(Kind)
    to = frozenset(Permission(Kind(kind), what) for kind, what in row.consented if kind in known)
    return Consent(to, row.consented_version, row.consented_by, row.consented_at)


def not_agreed(spec: PluginSpec, consent: Consent) -> tuple[Permission, ...]:
    """What the installed version asks for beyond `consent`; nothing if nobody was ever asked, for then there is nothing to compare."""
    return tuple(each for each in asked(spec) if each not in consent.to) if consent.at else ()


def digest(names: Iterable[str]) -> str:
    """Tells what a page has shown of these plugins from what they ask for by the time somebody agrees to it."""
    shown = [[name, _stored(asked(registry.specs[name]))] for name in names if name in registry.specs]
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()[:32]


def recorded(spec: PluginSpec, actor: Actor) -> dict[str, Any]:
    """The columns that say that `actor` agrees to what `spec` asks for now."""
    return {
        "consented": _stored(asked(spec)),
        "consented_version": spec.version,
        "consented_by": str(actor)[:200],
        "consented_at": timezone.now(),
    }


def agree(name: str, actor: Actor, *, shown: str) -> tuple[Permission, ...]:
    """Agree for the current tenant to all that the installed version of `name` asks for.

    Args:
        shown: the `digest` of what the person has seen.

    Returns:
        What is new of it; empty if all was agreed to already.

    Raises:
        NotAllowed: there is no such plugin here, it is not enabled, or it asks for something else by now.
    """
    spec = spec_of(name)
    with transaction.atomic():
        lock_plugins()
        row = PluginState.objects.filter(plugin=name, enabled=True).first()
        if row is None:
            why = gettext("%(title)s is not enabled. You are asked what it may do when you enable it.")
            raise NotAllowed(why % {"title": title_of(name)})
        if shown != digest([name]):
            why = gettext("What %(title)s asks for has changed since the page was shown. Look at it again.")
            raise NotAllowed(why % {"title": title_of(name)})
        before = consent_of(row)
        new = tuple(each for each in asked(spec) if each not in before.to)
        if new or before.at is None:
            PluginState.objects.filter(pk=row.pk).update(**recorded(spec, actor))
            said = [f"{each.kind.value}: {each.what}"[:MOST_NAMED] for each in new]
            record(actor, "plugin.agreed", name, version=spec.version, new=said)
        return new


def _stored(permissions: Sequence[Permission]) -> list[list[str]]:
    return [[each.kind.value, each.what] for each in permissions]
