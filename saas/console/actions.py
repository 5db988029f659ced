"""What the platform's staff decides about a plugin: audited, and felt on every tenant's next request."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from plugin_framework import configuration, defaults, platform_settings
from plugin_framework.audit import Actor
from plugin_framework.catalog import offers, plans
from plugin_framework.catalog.models import Availability, CatalogEntry, CatalogGrant
from plugin_framework.catalog.offers import set_offer
from plugin_framework.catalog.offers import set_standing as set_offer_standing
from plugin_framework.catalog.plans import Limits
from plugin_framework.config import FieldError
from plugin_framework.db.migrator import MigrationFailed
from plugin_framework.registry import PluginSpec, registry, title_of
from plugin_framework.tenancy import TenantRef, public_scope
from saas.console import fleet
from saas.console.telling import Decided, Telling, tell_platform
from tenants import blueprint

log = logging.getLogger(__name__)
_SETTINGS = "catalog.settings_changed"
_REQUIRED = {True: "catalog.required", False: "catalog.not_required"}
_ACTIONS = {
    Availability.EVERYONE: "catalog.offered",
    Availability.LISTED: "catalog.listed",
    Availability.HIDDEN: "catalog.hidden",
    Availability.DEPRECATED: "catalog.deprecated",
    Availability.WITHDRAWN: "catalog.withdrawn",
}


class Refused(ValueError):
    """This cannot be decided now; the text says why. Nothing was changed."""


def offer(
    plugin: str,
    availability: Availability,
    actor: Actor,
    *,
    message: str = "",
    granted: Collection[str] = (),
    instead: str = "",
) -> Decided:
    """Decide to whom `plugin` is offered, and tell those it touches in their own audit logs.

    The decision commits together with the platform's entry and those of the first `telling.AT_ONCE` tenants that have the
    plugin or gain or lose its offer; in a larger fleet the others' entries follow at once, in transactions of their own.

    Args:
        message: shown to tenants while it is withdrawn or deprecated.
        granted: schemas of the tenants to which a listed plugin is offered, or a deprecated one still; else without effect.
        instead: the plugin that tenants should use, while it is deprecated.
    """
    touched = fleet.having(plugin)
    detail = {key: value for key, value in {"message": message, "instead": instead}.items() if value}
    with transaction.atomic(), blueprint.kept_in_step(may_lag=True):  # a kill switch waits for nothing
        before = _before(plugin)
        if before == (availability, message, instead, set(granted)):
            return Decided(False)
        affected = _unique([*touched, *fleet.everyone(sorted(before[3] ^ set(granted)))])
        set_offer(plugin, availability, message=message, granted=sorted(granted), instead=instead)
        telling = Telling(affected, _ACTIONS[availability], plugin, actor, detail)
        untold = telling.first()
    return Decided(True, (*untold, *telling.others()))


def set_standing(plugin: str, actor: Actor, *, on_by_default: bool, required: bool) -> Decided:
    """Decide whether new tenants begin with `plugin`, and whether those that have it may disable it.

    Tenants that have it are told in their own audit logs what concerns them: that it is required, or not any more.

    Raises:
        Refused: new tenants could not run it as it is, or the platform is being updated.
    """
    telling = Telling(fleet.having(plugin), _REQUIRED[required], plugin, actor, {})
    untold: list[TenantRef] = []
    try:
        with transaction.atomic(), blueprint.kept_in_step(needed=_with_requirements(plugin) if on_by_default else ()):
            before = _standing_before(plugin)
            if before == (on_by_default, required):
                return Decided(False)
            if on_by_default and not before[0] and (why := defaults.problem(plugin, offers.current())):
                raise Refused(why)
            set_offer_standing(plugin, on_by_default=on_by_default, required=required)
            if on_by_default != before[0]:
                action = "catalog.on_by_default" if on_by_default else "catalog.not_on_by_default"
                tell_platform(action, plugin, actor)
            if required != before[1]:
                untold = telling.first()
    except blueprint.OtherCode as error:
        raise Refused(str(error)) from error
    except MigrationFailed as error:
        log.exception("%s failed while it was decided that new organisations begin with %s", error.what, plugin)
        said = _(
            "New organisations cannot begin with %(title)s: the migration %(migration)s failed (%(kind)s). Nothing was changed. Tell "
            "whoever made the plugin, or who runs this platform: its log has the details."
        )
        words = {"title": title_of(plugin), "migration": error.what, "kind": error.kind}
        raise Refused(said % words) from error
    if required != before[1]:
        untold += telling.others()
    return Decided(True, tuple(untold))


def _with_requirements(plugin: str) -> tuple[str, ...]:
    return (*registry.requirements(plugin), plugin) if plugin in registry.specs else ()


def set_platform_settings(
    spec: PluginSpec,
    actor: Actor,
    values: Mapping[str, Any],
    *,
    secrets: Mapping[tuple[str, ...], str],
    removed: Collection[tuple[str, ...]],
    locked: Collection[str],
) -> Decided:
    """Set the platform's own values of a plugin's settings, and tell the tenants that have it in their own audit logs.

    Raises:
        Invalid: with the errors by field, or that new tenants begin with it and could not run it so; nothing was saved.
    """
    touched = fleet.having(spec.name)
    with transaction.atomic(), blueprint.kept_in_step(may_lag=True):
        begin_with = defaults.chosen()
        changed = platform_settings.save(spec, values, secrets=secrets, removed=removed, locked=locked)
        if not changed:
            return Decided(False)
        _keep_newcomers_running(begin_with)
        telling = Telling(touched, _SETTINGS, spec.name, actor, {"changed": changed, "locked": sorted(locked)})
        untold = telling.first()
    return Decided(True, (*untold, *telling.others()))


def _keep_newcomers_running(begin_with: Collection[str]) -> None:
    decided = offers.current()
    lost = set(begin_with) - set(defaults.chosen(decided))
    why = [problem for name in sorted(lost) if (problem := defaults.problem(name, decided))]
    if why:
        text = _("New organisations begin with it. %(why)s Or let them begin without it.") % {"why": why[0]}
        raise configuration.Invalid((FieldError((), text),))


def define_plan(slug: str, name: str, plugins: Collection[str], limits: Limits, actor: Actor) -> bool:
    """Make or change a plan; whether anything changed."""
    with transaction.atomic():
        changed = plans.define(slug, name, plugins, limits)
        if changed:
            set_ = {kind: limit for kind, limit in asdict(limits).items() if limit is not None}
            tell_platform("plan.saved", slug, actor, plugins=sorted(plugins), limits=set_)
        return changed


def remove_plan(slug: str, actor: Actor) -> None:
    """Delete a plan that nobody has.

    Raises:
        PlanError: somebody has it, or there is none.
    """
    with transaction.atomic():
        plans.remove(slug)
        tell_platform("plan.removed", slug, actor)


def _before(plugin: str) -> tuple[str, str, str, set[str]]:
    """What has been decided so far; locked, so that of two decisions at once the second is compared with the first."""
    with public_scope():
        entry = CatalogEntry.objects.select_for_update().filter(plugin=plugin).first() or CatalogEntry(plugin=plugin)
        granted = CatalogGrant.objects.filter(plugin=plugin).values_list("tenant_schema", flat=True)
        return entry.availability, entry.message, entry.instead, set(granted)


def _standing_before(plugin: str) -> tuple[bool, bool]:
    with public_scope():
        entry = CatalogEntry.objects.select_for_update().filter(plugin=plugin).first()
    return (entry.on_by_default, entry.required) if entry else (False, False)


def _unique(refs: Iterable[TenantRef]) -> list[TenantRef]:
    return list({ref.schema: ref for ref in refs}.values())
