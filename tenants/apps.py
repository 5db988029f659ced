"""The tenants' Django app (public schema)."""

from django.apps import AppConfig


class TenantsConfig(AppConfig):
    """Public-schema app: tenants and their hosts."""

    name = "tenants"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Show the engine where tenants are found."""
        from plugin_framework import tenancy_directory
        from tenants import directory

        tenancy_directory.bind(directory.find, directory.everyone)
