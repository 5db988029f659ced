"""Announcements, and who has dismissed which. Only `services` changes them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from plugin_framework.sdk import PluginModel


class Level(models.TextChoices):
    """How an announcement looks, the most pressing last."""

    INFO = "info", _("Information")
    SUCCESS = "success", _("Good news")
    WARNING = "warning", _("Warning")
    ERROR = "error", _("Something is broken")


class Announcement(PluginModel):
    """A few words for everybody of the organisation, shown from one moment until another."""

    plugin_name = models.CharField(max_length=100, default="announcements", editable=False)
    title = models.CharField(max_length=120)
    text = models.TextField(max_length=1000, blank=True, default="")
    level = models.CharField(max_length=10, choices=Level, default=Level.INFO)
    link_url = models.CharField(max_length=500, blank=True, default="")
    link_label = models.CharField(max_length=60, blank=True, default="")
    starts_at = models.DateTimeField(null=True, blank=True)  # empty: from the beginning
    ends_at = models.DateTimeField(null=True, blank=True)  # the first moment at which it is over; empty: never
    is_active = models.BooleanField(default=True)
    revision = models.PositiveIntegerField(default=1)  # counts changes: nobody overwrites what they have not seen
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(starts_at=None)
                | models.Q(ends_at=None)
                | models.Q(ends_at__gt=models.F("starts_at")),
                name="announcements_end_after_their_start",
            ),
            models.CheckConstraint(condition=models.Q(level__in=Level.values), name="announcements_levels_are_known"),
        ]

    def __str__(self) -> str:
        return f"“{self.title}”"


class Dismissal(models.Model):
    """Somebody does not want to see an announcement again. Goes with either of them."""

    announcement = models.ForeignKey(Announcement, models.CASCADE, related_name="dismissals")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    dismissed_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["announcement", "user"], name="announcements_dismissed_once"),
        ]

    def __str__(self) -> str:
        return f"{self.announcement_id} dismissed by {self.user_id}"
