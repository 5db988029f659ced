"""Saves a tenant's settings of a plugin, and tries them: whole or not at all, secrets only for where they were meant."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from django.db import transaction

from plugin_framework import hooks, settings_store
from plugin_framework.audit import Actor, record
from plugin_framework.catalog.revisions import bump_tenant
from plugin_framework.changing import lock_plugins, release_held, spec_of, unstarted
from plugin_framework.config import FieldError
from plugin_framework.models import PluginState
from plugin_framework.registry import PluginSpec
from plugin_framework.sdk import CheckResult, NetworkError
from plugin_framework.settings_store import Path


class Invalid(ValueError):
    """The settings do not fit; `errors` says where and why. Nothing was saved."""

    def __init__(self, errors: tuple[FieldError, ...]) -> None:
        super().__init__("; ".join(f"{'.'.join(map(str, e.path))}: {e.message}".lstrip(": ") for e in errors))
        self.errors = errors


class Conflict(RuntimeError):
    """Somebody else has saved these settings meanwhile. Look at theirs, then save again."""


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
        Invalid: with the errors by field. Conflict: saved by somebody else meanwhile. NotAllowed: there is no such plugin.
    """
    spec = spec_of(name)
    with transaction.atomic():
        lock_plugins()
        row = PluginState.objects.filter(plugin=name).first()
        if expected_revision is not None and expected_revision != (row.settings_revision if row else 0):
            raise Conflict(Conflict.__doc__)
        own = proposed(spec, config, secrets or {}, removed)
        before = settings_store.stored(name)
        sealed = settings_store.seal_secrets(spec.schema, name, own)
        settings_store.write(name, sealed)
        revision = bump_tenant()
        PluginState.objects.update_or_create(
            plugin=name, defaults={"settings_revision": revision}, create_defaults=_new_row(spec, revision)
        )
        changed = sorted(key for key in {*before, *sealed} if before.get(key) != sealed.get(key))
        record(actor, "plugin.configured", name, changed=changed)
        hooks.emit("plugin_configured", name)
        release_held(name)
        return revision


def proposed(
    spec: PluginSpec, config: Mapping[str, Any], secrets: Mapping[Path, str], removed: Collection[Path]
) -> dict[str, Any]:
    """The settings that saving would give, secrets in the clear; for saving and for "Test connection".

    A saved secret goes only where it was meant for: once a field it is bound to has changed, it must be typed again.

    Raises:
        Invalid: with the errors by field.
    """
    before = settings_store.stored(spec.name)
    own = {key: value for key, value in before.items() if spec.schema.keeps(key) and (key,) not in removed} | dict(
        config
    )
    errors = []
    for path in spec.schema.secret_paths:
        old = settings_store.get(before, path)
        if path in secrets:
            settings_store.put(own, path, secrets[path])
        elif old is None or path in removed:
            settings_store.drop(own, path)
        elif _moved(spec, before, own, path):
            errors.append(FieldError(path, "Enter it again: where it is sent to has changed."))
        else:
            settings_store.put(own, path, old)
    if errors:
        raise Invalid(tuple(errors))
    opened = settings_store.open_secrets(spec.schema, spec.name, own)
    checked = spec.schema.validate(settings_store.over_defaults(spec, opened))
    if checked.errors:
        raise Invalid(checked.errors)
    if messages := settings_store.problems(spec, spec.new(), checked):
        raise Invalid(tuple(FieldError((), message) for message in messages))
    return opened


def check(spec: PluginSpec, own: Mapping[str, Any]) -> CheckResult:
    """Try the settings `own` (secrets in the clear) against the outside world; never raises for what it meets there."""
    plugin = unstarted(spec)
    config = spec.schema.validate(settings_store.over_defaults(spec, own)).config
    try:
        return plugin.check(config)
    except NetworkError as error:
        return CheckResult(False, str(error))
    except Exception as error:  # a plugin's check may raise anything; the admin gets a sentence, the log the rest
        plugin.log.exception("check() of %s failed", spec.name)
        return CheckResult(
            False, f"The test itself failed ({type(error).__name__}). The platform's log has the details."
        )


def _moved(spec: PluginSpec, before: Mapping[str, Any], after: Mapping[str, Any], path: Path) -> bool:
    old, new = settings_store.over_defaults(spec, before), settings_store.over_defaults(spec, after)
    bound = spec.schema.bound_fields(path)
    return any(settings_store.get(old, field) != settings_store.get(new, field) for field in bound)


def _new_row(spec: PluginSpec, revision: int) -> dict[str, Any]:
    return {"plugin": spec.name, "version": spec.version, "settings_revision": revision}
