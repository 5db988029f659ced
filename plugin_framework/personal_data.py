"""What a tenant's plugins, and the engine's own tables, keep of one person: to be handed to them, and to be erased.

Each plugin that the tenant has ever enabled is asked, whether it runs now or not: what a disabled plugin keeps is data all the same.
One that defines neither `export_person` nor `erase_person` has nothing to say. Only one whose code is missing cannot be asked: its part
is named as missing, and can be erased later, or purged with the plugin.
"""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.contrib.auth import get_user_model
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, models, transaction
from django.db.models import Q
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast
from django.utils.translation import gettext

from plugin_framework import lifecycle
from plugin_framework.changing import unstarted
from plugin_framework.delivery.models import Lane
from plugin_framework.masking import masked
from plugin_framework.models import AuditEntry, Delivery, PluginSetting, PluginState, SettingsHistory
from plugin_framework.models.delivery import DeliveryAttempt
from plugin_framework.registry import PluginSpec, registry, title_of
from plugin_framework.sdk import Person, PluginInterface
from plugin_framework.sdk._calling import plugins_code
from plugin_framework.tenancy import current_tenant, public_scope

log = logging.getLogger(__name__)
MOST_STATEMENTS, MOST_SECONDS = 8, 2.0  # of the plugins that one page asks: whoever goes beyond is the last it asks
# A reference to the account among an event's arguments, however deep; see `delivery.payload`.
_REFERS = """jsonb_path_exists(payload, '$.** ? (@."$model" == $label && @.pk == $pk)',
    jsonb_build_object('label', %s::text, 'pk', %s::bigint))"""
# Every text of ours that may name somebody and outlives them; deliveries go as a whole.
_TEXTS: Mapping[type[models.Model], tuple[str, ...]] = {
    AuditEntry: ("actor", "target", "detail"),
    SettingsHistory: ("actor", "values"),
    PluginState: ("enabled_by", "consented_by"),
    Lane: ("paused_by", "trouble"),
}


class CannotErase(Exception):
    """A plugin failed at erasing its part, so that nothing was erased; the text names it, and says what to do."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one plugin keeps of the person.

    Attributes:
        problem: why that is not known, for an admin. `keeps`: what erasing leaves there.
        stores: what it keeps of anybody, in its author's words. `asked`: whether it was asked about this person.
    """

    plugin: str
    title: str
    data: Any = None
    problem: str = ""
    keeps: str = ""
    stores: tuple[str, ...] = ()
    asked: bool = True

    @property
    def count(self) -> int:
        """How many things there are."""
        if isinstance(self.data, Mapping):
            return sum(len(each) if isinstance(each, list) else 1 for each in self.data.values())
        return len(self.data) if isinstance(self.data, list) else int(self.data is not None)


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased. `rows`: by plugin. `deliveries`: events about them. `not_asked`: plugins whose code is missing; theirs stays."""

    rows: Mapping[str, int]
    deliveries: int
    not_asked: tuple[str, ...]


def of_plugins(person: Person, *, ask: bool = True) -> list[Part]:
    """What each plugin keeps of `person`; one that fails says so, and the others' parts are there.

    Args:
        ask: the plugins themselves, each of which may query as much as it likes; else only which of them could say something.
    """
    return [_part(name, person) if ask else _unasked(name) for name in _speaking()]


def of_some_plugins(person: Person, begin: str = "") -> tuple[list[Part], str]:
    """The same of the plugins from the name `begin` on, of as many as one page has time for; at least of one.

    Returns:
        Their parts, and the name with which the next page begins; "" if these were the last.
    """
    parts: list[Part] = []
    asked, until = _Statements(), time.monotonic() + MOST_SECONDS
    with connection.execute_wrapper(asked):
        for name in (name for name in _speaking() if name >= begin):
            if parts and (asked.number >= MOST_STATEMENTS or time.monotonic() >= until):
                return parts, name
            parts.append(_part(name, person))
    return parts, ""


def of_ours(person: Person) -> dict[str, list[dict[str, Any]]]:
    """What the audit log, the history of settings and the deliveries say of `person`."""
    deliveries = Delivery.objects.filter(pk__in=_deliveries(person)).order_by("pk")
    return {
        "audit_log": [
            {"at": row.at, "who": row.actor, "what": row.action, "to": row.target, "detail": row.detail}
            for row in _naming(AuditEntry, person, *_TEXTS[AuditEntry])
        ],
        "settings_saved": [{"plugin": row.plugin, "at": row.at} for row in _naming(SettingsHistory, person, "actor")],
        "earlier_settings": [
            {"plugin": row.plugin, "at": row.at} for row in _naming(SettingsHistory, person, "values")
        ],
        "deliveries": [
            {
                "number": row.pk,
                "event": row.hook,
                "to": row.plugin,
                "at": row.created_at,
                "state": row.state,
                "arguments": _clean(row.payload),
            }
            for row in deliveries.iterator(500)
        ],
    }


def named_in_settings(person: Person) -> list[str]:
    """Plugins in whose settings an admin wrote one of their addresses; erasing leaves those to the admins."""
    return sorted({row.plugin_name for row in _naming(PluginSetting, person, "value")})


def erase(person: Person, pseudonym: str) -> Erased:
    """Have each plugin erase its part, then put `pseudonym` wherever our own tables name them; in the caller's transaction.

    Deliveries about them are deleted, those that are still to come as well: nothing about them is sent from now on.

    Raises:
        CannotErase: a plugin failed; the caller's transaction must be rolled back.
    """
    rows, not_asked = {}, []
    for name in PluginState.objects.order_by("plugin").values_list("plugin", flat=True):
        spec = registry.specs.get(name)
        if spec is None:
            not_asked.append(name)
        else:
            rows[name] = _erased_by(spec, person)
    deliveries = _delete_deliveries(person)
    for model in (AuditEntry, SettingsHistory, PluginState):
        _rename(model, person, pseudonym)
    schema = current_tenant().schema
    with public_scope():
        _rename(Lane, person, pseudonym, tenant_schema=schema)
    return Erased(rows, deliveries, tuple(not_asked))


class _Statements:
    """Counts what is sent to the database."""

    def __init__(self) -> None:
        self.number = 0

    def __call__(self, execute: Callable[..., Any], *args: Any) -> Any:
        self.number += 1
        return execute(*args)


def _speaking() -> list[str]:
    """The plugins that the tenant has ever enabled and that have anything to say of people, or are missing, by name."""
    known = PluginState.objects.values_list("plugin", flat=True)
    return sorted(name for name in known if name not in registry.specs or _speaks(registry.specs[name]))


def _speaks(spec: PluginSpec) -> bool:
    """Whether the plugin has anything to say of people."""
    cls = spec.cls
    return (cls.export_person, cls.erase_person) != (PluginInterface.export_person, PluginInterface.erase_person)


def _unasked(name: str) -> Part:
    spec = registry.specs.get(name)
    if spec is None:
        return Part(name, name, problem=lifecycle.decision_on(name).text)
    cls = spec.cls
    return Part(name, cls.title or name, keeps=cls.keeps_of_people, stores=tuple(map(str, cls.stores)), asked=False)


def _part(name: str, person: Person) -> Part:
    part, spec = _unasked(name), registry.specs.get(name)
    if spec is None:
        return part
    part = replace(part, asked=True)
    try:
        with plugins_code(), transaction.atomic():
            found = unstarted(spec).export_person(person)
            data = json.loads(json.dumps(found, cls=DjangoJSONEncoder)) if found else None
    except Exception:  # whatever the plugin raises, the person gets the others' parts
        log.exception("export_person() of %s failed", name)
        return replace(
            part,
            problem=gettext("The plugin failed while it put this together. Try again, or ask who runs this platform."),
        )
    return replace(part, data=_clean(data))


def _erased_by(spec: PluginSpec, person: Person) -> int:
    try:
        with plugins_code(), transaction.atomic():
            return int(unstarted(spec).erase_person(person))
    except Exception as error:  # whatever the plugin raises: half of an erasure is none
        log.exception("erase_person() of %s failed", spec.name)
        raise CannotErase(
            gettext(
                "%(title)s failed at erasing its part, so nothing was erased. Try again, or ask who runs this platform; once it is "
                "disabled, all that it has stored can be deleted on its page."
            )
            % {"title": title_of(spec.name)}
        ) from error


def _delete_deliveries(person: Person) -> int:
    """A worker that is about one of them finds nothing to mark when it is done."""
    found = _deliveries(person)
    DeliveryAttempt.objects.filter(delivery_id__in=found).delete()
    Delivery.objects.filter(pk__in=found).delete()
    return len(found)


def _deliveries(person: Person) -> set[int]:
    """Those whose event refers to the account or names an address, and those in whose attempts an address came up."""
    found = {row.pk for row in _naming(Delivery, person, "payload", "last_error")}
    found |= {row.delivery_id for row in _naming(DeliveryAttempt, person, "error", "answer", "host")}
    if person.user_id is not None:
        refers = RawSQL(_REFERS, [get_user_model()._meta.label, person.user_id], output_field=models.BooleanField())  # noqa: S611  # a constant with parameters
        found |= set(Delivery.objects.filter(refers).values_list("pk", flat=True))
    return found


def _naming[M: models.Model](model: type[M], person: Person, *names: str, **among: str) -> Iterator[M]:
    """The rows in whose texts one of the addresses stands. One that is part of another's longer address does not count."""
    wanted, rows = Q(pk__in=[]), model._default_manager.filter(**among).order_by("pk")
    for name in names:
        column = f"{name}_as_text"
        rows = rows.alias(**{column: Cast(name, models.TextField())})
        for email in person.emails:
            wanted |= Q(**{f"{column}__icontains": email})
    pattern = _pattern(person)
    for row in rows.filter(wanted).iterator(500):
        if any(_replaced(getattr(row, name), pattern, "") != getattr(row, name) for name in names):
            yield row


def _rename(model: type[models.Model], person: Person, pseudonym: str, **among: str) -> None:
    pattern, names = _pattern(person), _TEXTS[model]
    for row in list(_naming(model, person, *names, **among)):
        for name in names:
            text = _replaced(getattr(row, name), pattern, pseudonym)
            longest = getattr(model._meta.get_field(name), "max_length", None)
            setattr(row, name, text[:longest] if isinstance(text, str) else text)
        row.save(update_fields=names)


def _pattern(person: Person) -> re.Pattern[str]:
    """Any of the addresses, and no part of a longer one."""
    longest_first = sorted(person.emails, key=len, reverse=True)
    return re.compile(rf"(?<![\w.+%-])(?:{'|'.join(map(re.escape, longest_first))})(?![\w-]|\.\w)", re.IGNORECASE)


def _replaced(value: Any, pattern: re.Pattern[str], by: str) -> Any:
    if isinstance(value, str):
        return pattern.sub(by, value)
    if isinstance(value, list):
        return [_replaced(each, pattern, by) for each in value]
    if isinstance(value, dict):
        return {_replaced(key, pattern, by): _replaced(each, pattern, by) for key, each in value.items()}
    return value


def _clean(value: Any) -> Any:
    """Without secrets that this process knows."""
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, list):
        return [_clean(each) for each in value]
    return {key: _clean(each) for key, each in value.items()} if isinstance(value, dict) else value
