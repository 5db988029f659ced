"""The engine's Django app: loads the plugins when Django starts."""

from django.apps import AppConfig
from django.conf import settings


class PluginFrameworkConfig(AppConfig):
    """Tenant-schema app: what the engine keeps in each tenant's schema."""

    name = "plugin_framework"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Bind the SDK, load the plugins, register the checks. Nothing here touches the database."""
        from plugin_framework import checks, loader, masking, outbound  # noqa: F401  # models can be imported from here on only
        from plugin_framework.app_guard.apps import try_parts
        from plugin_framework.citus import check  # noqa: F401  # the same
        from plugin_framework.db.deletion import guard_collector
        from plugin_framework.db.shared_tables import qualify_models
        from plugin_framework.quotas import bind_files
        from plugin_framework.quotas.files import bytes_of_files
        from plugin_framework.registry import registry
        from plugin_framework.runtime import EngineRuntime
        from plugin_framework.sdk import _runtime
        from plugin_framework.signing import bind_signers

        _runtime.bind(EngineRuntime())
        qualify_models()
        bind_signers()
        guard_collector()
        bind_files(bytes_of_files)
        outbound.install()
        try_parts()
        masking.install()
        loader.load(registry, settings.PLUGINS)
        loader.guard_ready(registry)
