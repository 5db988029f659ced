"""The delivery queue's Django app."""

from django.apps import AppConfig


class DeliveryConfig(AppConfig):
    """Public-schema app: wake-ups, lanes and workers. The deliveries themselves live in the tenants' schemas."""

    name = "plugin_framework.delivery"
    label = "delivery"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let every process know the sentences that workers store: pages say them again in the reader's language."""
        from plugin_framework.delivery import lane_run, limits, pool, quota  # noqa: F401  # importing registers them
