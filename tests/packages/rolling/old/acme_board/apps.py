"""The Django app."""

from django.apps import AppConfig


class BoardConfig(AppConfig):
    """Models and migrations."""

    name = "acme_board"
    default_auto_field = "django.db.models.BigAutoField"
