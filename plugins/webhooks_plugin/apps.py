"""The webhooks plugin's Django app; its tables are made in the schemas of those organisations that enable it."""

from django.apps import AppConfig


class WebhooksConfig(AppConfig):
    """Models, templates and pages of the webhooks plugin."""

    name = "plugins.webhooks_plugin"
    label = "webhooks_plugin"
    verbose_name = "Webhooks"
    default_auto_field = "django.db.models.BigAutoField"
