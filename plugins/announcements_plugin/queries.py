"""What the pages and the banners ask of the announcements."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Case, CharField, Count, Exists, OuterRef, Q, QuerySet, Value, When
from django.utils import timezone

from plugins.announcements_plugin.models import Announcement, Dismissal, Level

_PRESSING = Case(
    *(When(level=level, then=Value(place)) for place, level in enumerate(reversed(Level.values))), default=Value(9)
)


def current(now: datetime | None = None) -> QuerySet[Announcement]:
    """What is to be seen now, the most pressing first, then the newest."""
    now = now or timezone.now()
    return started(now).filter(_lasts(now), is_active=True).order_by(_PRESSING, "-id")


def started(now: datetime | None = None) -> QuerySet[Announcement]:
    """What people may have seen: all that is not still to come."""
    now = now or timezone.now()
    return Announcement.objects.filter(Q(starts_at=None) | Q(starts_at__lte=now))


def undismissed(user: Any) -> QuerySet[Announcement]:
    """What is to be seen now by `user`, who has not dismissed it."""
    return current().exclude(Exists(Dismissal.objects.filter(announcement=OuterRef("pk"), user=user.pk)))


def overview() -> QuerySet[Announcement]:
    """All announcements, newest first, each with its `state` and how many people have dismissed it (`dismissed`)."""
    now = timezone.now()
    state = Case(
        When(is_active=False, then=Value("off")),
        When(starts_at__gt=now, then=Value("planned")),
        When(_lasts(now), then=Value("shown")),
        default=Value("over"),
        output_field=CharField(),
    )
    return Announcement.objects.annotate(state=state, dismissed=Count("dismissals")).order_by("-id")


def _lasts(now: datetime) -> Q:
    return Q(ends_at=None) | Q(ends_at__gt=now)


def of_person(user_id: int) -> dict[str, Any]:
    """What somebody wrote, and what they have dismissed."""
    found: dict[str, Any] = {
        "written": list(
            Announcement.objects.filter(created_by=user_id).order_by("pk").values("title", "text", "created_at")
        ),
        "dismissed": list(
            Dismissal.objects.filter(user=user_id).order_by("pk").values("announcement__title", "dismissed_at")
        ),
    }
    return {name: rows for name, rows in found.items() if rows}
