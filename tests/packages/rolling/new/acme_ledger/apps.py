"""The Django app."""

from django.apps import AppConfig


class LedgerConfig(AppConfig):
    """Models and migrations."""

    name = "acme_ledger"
    default_auto_field = "django.db.models.BigAutoField"
