"""Everything that writes announcements: one function each, one transaction each."""

from __future__ import annotations

import logging
from typing import Any

from django.db import transaction

from plugins.announcements_plugin.models import Announcement, Dismissal

log = logging.getLogger(__name__)


def publish(announcement: Announcement, actor: Any) -> Announcement:
    """Save a new announcement, or a changed one. Whoever has put it away does not see it again."""
    with transaction.atomic():
        if announcement._state.adding:
            announcement.created_by = actor
        announcement.save()
    log.info("Announcement %s was saved by %s", announcement.pk, actor.pk)
    return announcement


def delete(pk: int, actor: Any) -> bool:
    """Delete an announcement and who has put it away; whether it was there."""
    with transaction.atomic():
        gone, _ = Announcement.objects.filter(pk=pk).delete()
    log.info("Announcement %s was deleted by %s", pk, actor.pk)
    return bool(gone)


def dismiss(announcement: Announcement, person: Any) -> None:
    """Put an announcement away for one person; a second time is no error."""
    Dismissal.objects.get_or_create(announcement=announcement, person=person)
