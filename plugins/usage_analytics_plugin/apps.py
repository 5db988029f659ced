"""The usage analytics plugin's Django app; its table is made in the schemas of those organisations that enable it."""

from django.apps import AppConfig


class UsageAnalyticsConfig(AppConfig):
    """Model, templates and page of the usage analytics plugin."""

    name = "plugins.usage_analytics_plugin"
    label = "usage_analytics_plugin"
    verbose_name = "Usage analytics"
    default_auto_field = "django.db.models.BigAutoField"
