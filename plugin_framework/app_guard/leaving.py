"""Makes nothing of a plugin's app reachable any more."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from django.apps import AppConfig, apps
from django.conf import settings

from plugin_framework.app_guard import faults

_EMPTY = ModuleType("plugin_framework.app_guard.left_out")  # no templates, tags, commands or migrations are found in it


class LeftOut(AppConfig):
    """Stands in for the app of a plugin that cannot be used."""

    path = str(Path(__file__).with_name("left_out"))  # a folder that does not exist


def leave_out(config: AppConfig, why: str, *, with_models: bool) -> None:
    """Put a stand-in in the app's place; taking the place away is not possible, as Django is walking along the apps meanwhile.

    Args:
        with_models: whether its models are lost too. Whole ones stay: where a tenant has their rows, they must be found when
            rows that they point at are deleted.
    """
    faults[config.name] = why
    stand_in = LeftOut(f"{_EMPTY.__name__}.{config.label}", _EMPTY)
    stand_in.apps = apps
    if with_models:
        apps.all_models.pop(config.label, None)
    stand_in.models = apps.all_models[config.label]
    apps.app_configs[config.label] = stand_in
    settings.PLUGIN_APPS[settings.PLUGIN_APPS.index(config.name)] = stand_in.name
    settings.MIGRATION_MODULES = {**settings.MIGRATION_MODULES, config.label: None}
    apps.clear_cache()
