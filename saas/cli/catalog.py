"""The part of `manage.py plugins` that decides for all organisations: `offer` and `standing`, and the list of the catalog."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterable, Mapping
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from plugin_framework import defaults
from plugin_framework.audit import COMMAND_LINE
from plugin_framework.catalog import offers
from plugin_framework.catalog.models import Availability, CatalogEntry
from plugin_framework.catalog.offers import DEFAULT
from plugin_framework.registry import registry
from plugin_framework.tenancy import public_scope
from saas.cli import show
from saas.console import actions, fleet
from saas.console.telling import Decided
from tenants.models import PLATFORM_SCHEMA, Tenant

ACTIONS = ("offer", "standing")
_YES_NO = ("yes", "no")
_SAYING_WHY = (Availability.WITHDRAWN, Availability.DEPRECATED)


def add_arguments(parser: ArgumentParser) -> None:
    """What only these actions take."""
    parser.add_argument("--to", choices=Availability.values, help="offer: to whom")
    parser.add_argument(
        "--message", default="", help="offer: what organisations read; needed for withdrawn and deprecated"
    )
    parser.add_argument("--instead", metavar="PLUGIN", default="", help="offer: what to use, where it is deprecated")
    parser.add_argument(
        "--listed", action="append", default=[], metavar="SLUG", help="offer: an organisation that is listed; repeat it"
    )
    parser.add_argument("--on-by-default", choices=_YES_NO, help="standing: whether new organisations begin with it")
    parser.add_argument("--required", choices=_YES_NO, help="standing: whether organisations may not disable it")


def act(command: BaseCommand, action: str, plugin: str | None, options: Mapping[str, Any]) -> dict[str, Any]:
    """Decide, and say what was decided.

    Raises:
        CommandError: something is missing, unknown, or cannot be decided now; the text says what to do.
    """
    if plugin is None:
        raise CommandError(f"Say which plugin: plugins {action} --plugin NAME")
    with public_scope():
        known = {*registry.specs, *registry.quarantine, *CatalogEntry.objects.values_list("plugin", flat=True)}
    if plugin not in known:
        raise CommandError(f"There is no plugin {plugin!r}; `plugins list` shows them.")
    return _offer(plugin, options) if action == "offer" else _standing(plugin, options)


def _offer(plugin: str, options: Mapping[str, Any]) -> dict[str, Any]:
    if options["to"] is None:
        raise CommandError(f"Say to whom: plugins offer --plugin {plugin} --to {'|'.join(Availability.values)}")
    to, message, instead = Availability(options["to"]), options["message"].strip(), options["instead"]
    if to in _SAYING_WHY and not message:
        raise CommandError(f"Tell the organisations why it is {to.value}: --message TEXT")
    if len(message) > 500:
        raise CommandError("The message may have 500 characters.")
    if (message and to not in _SAYING_WHY) or (instead and to is not Availability.DEPRECATED):
        raise CommandError("--message is for withdrawn and deprecated plugins, --instead for deprecated ones.")
    if instead and (instead == plugin or instead not in registry.specs):
        raise CommandError(f"{instead!r} is no other plugin that is installed; `plugins list` shows them.")
    granted = _schemas(options["listed"])
    if to is Availability.LISTED and not granted:
        raise CommandError("Name at least one organisation: --listed SLUG")
    hit = len(fleet.having(plugin))
    if options["dry_run"]:
        return {"plugin": plugin, "would be": to.value, "enabled in": hit}
    decided = actions.offer(plugin, to, COMMAND_LINE, message=message, granted=granted, instead=instead)
    return {"plugin": plugin, "offer": to.value, "changed": decided.changed, "enabled in": hit, **_untold(decided)}


def _standing(plugin: str, options: Mapping[str, Any]) -> dict[str, Any]:
    if options["on_by_default"] is None and options["required"] is None:
        raise CommandError("Say what is decided: --on-by-default yes|no, --required yes|no")
    with public_scope():
        now = offers.current().get(plugin, DEFAULT)
    wanted = {
        "on_by_default": _wanted(options["on_by_default"], now.on_by_default),
        "required": _wanted(options["required"], now.required),
    }
    try:
        decided = actions.set_standing(plugin, COMMAND_LINE, **wanted)
    except actions.Refused as error:
        raise CommandError(str(error)) from error
    return {"plugin": plugin, **wanted, "changed": decided.changed, **_untold(decided)}


def _untold(decided: Decided) -> dict[str, list[str]]:
    """In whose audit logs it could not be written, if there are any."""
    return {"not in the log of": [ref.slug for ref in decided.untold]} if decided.untold else {}


def _wanted(given: str | None, before: bool) -> bool:
    return before if given is None else given == "yes"


def _schemas(slugs: Iterable[str]) -> set[str]:
    wanted = set(slugs)
    with public_scope():
        rows = Tenant.objects.filter(slug__in=wanted).exclude(schema_name=PLATFORM_SCHEMA)
        found = dict(rows.values_list("slug", "schema_name"))
    if unknown := sorted(wanted - set(found)):
        raise CommandError(f"There is no organisation called {', '.join(unknown)}.")
    return set(found.values())


def list_all(command: BaseCommand, *, as_json: bool) -> None:
    """The catalog: each plugin, to whom it is offered, and how it stands in organisations."""
    decided = offers.current()
    rows = []
    for name in sorted({*registry.specs, *registry.quarantine}):
        offer = decided.get(name, DEFAULT)
        problem = defaults.problem(name, decided) if offer.on_by_default else ""
        label = str(Availability(offer.availability).label)
        rows.append(
            {
                "plugin": name,
                "version": registry.specs[name].version if name in registry.specs else "",
                "availability": offer.availability,
                "on_by_default": offer.on_by_default,
                "required": offer.required,
                "note": registry.quarantine.get(name) or problem or offer.message or label,
            }
        )
    if not as_json:  # in words, for two columns of which nearly all is "no" hide what matters
        rows = [_in_words(row) for row in rows]
    show(command, rows, as_json=as_json, empty="No plugin is installed.")


def _in_words(row: dict[str, Any]) -> dict[str, Any]:
    said = [str(row["note"])]
    said += ["on by default"] if row["on_by_default"] else []
    said += ["required"] if row["required"] else []
    return {key: row[key] for key in ("plugin", "version", "availability")} | {"note": "; ".join(said)}
