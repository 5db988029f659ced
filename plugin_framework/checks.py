"""What `manage.py check` says about plugins and app lists."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.db.models import FileField

from plugin_framework.db.rollout import judged
from plugin_framework.registry import registry


@register()
def app_lists_are_disjoint(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """An app in two lists would have tables in two places, and a query could fall through from a tenant's to the public one."""
    lists = {
        "SHARED_APPS": settings.SHARED_APPS,
        "TENANT_APPS": settings.TENANT_APPS,
        "PLUGIN_APPS": settings.PLUGIN_APPS,
    }
    names = list(lists)
    return [
        Error(
            f"{', '.join(sorted(both))} stands in {first} and in {second}.",
            hint="Keep each app in exactly one of the lists.",
            id="tenantry.E001",
        )
        for index, first in enumerate(names)
        for second in names[index + 1 :]
        if (both := set(lists[first]) & set(lists[second]))
    ]


@register()
def rejected_plugins(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """A quarantined plugin does not stop the server, but it should stop a deploy."""
    return [
        Warning(f"The plugin {name} is quarantined: {why}", hint="Mend or remove it.", id="tenantry.W001")
        for name, why in registry.quarantine.items()
    ]


@register()
def idle_handlers(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """A handler of a hook point that nobody declares never runs: its plugin may be absent, or the name misspelt."""
    return [
        Warning(
            f"{spec.name}.{handler.method} handles {handler.hook!r}, which nobody declares.",
            hint=f"Nearest names: {', '.join(difflib.get_close_matches(handler.hook, registry.points, cutoff=0.4)) or 'none'}.",
            id="tenantry.W002",
        )
        for spec, handler in registry.idle_handlers()
    ]


@register()
def files_lie_in_their_plugins_folder(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """The first folder of a file's name says whose it is: while that plugin rests nobody gets it, and purging deletes it."""
    labels = {name: spec.app_label for name, spec in registry.specs.items() if spec.app_label}
    return [error for name, label in labels.items() for error in misplaced_files(name, apps.get_app_config(label))]


def misplaced_files(plugin: str, config: AppConfig) -> list[CheckMessage]:
    """The fields of a plugin's app whose files would not be in the plugin's folder."""
    fields = [field for model in config.get_models() for field in model._meta.get_fields()]
    return [
        Error(
            f"{field} keeps its files in {field.upload_to!r}, which is not in the folder of the plugin {plugin}.",
            hint=f'Set upload_to="{plugin}/", or a folder inside of it.',
            obj=field,
            id="tenantry.E003",
        )
        for field in fields
        if isinstance(field, FileField) and isinstance(field.upload_to, str)
        if not f"{field.upload_to}/".startswith(f"{plugin}/")
    ]


@register()
def migrations_for_a_rolling_deploy(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """A migration of ours or of a plugin that stops a deploy from going through while the platform serves, and does not say so."""
    own = {
        config.label
        for config in apps.get_app_configs()
        if config.name.startswith(_OURS) or config.name in settings.PLUGIN_APPS
    }
    return [
        Warning(
            f"{'.'.join(each.key)} cannot be applied while older code serves. {problem}",
            hint='docs/operations/deploying.md says how; `rollout = "alone"` in the migration says that it cannot be helped.',
            id="tenantry.W003",
        )
        for each in judged().values()
        if each.key[0] in own
        for problem in each.problems
    ]


_OURS = ("plugin_framework", "saas", "tenants")
