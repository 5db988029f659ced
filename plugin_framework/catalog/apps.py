"""The catalog's Django app."""

from django.apps import AppConfig


class CatalogConfig(AppConfig):
    """Public-schema app: the superadmin's decisions about plugins, and the revisions that announce changes."""

    name = "plugin_framework.catalog"
    label = "catalog"
    default_auto_field = "django.db.models.BigAutoField"
