"""The invoices plugin's Django app; its tables are made in the schemas of those organisations that enable it."""

from django.apps import AppConfig


class InvoicesConfig(AppConfig):
    """Models, templates, static files and pages of the invoices plugin."""

    name = "plugins.invoices_plugin"
    label = "invoices_plugin"
    verbose_name = "Invoices"
    default_auto_field = "django.db.models.BigAutoField"
