"""The delivery queue's Django app."""

from django.apps import AppConfig


class DeliveryConfig(AppConfig):
    """Public-schema app: wake-ups, lanes and workers. The deliveries themselves live in the tenants' schemas."""

    name = "plugin_framework.delivery"
    label = "delivery"
    default_auto_field = "django.db.models.BigAutoField"
