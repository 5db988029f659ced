"""What the pages and the banners ask for."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from plugins.announcements_plugin.models import Announcement, Dismissal


def current() -> QuerySet[Announcement]:
    """What is announced today, newest first."""
    today = timezone.localdate()
    begun = Q(first_day__isnull=True) | Q(first_day__lte=today)
    not_over = Q(last_day__isnull=True) | Q(last_day__gte=today)
    return Announcement.objects.filter(begun, not_over, active=True)


def unread(person: Any) -> QuerySet[Announcement]:
    """What is announced today and `person` has not put away."""
    away = Dismissal.objects.filter(announcement=OuterRef("pk"), person=person.pk)
    return current().filter(~Exists(away))


def everything() -> QuerySet[Announcement]:
    """All that was ever announced, each with how many have put it away as `away`."""
    return Announcement.objects.annotate(away=Count("dismissals")).order_by("-pk")
