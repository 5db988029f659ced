"""The app that stands in front of the plugins' apps in INSTALLED_APPS and tries each before Django does."""

from __future__ import annotations

from types import ModuleType

from django.apps import AppConfig, apps
from django.conf import settings

from plugin_framework import rejections
from plugin_framework.app_guard import faults, said
from plugin_framework.app_guard.leaving import leave_out
from plugin_framework.app_guard.parts import problem_with
from plugin_framework.sdk._calling import plugins_code


class AppGuardConfig(AppConfig):
    """No tables and no pages. Django stops at the first app that fails; this one sees to it that no plugin's gets so far."""

    name = "plugin_framework.app_guard"
    label = "app_guard"

    def __init__(self, app_name: str, app_module: ModuleType) -> None:
        """Drop the apps that cannot even be made, from the list along which Django is walking."""
        super().__init__(app_name, app_module)
        labels = {label: config.name for label, config in apps.app_configs.items()} | {self.label: self.name}
        for entry in list(settings.PLUGIN_APPS):
            if why := _problem(entry, labels):
                faults[entry] = why
                settings.INSTALLED_APPS.remove(entry)
                settings.PLUGIN_APPS.remove(entry)

    def import_models(self) -> None:
        """Import the plugins' models, each for itself."""
        super().import_models()
        for config in plugin_configs():
            try:
                with plugins_code():
                    config.import_models()
            except Exception as error:  # noqa: BLE001  # a plugin's module may raise anything
                why = rejections.NOT_IMPORTED(module=f"{config.name}.models", error=said(error))
                leave_out(config, why.english, with_models=True)


def plugin_configs() -> list[AppConfig]:
    """The apps of plugins."""
    return [config for config in apps.get_app_configs() if config.name in settings.PLUGIN_APPS]


def try_parts() -> None:
    """Once all models are there, and before any plugin is loaded: leave out the apps with a fault in what Django imports later."""
    for config in plugin_configs():
        if why := problem_with(config):
            leave_out(config, why, with_models=False)


def _problem(entry: str, labels: dict[str, str]) -> str:
    try:
        with plugins_code():
            config = AppConfig.create(entry)
    except Exception as error:  # noqa: BLE001  # a plugin's package may raise anything
        return rejections.NOT_IMPORTED(module=entry, error=said(error)).english
    holder = labels.setdefault(config.label, config.name)
    if holder != config.name:
        return rejections.SAME_LABEL(label=repr(config.label), holder=holder).english
    return ""
