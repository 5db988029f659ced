"""What a plugin's settings were: the last saved states, without secrets, for comparing and for going back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext

from plugin_framework import pseudonyms, settings_store
from plugin_framework.audit import Actor
from plugin_framework.models import SettingsHistory
from plugin_framework.registry import PluginSpec, title_of
from plugin_framework.sdk import NotAllowed

KEPT = 50  # saved states per plugin


def add(spec: PluginSpec, revision: int, actor: Actor, own: Mapping[str, Any]) -> None:
    """Keep the tenant's settings as they were saved at `revision`; the oldest beyond `KEPT` go.

    Args:
        own: secrets sealed, or not: only that there are some is kept. So are keys that the schema does not know, which
            may be secrets of an older version.
    """
    known = {key: value for key, value in own.items() if spec.schema.free_form or key in spec.schema.properties}
    values, secrets = spec.schema.split(known)
    for path in spec.schema.secret_paths:
        if settings_store.get(own, path) is not None:
            secrets.setdefault(path, "")
    SettingsHistory.objects.create(
        plugin=spec.name,
        revision=revision,
        actor=str(actor)[:200],
        config_version=spec.config_version,
        values=values,
        secrets=sorted(".".join(path) for path in secrets),
    )
    states = SettingsHistory.objects.filter(plugin=spec.name)
    states.exclude(pk__in=list(states.order_by("-pk").values_list("pk", flat=True)[:KEPT])).delete()


def states(plugin: str) -> list[SettingsHistory]:
    """The saved states of `plugin`, newest first."""
    return list(SettingsHistory.objects.filter(plugin=plugin).order_by("-pk"))


def state_at(plugin: str, revision: int) -> SettingsHistory:
    """The state saved at `revision`.

    Raises:
        NotAllowed: there is none, or it was too long ago.
    """
    found = SettingsHistory.objects.filter(plugin=plugin, revision=revision).first()
    if found is None:
        said = gettext("There are no settings of %(title)s saved as revision %(revision)s. The last %(kept)s are kept.")
        raise NotAllowed(said % {"title": title_of(plugin), "revision": revision, "kept": KEPT})
    return found


def names_erased(state: SettingsHistory) -> bool:
    """Whether it held somebody whose data was erased since; going back to it leaves them out."""
    return bool(pseudonyms.without(state.values) != state.values)
