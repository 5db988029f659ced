"""The announcements plugin's Django app; its tables are made in the schemas of those organisations that enable it."""

from django.apps import AppConfig


class AnnouncementsConfig(AppConfig):
    """Models, templates and pages of the announcements plugin."""

    name = "plugins.announcements_plugin"
    label = "announcements_plugin"
    verbose_name = "Announcements"
    default_auto_field = "django.db.models.BigAutoField"
