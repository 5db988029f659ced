"""The top app: commands, static files and the pages that join tenants with plugins; it has no tables."""

from django.apps import AppConfig


class SaasConfig(AppConfig):
    """No models; first in INSTALLED_APPS so that its commands win."""

    name = "saas"
