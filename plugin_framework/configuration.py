"""Saves a tenant's settings of a plugin, and tries them: whole or not at all, secrets only for where they were meant."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from django.db import transaction

from plugin_framework import hooks, layers, masking, pseudonyms, settings_history, settings_store, shapes
from plugin_framework.audit import Actor, record
from plugin_framework.catalog.revisions import bump_tenant
from plugin_framework.changing import lock_plugins, release_held, spec_of, unstarted
from plugin_framework.config import FieldError
from plugin_framework.delivery import breaker
from plugin_framework.layers import PlatformSettings
from plugin_framework.models import PluginState, SettingsHistory
from plugin_framework.registry import PluginSpec
from plugin_framework.sdk import CheckResult, NetworkError
from plugin_framework.sdk._calling import plugins_code
from plugin_framework.sdk._words import Phrase, reread
from plugin_framework.settings_store import Path

_TEST_FAILED = Phrase("The test itself failed (%(kind)s). Ask who runs this platform: its log has the details.")
_SAVED_BY_NEWER = Phrase(
    "A newer version of the plugin has saved these settings, and this process has an older one. Try again in a few minutes."
)
_NEWER = Phrase("A newer version of the plugin has saved these; they do not fit the one that runs here.")
_SET_BY_PLATFORM = Phrase("The platform has set this; it cannot be changed here.")


class Invalid(ValueError):
    """The settings do not fit; `errors` says where and why. Nothing was saved."""

    def __init__(self, errors: tuple[FieldError, ...]) -> None:
        super().__init__("; ".join(map(str, errors)))
        self.errors = errors


class Conflict(RuntimeError):
    """Somebody else has saved these settings meanwhile. Look at theirs, then save again."""


class SavedByNewer(Conflict):
    """A newer version of the plugin has saved these settings, and this process has an older one. Try again in a few minutes."""


def configure(
    name: str,
    actor: Actor,
    config: Mapping[str, Any],
    *,
    secrets: Mapping[Path, str] | None = None,
    removed: Collection[Path] = (),
    expected_revision: int | None = None,
) -> int:
    """Validate and store the current tenant's settings of `name`, as a whole.

    Args:
        config: everything but the secrets; keys the schema does not know are kept as they were, if it allows any.
        secrets: newly typed secrets by path; a secret in neither `secrets` nor `removed` is kept.
        removed: what is to go: secrets, and keys that the schema does not know.
        expected_revision: what the form was made from; None overwrites whatever is there.

    Returns:
        The new settings revision.

    Raises:
        Invalid: with the errors by field. Conflict: saved by somebody else meanwhile. SavedByNewer: by a newer version of the plugin.
        NotAllowed: there is no such plugin.
    """
    spec = spec_of(name)
    with transaction.atomic():
        lock_plugins()
        row = PluginState.objects.filter(plugin=name).first()
        if expected_revision is not None and expected_revision != (row.settings_revision if row else 0):
            raise Conflict(Conflict.__doc__)
        if row and row.config_version > spec.config_version:
            raise SavedByNewer(_SAVED_BY_NEWER())
        before = shapes.stored_now(spec)
        own = _sealed(spec, proposed(spec, config, secrets or {}, removed))
        settings_store.write(name, own)
        revision = bump_tenant()
        now = {"settings_revision": revision, "config_version": spec.config_version}
        PluginState.objects.update_or_create(
            plugin=name, defaults=now, create_defaults={**now, "plugin": name, "version": spec.version}
        )
        settings_history.add(spec, revision, actor, own)
        changed = sorted(key for key in {*before, *own} if before.get(key) != own.get(key))
        record(actor, "plugin.configured", name, changed=changed)
        hooks.emit("plugin_configured", name)
        release_held(name)
        breaker.try_now(name)
        return revision


def proposed(
    spec: PluginSpec, config: Mapping[str, Any], secrets: Mapping[Path, str], removed: Collection[Path]
) -> dict[str, Any]:
    """The settings that saving would give, secrets in the clear; for saving and for "Test connection".

    A saved secret goes only where it was meant for: once a field it is bound to has changed, it must be typed again.

    Raises:
        Invalid: with the errors by field.
    """
    masking.know(secrets.values(), typed=True)
    platform, before = layers.platform_of(spec), shapes.stored_now(spec)
    own = {key: value for key, value in before.items() if spec.schema.keeps(key) and (key,) not in removed} | dict(
        config
    )
    for path in spec.schema.secret_paths:
        old = settings_store.get(before, path)
        new = secrets.get(path, None if path in removed else old)
        settings_store.drop(own, path) if new is None else settings_store.put(own, path, new)
    own, locked = _unlocked(spec, platform, before, own)
    opened = settings_store.open_secrets(spec.schema, spec.name, own)
    merged = layers.layered(spec, opened, platform)
    if errors := (*locked, *layers.misplaced(spec.schema, merged)):
        raise Invalid(errors)
    checked = spec.schema.validate(merged)
    if checked.errors:
        raise Invalid(checked.errors)
    if found := layers.problems(spec, spec.new, checked):
        raise Invalid(tuple(found))
    return opened


def unfinished(spec: PluginSpec) -> str:
    """Why `spec` would need setup with its settings as the current tenant has them; empty if it would run."""
    try:
        checked = layers.effective(spec, shapes.stored_now(spec), layers.platform_of(spec))
    except (settings_store.Unreadable, shapes.Unfit) as error:
        return str(error)
    return next((str(spec.schema.sentence(each)) for each in layers.problems(spec, spec.new, checked)), "")


def check(spec: PluginSpec, own: Mapping[str, Any]) -> CheckResult:
    """Try the settings `own` (secrets in the clear) against the outside world; never raises for what it meets there."""
    config = spec.schema.validate(layers.layered(spec, own, layers.platform_of(spec))).config
    try:
        with plugins_code():
            result = unstarted(spec).check(config)
    except NetworkError as error:
        result = CheckResult(False, str(error))
    except Exception as error:  # a plugin's check may raise anything; the admin gets a sentence, the log the rest
        spec.log.exception("check() of %s failed", spec.name)
        result = CheckResult(False, str(_TEST_FAILED(kind=type(error).__name__)))
    said = masking.masked(result.message)  # a server may quote what it was sent
    return replace(result, message=str(reread(said)))


def restore(name: str, actor: Actor, revision: int, *, expected_revision: int | None = None) -> int:
    """Save the current tenant's settings of `name` as they were at `revision`; secrets stay as they are now.

    Args:
        revision: of a state that `settings_history` keeps.
        expected_revision: what the page was made from; None overwrites whatever is there.

    Returns:
        The new settings revision.

    Raises:
        NotAllowed: there is no such plugin or state. Invalid: they do not fit any more, or would send a secret elsewhere
        than it was meant for. Conflict: saved by somebody else meanwhile.
    """
    config = as_of(spec_of(name), settings_history.state_at(name, revision))
    return configure(name, actor, config, expected_revision=expected_revision)


def as_of(spec: PluginSpec, state: SettingsHistory) -> dict[str, Any]:
    """What `state` held, as the installed version wants it; without what the platform has locked, and whom somebody has erased, since."""
    if state.config_version > spec.config_version:
        raise Invalid((FieldError((), _NEWER()),))
    platform = layers.platform_of(spec)
    try:
        config = shapes.in_shape(spec, pseudonyms.without(state.values), state.config_version, platform)
    except shapes.Unfit as error:
        raise Invalid((FieldError((), error.words),)) from error
    for path in platform.locked:
        settings_store.drop(config, path)
    return config


def _sealed(spec: PluginSpec, own: Mapping[str, Any]) -> dict[str, Any]:
    merged = layers.layered(spec, own, layers.platform_of(spec))
    return settings_store.seal_secrets(
        spec.schema, spec.name, own, lambda path: layers.destination(spec.schema, merged, path)
    )


def _unlocked(
    spec: PluginSpec, platform: PlatformSettings, before: Mapping[str, Any], own: dict[str, Any]
) -> tuple[dict[str, Any], list[FieldError]]:
    """`own` with the tenant's earlier values wherever the platform has locked them, and an error for each attempt at another."""
    errors = []
    for path in sorted(platform.locked):
        mine, given = settings_store.get(before, path), settings_store.get(own, path)
        if given not in (None, mine, settings_store.get(platform.values, path)):
            errors.append(FieldError(path, _SET_BY_PLATFORM()))
        settings_store.drop(own, path) if mine is None else settings_store.put(own, path, mine)
    return own, errors
