"""What new tenants begin with: plugins that are on by default, made ready in a schema that is nobody's yet, taken over at sign-up."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext

from plugin_framework import layers, permissions
from plugin_framework.audit import SYSTEM, record
from plugin_framework.catalog import offers
from plugin_framework.catalog.models import Availability
from plugin_framework.catalog.offers import DEFAULT, Offer
from plugin_framework.catalog.revisions import bump_tenant
from plugin_framework.changing import unstarted
from plugin_framework.db.migrator import MigrationFailed
from plugin_framework.delivery import schedule
from plugin_framework.lifecycle import make_tables
from plugin_framework.models import AuditEntry, PluginState
from plugin_framework.registry import PluginSpec, registry
from plugin_framework.sdk import PluginInterface
from plugin_framework.sdk._calling import plugins_code
from plugin_framework.sdk._words import Phrase, Sentence
from plugin_framework.tenancy import TenantRef

log = logging.getLogger(__name__)
_NEWCOMER = TenantRef(slug="new-organisation", name="New organisation", host="", schema="")
_NOT_INSTALLED = Phrase("%(name)s is not installed.")
_NOT_OFFERED = Phrase("%(title)s is not offered to everyone, so a new organisation could not have it.")
_NEEDS_SETUP = Phrase(
    "A new organisation would have to set %(title)s up first. Platform settings have to say: %(lacking)s"
)
_BEGIN = "UPDATE plugin_framework_pluginstate SET enabled_at = %(now)s, consented_at = %(now)s WHERE enabled RETURNING plugin, version"


def chosen(decided: Mapping[str, Offer] | None = None) -> tuple[str, ...]:
    """The plugins that new tenants begin with, what they need included, in the order in which they are enabled.

    One that could not run there is left out; `problem` says why.

    Args:
        decided: the catalog, if the caller has it; else as the database has it now.
    """
    decided = offers.current() if decided is None else decided
    wanted: set[str] = set()
    for name, offer in decided.items():
        if offer.on_by_default and not problem(name, decided):
            wanted |= {*registry.requirements(name), name}
    return tuple(name for name in registry.specs if name in wanted)


def problem(name: str, decided: Mapping[str, Offer]) -> str:
    """Why new tenants cannot begin with the plugin `name`; "" if they can."""
    if name not in registry.specs:
        return str(_NOT_INSTALLED(name=name))
    for each in (*registry.requirements(name), name):
        if why := _problem(each, decided.get(each, DEFAULT)):
            return (
                why
                if each == name
                else gettext("%(title)s needs %(other)s. %(why)s")
                % {"title": _title(name), "other": _title(each), "why": why}
            )
    return ""


def _problem(name: str, offer: Offer) -> str:
    spec = registry.specs.get(name)
    if spec is None:
        return str(_NOT_INSTALLED(name=name))
    if offer.availability != Availability.EVERYONE:
        return str(_NOT_OFFERED(title=_title(name)))
    if lacking := _unfit_settings(spec, offer):
        return str(_NEEDS_SETUP(title=_title(name), lacking=lacking))
    return ""


def _title(name: str) -> Sentence | str:
    return Sentence(registry.specs[name].title) if name in registry.specs else name


def _unfit_settings(spec: PluginSpec, offer: Offer) -> str:
    """What is wrong with the settings that a tenant has that has none of its own."""

    def newcomers() -> PluginInterface:
        plugin = spec.new()
        plugin.tenant, plugin.settings = _NEWCOMER, {}
        return plugin

    platform = layers.platform_of(spec, offer)
    found = layers.problems(spec, newcomers, layers.without_own(spec, platform))
    return "; ".join(str(spec.schema.sentence(each)) for each in found)


def prepare(names: tuple[str, ...], needed: Collection[str] = ()) -> None:
    """Make the tables of these plugins in the current schema, which is nobody's yet, and write them down as enabled.

    Whoever gets the schema calls `take_over`. A plugin whose migrations fail is left out, with what needs it: nobody should be kept from
    signing up by it, nor the platform from being updated.

    Args:
        names: each behind what it needs. `needed`: those that must not be left out.

    Raises:
        MigrationFailed: the migrations of one that is `needed` did.
    """
    left_out: set[str] = set()
    for name in names:
        if left_out.intersection(registry.requirements(name)):
            left_out.add(name)
            log.error("New organisations begin without %s: what it needs could not be prepared", name)
            continue
        try:
            with transaction.atomic():
                _prepare_one(registry.specs[name])
        except MigrationFailed as error:
            if name in needed:
                raise
            left_out.add(name)
            log.exception("New organisations begin without %s: %s failed", name, error.what)


def _prepare_one(spec: PluginSpec) -> None:
    PluginState.objects.create(
        plugin=spec.name,
        enabled=True,
        version=spec.version,
        config_version=spec.config_version,
        tables=make_tables(spec),
        app_label=spec.app_label or "",
        enabled_by=str(SYSTEM),
        **permissions.recorded(spec, SYSTEM),
    )


def take_over() -> None:
    """Let the current tenant, a new one, begin with what its schema was prepared with. Call in the transaction that makes it.

    A few statements, however many plugins there are, and what their own `on_enable` do. One that fails at that stays disabled, for
    nobody should be kept from signing up by it. `plugin_enabled` is not emitted: nothing has changed for anybody.
    """
    with connection.cursor() as cursor:
        cursor.execute(_BEGIN, {"now": timezone.now()})
        versions: dict[str, str] = dict(cursor.fetchall())
    bump_tenant()  # what somebody remembers of this schema is of a sign-up that was rolled back
    ordered = [name for name in (*registry.specs, *(versions.keys() - registry.specs.keys())) if name in versions]
    AuditEntry.objects.bulk_create(
        AuditEntry(
            actor=str(SYSTEM), action="plugin.enabled", target=name, detail={"version": versions[name], "default": True}
        )
        for name in ordered
    )
    failed = [name for name in ordered if name in registry.specs and not _got_ready(registry.specs[name])]
    if failed:
        schedule.sync()


def _got_ready(spec: PluginSpec) -> bool:
    """Let the plugin do what it does once for each tenant; False if it failed at that, and is disabled now with what needs it."""
    if spec.cls.on_enable is PluginInterface.on_enable:
        return True
    try:
        with plugins_code(), transaction.atomic():
            unstarted(spec).on_enable()
    except Exception as error:  # a plugin's on_enable may raise anything
        log.exception("on_enable() of %s failed in a new organisation", spec.name)
        for each in (*reversed(registry.dependants(spec.name)), spec.name):
            if PluginState.objects.filter(plugin=each, enabled=True).update(enabled=False):
                reason = f"the preparations of {spec.name} failed ({type(error).__name__})"
                record(SYSTEM, "plugin.disabled", each, reason=reason)
        return False
    return True
