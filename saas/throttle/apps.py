"""The Django app of the counters and of the cache's table."""

from django.apps import AppConfig


class ThrottleConfig(AppConfig):
    """Tables in the public schema."""

    name = "saas.throttle"
    label = "throttle"
    default_auto_field = "django.db.models.BigAutoField"
