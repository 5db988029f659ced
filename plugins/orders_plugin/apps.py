"""The orders plugin's Django app; its tables are made in the schemas of those organisations that enable it."""

from django.apps import AppConfig


class OrdersConfig(AppConfig):
    """Models, templates and pages of the orders plugin."""

    name = "plugins.orders_plugin"
    label = "orders_plugin"
    verbose_name = "Orders"
    default_auto_field = "django.db.models.BigAutoField"
