"""The guest book's Django app."""

from django.apps import AppConfig


class GuestbookConfig(AppConfig):
    """Models, templates, pages and static files of the guest book."""

    name = "acme_guestbook"
    default_auto_field = "django.db.models.BigAutoField"
