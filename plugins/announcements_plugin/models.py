"""Announcements, and who has put them away. Only `services` writes them."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from plugin_framework.sdk import PluginModel


class Level(models.TextChoices):
    """How loud an announcement is."""

    INFO = "info", "News"
    SUCCESS = "success", "Good news"
    WARNING = "warning", "Warning"


class Announcement(PluginModel):
    """What admins tell everybody."""

    plugin_name = models.CharField(max_length=100, default="announcements", editable=False)
    title = models.CharField(max_length=120)
    text = models.TextField(max_length=1000, blank=True, default="")
    level = models.CharField(max_length=10, choices=Level, default=Level.INFO)
    link = models.URLField(max_length=500, blank=True, default="")
    first_day = models.DateField(null=True, blank=True)
    last_day = models.DateField(null=True, blank=True)
    active = models.BooleanField(default=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(first_day__isnull=True)
                | models.Q(last_day__isnull=True)
                | models.Q(first_day__lte=models.F("last_day")),
                name="announcements_end_after_they_begin",
            )
        ]

    def __str__(self) -> str:
        return self.title


class Dismissal(models.Model):
    """One person has put one announcement away."""

    announcement = models.ForeignKey(Announcement, models.CASCADE, related_name="dismissals")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["announcement", "person"], name="announcements_put_away_once"),
        ]

    def __str__(self) -> str:
        return f"{self.announcement_id} by {self.person_id}"
