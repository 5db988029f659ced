"""Enables, disables and pauses plugins for the current tenant; each function is one transaction, audited."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from plugin_framework import activation, configuration, hooks, permissions, settings_store
from plugin_framework.activation import ActiveSet
from plugin_framework.audit import Actor, record
from plugin_framework.catalog.revisions import bump_tenant
from plugin_framework.changing import dependants, lock_plugins, release_held, unstarted
from plugin_framework.db.migrator import MigrationFailed, installed_labels, migrate_schema
from plugin_framework.db.rollout import Unsuitable
from plugin_framework.delivery import breaker, schedule
from plugin_framework.gate import Decision, Notice, notice
from plugin_framework.models import PluginState
from plugin_framework.permissions import Consent
from plugin_framework.registry import PluginSpec, is_newer, registry, title_of
from plugin_framework.sdk import NotAllowed
from plugin_framework.sdk._calling import plugins_code
from plugin_framework.sdk._words import Phrase, Sentence
from plugin_framework.settings_store import Path
from plugin_framework.staff_words import Refused, said_to_staff

log = logging.getLogger(__name__)
_NEEDS = Phrase("%(name)s needs %(other)s: %(why)s")
_UNPREPARED = Phrase(
    "%(title)s could not be enabled: its own preparations failed (%(kind)s). Try again, or ask who runs this platform."
)
_NO_TABLES = Phrase(
    "%(title)s could not be enabled: its migration %(migration)s failed (%(kind)s). Nothing was changed. Try again; if it fails "
    "again, tell whoever made the plugin, or who runs this platform: its log has the details."
)
said_to_staff(
    {
        _UNPREPARED: Phrase(
            "%(title)s could not be enabled: its own preparations failed (%(kind)s). Nothing was changed. The log has the details."
        ),
        _NO_TABLES: Phrase(
            "%(title)s could not be enabled: its migration %(migration)s failed (%(kind)s). Nothing was changed. The log has the "
            "details; if it fails again, tell whoever made the plugin."
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Status:
    """A plugin as one tenant has it."""

    spec: PluginSpec | None  # None: its code is missing or quarantined
    name: str
    decision: Decision
    enabled: bool
    settings_revision: int
    had: bool  # the tenant has stored something of it: settings at least
    consent: Consent = permissions.NOBODY_ASKED
    kept_on: Sentence | str = ""  # why it cannot be disabled, where it is enabled
    notice: Notice | None = None  # that it is deprecated
    version: str = ""  # the one that the tenant has


def status(name: str) -> Status:
    """The current tenant's view of one plugin, known or not."""
    row = PluginState.objects.filter(plugin=name).first()
    return _status(name, row, activation.current())


def decision_on(name: str) -> Decision:
    """The gate's answer for one plugin of the current tenant, known or not."""
    return activation.current().decision(name)


def statuses() -> list[Status]:
    """All plugins that are installed or that this tenant has ever had, by name."""
    rows = {row.plugin: row for row in PluginState.objects.all()}
    active = activation.current()
    names = sorted({*registry.specs, *rows, *registry.quarantine})
    return [_status(name, rows.get(name), active) for name in names]


def _status(name: str, row: PluginState | None, active: ActiveSet) -> Status:
    enabled, revision = (row.enabled, row.settings_revision) if row else (False, 0)
    return Status(
        spec=registry.specs.get(name),
        name=name,
        decision=active.decision(name),
        enabled=enabled,
        settings_revision=revision,
        had=row is not None,
        consent=permissions.consent_of(row),
        kept_on=active.kept_on(name) if enabled else "",
        notice=notice(name, active.facts),
        version=row.version if row else "",
    )


def enable(name: str, actor: Actor, *, with_requirements: bool = True) -> list[str]:
    """Enable `name` for the current tenant, with what it needs; make their tables first.

    Returns:
        The names newly enabled, in order; empty if it was enabled already.

    Raises:
        NotAllowed: the gate or a missing requirement stands in the way; nothing was changed.
    """
    with transaction.atomic():
        lock_plugins()
        wanted = [*(registry.requirements(name) if name in registry.specs else ()), name]
        enabled = set(PluginState.objects.filter(enabled=True).values_list("plugin", flat=True))
        missing = [each for each in wanted if each not in enabled]
        if not with_requirements and missing[:-1]:
            raise NotAllowed(
                gettext("%(name)s needs %(others)s. Enable that first, or let it be enabled as well.")
                % {"name": title_of(name), "others": ", ".join(map(title_of, missing[:-1]))}
            )
        for each in missing:
            decision = activation.current().decision(each)
            if not decision.may_enable:
                needing = _NEEDS(name=title_of(name), other=title_of(each), why=decision.words)
                raise Refused(decision.words if each == name else needing)
            _enable_one(registry.specs[each], actor)
        for each in missing:
            release_held(each)
            breaker.resume(each, actor)
        schedule.sync()
        return missing


@dataclass(frozen=True, slots=True)
class NewSettings:
    """What `enable_with` saves; the parts as `configuration.configure` takes them."""

    config: Mapping[str, Any]
    secrets: Mapping[Path, str]
    removed: Collection[Path]
    expected_revision: int


class NotSaved(Exception):
    """The settings of one plugin cannot be saved, so that nothing was saved or enabled.

    Attributes:
        plugin: whose settings. why: what `configuration.configure` says of them.
    """

    def __init__(
        self, plugin: str, why: configuration.Invalid | configuration.Conflict | settings_store.Unreadable
    ) -> None:
        super().__init__(f"{plugin}: {why}")
        self.plugin, self.why = plugin, why


def enable_with(name: str, actor: Actor, settings: Mapping[str, NewSettings]) -> list[str]:
    """Save settings, and enable `name` with what it needs: all of it, or nothing.

    Args:
        settings: by plugin: of `name`, and of those that it needs. The others' stay as they are.

    Returns:
        As `enable`.

    Raises:
        NotAllowed: as `enable`. NotSaved: some settings do not fit, or were saved by somebody else. Nothing was changed.
    """
    with transaction.atomic():
        lock_plugins()
        for each in [*settings, name]:
            decision = activation.current().decision(each)
            if not decision.may_enable:
                raise Refused(decision.words)
        for each, new in settings.items():
            _save(each, actor, new)
        return enable(name, actor)


def _save(name: str, actor: Actor, new: NewSettings) -> None:
    try:
        configuration.configure(
            name,
            actor,
            new.config,
            secrets=new.secrets,
            removed=new.removed,
            expected_revision=new.expected_revision,
        )
    except (configuration.Invalid, configuration.Conflict, settings_store.Unreadable) as error:
        raise NotSaved(name, error) from error


def disable(name: str, actor: Actor, *, cascade: bool = False) -> list[str]:
    """Disable `name` for the current tenant; settings and data stay.

    Args:
        cascade: also disable the plugins that depend on it.

    Returns:
        The names disabled, dependants first; empty if it was not enabled.

    Raises:
        NotAllowed: the platform requires it, or something that needs it; or enabled plugins depend on it and `cascade` is off.
            Which ones, the text says; nothing was changed.
    """
    with transaction.atomic():
        lock_plugins()
        enabled = set(PluginState.objects.filter(enabled=True).values_list("plugin", flat=True))
        if name not in enabled:
            if name not in registry.specs and not PluginState.objects.filter(plugin=name).exists():
                raise NotAllowed(
                    gettext("There is no plugin %(name)s. It may have been removed from the platform; reload the page.")
                    % {"name": name}
                )
            return []
        if why := activation.current().kept_on(name):
            raise Refused(why)
        needing = [each for each in dependants(name) if each in enabled]
        if needing and not cascade:
            raise NotAllowed(
                gettext("%(name)s is needed by %(others)s. Disable that first, or both together.")
                % {"name": title_of(name), "others": ", ".join(map(title_of, needing))}
            )
        going = [*reversed(needing), name]
        for each in going:
            _disable_one(each, actor)
            breaker.resume(each, actor)  # what rests now is cancelled
        schedule.sync()
        return going


def pause(name: str, actor: Actor, *, reason: str, seconds: float) -> None:
    """Keep an enabled plugin of the current tenant from running for a while; its settings stay as they are.

    Args:
        reason: a sentence for the tenant's admin.
        seconds: how long; then it runs again by itself.
    """
    with transaction.atomic():
        lock_plugins()
        until = timezone.now() + timedelta(seconds=seconds)
        changed = PluginState.objects.filter(plugin=name, enabled=True).update(
            paused_until=until, paused_reason=reason[:500]
        )
        if changed:
            bump_tenant()
            record(actor, "plugin.paused", name, reason=reason, until=until.isoformat(timespec="seconds"))


def resume(name: str, actor: Actor) -> None:
    """Let a paused plugin of the current tenant run again at once, and what was held back for it go out; nothing if it is not paused."""
    with transaction.atomic():
        lock_plugins()
        paused = PluginState.objects.filter(plugin=name, paused_until__isnull=False)
        if paused.update(paused_until=None, paused_reason=""):
            bump_tenant()
            record(actor, "plugin.resumed", name)
            release_held(name)


def _enable_one(spec: PluginSpec, actor: Actor) -> None:
    tables = _tables_made(spec)
    before = PluginState.objects.filter(plugin=spec.name).values_list("version", flat=True).first()
    now = {
        "enabled": True,
        "version": newest(spec.version, before) if before else spec.version,
        "tables": tables,
        "app_label": spec.app_label or "",
        "enabled_at": timezone.now(),
        "enabled_by": str(actor),
        **permissions.recorded(spec, actor),
    }
    new = {**now, "plugin": spec.name, "config_version": spec.config_version}
    PluginState.objects.update_or_create(plugin=spec.name, defaults=now, create_defaults=new)
    bump_tenant()
    try:
        with plugins_code():
            unstarted(spec).on_enable()
    except NotAllowed:
        raise
    except Exception as error:  # a plugin's on_enable may raise anything; nothing of this enabling is kept
        log.exception("on_enable() of %s failed", spec.name)
        raise Refused(_UNPREPARED(title=title_of(spec.name), kind=type(error).__name__)) from error
    record(actor, "plugin.enabled", spec.name, version=spec.version)
    hooks.emit("plugin_enabled", spec.name)


def _tables_made(spec: PluginSpec) -> list[str]:
    """The tables of a plugin that is being enabled, made.

    Raises:
        NotAllowed: its migrations failed, or have to wait; nothing of this enabling is kept.
    """
    try:
        return make_tables(spec)
    except MigrationFailed as error:
        log.exception("%s of %s failed while it was enabled", error.what, spec.name)
        raise Refused(_NO_TABLES(title=title_of(spec.name), migration=error.what, kind=error.kind)) from error
    except Unsuitable as error:
        log.warning("%s cannot be enabled before the deploy has ended: %s", spec.name, error)
        said = gettext(
            "%(title)s cannot be enabled while the platform is being updated. Nothing was changed. Try again when the update is over."
        )
        raise NotAllowed(said % {"title": title_of(spec.name)}) from error


def _disable_one(name: str, actor: Actor) -> None:
    spec = registry.specs.get(name)
    if spec is not None:
        _wind_down(spec)
    hooks.emit("plugin_disabled", name)
    PluginState.objects.filter(plugin=name).update(enabled=False)
    bump_tenant()
    record(actor, "plugin.disabled", name)


def _wind_down(spec: PluginSpec) -> None:
    """Let the plugin tidy up; if it fails at that, its work is undone and it is disabled all the same."""
    try:
        with plugins_code(), transaction.atomic():
            unstarted(spec).on_disable()
    except Exception:  # a plugin's on_disable may raise anything; it must not stop whoever wants to be rid of it
        log.exception("on_disable() of %s failed", spec.name)


def make_tables(spec: PluginSpec) -> list[str]:
    """Make the tables of a plugin's models in the current schema, as its migrations do; their names."""
    if spec.app_label is None:
        return []
    migrate_schema([spec.app_label])
    return tables_of(spec)


def tables_of(spec: PluginSpec) -> list[str]:
    """The tables of a plugin's models."""
    if spec.app_label is None:
        return []
    models = apps.get_app_config(spec.app_label).get_models(include_auto_created=True)
    return sorted(model._meta.db_table for model in models)


def plugin_labels() -> set[str]:
    """Labels of the apps of all loaded plugins."""
    return {spec.app_label for spec in registry.specs.values() if spec.app_label}


def labels_here() -> set[str]:
    """Those of the plugins whose tables the current tenant has, or is to have because they are enabled and have got some only now."""
    enabled = PluginState.objects.filter(enabled=True, plugin__in=registry.specs).values_list("plugin", flat=True)
    wanted = {registry.specs[plugin].app_label for plugin in enabled}
    return (plugin_labels() & installed_labels()) | {label for label in wanted if label}


def record_tables() -> None:
    """Write down which tables the current tenant's plugins have, after a newer version may have made more."""
    here = installed_labels()
    for row in PluginState.objects.filter(plugin__in=registry.specs):
        spec = registry.specs[row.plugin]
        found = sorted({*row.tables, *tables_of(spec)})
        if spec.app_label in here and found != row.tables:
            PluginState.objects.filter(pk=row.pk).update(tables=found, app_label=spec.app_label or "")


def record_versions() -> None:
    """Write down that the current tenant has the installed versions of its plugins; the settings are `upgrades`' business.

    Never back to an older one: other processes may have it still, and a newer one was here.
    """
    for row in PluginState.objects.filter(plugin__in=registry.specs):
        if is_newer(registry.specs[row.plugin].version, row.version):
            PluginState.objects.filter(pk=row.pk).update(version=registry.specs[row.plugin].version)


def newest(version: str, other: str) -> str:
    """The newer one of two versions of a plugin."""
    return version if is_newer(version, other) else other
