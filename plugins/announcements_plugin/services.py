"""Everything that changes an announcement or notes a dismissal: one function each, one transaction each."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext

from plugins.announcements_plugin.models import Announcement, Dismissal, Level

log = logging.getLogger(__name__)


class Stale(Exception):
    """Somebody else was faster; the text tells the person what to do."""

    def __init__(self) -> None:
        super().__init__(
            gettext(
                "Somebody else has changed this announcement meanwhile. Open it again in another tab, compare, and save there."
            )
        )


@dataclass(frozen=True, slots=True)
class AnnouncementInput:
    """An announcement, as somebody wants it. All of it has been validated."""

    title: str
    text: str = ""
    level: str = Level.INFO
    link_url: str = ""
    link_label: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    is_active: bool = True


def create(wanted: AnnouncementInput, actor: Any) -> Announcement:
    """Make an announcement.

    Args:
        actor: the user who does it, or None for the system.
    """
    announcement = Announcement.objects.create(created_by=actor, **asdict(wanted))
    _log(announcement.pk, "written", actor)
    return announcement


def update(announcement_id: int, wanted: AnnouncementInput, actor: Any, *, seen_revision: int) -> Announcement:
    """Change an announcement as a whole. Who has dismissed it does not see it again.

    Args:
        seen_revision: the revision that the person has been looking at.

    Raises:
        Announcement.DoesNotExist: there is no such announcement. Stale: nothing was changed.
    """
    with transaction.atomic():
        announcement = Announcement.objects.select_for_update().get(pk=announcement_id)
        if announcement.revision != seen_revision:
            raise Stale
        for name, value in asdict(wanted).items():
            setattr(announcement, name, value)
        announcement.revision += 1
        announcement.save()
    _log(announcement_id, "changed", actor)
    return announcement


def delete(announcement_id: int, actor: Any) -> None:
    """Remove an announcement, and with it who has dismissed it.

    Raises:
        Announcement.DoesNotExist: there is no such announcement.
    """
    with transaction.atomic():
        Announcement.objects.select_for_update().get(pk=announcement_id).delete()
    _log(announcement_id, "deleted", actor)


def dismiss(announcement_id: int, user: Any) -> None:
    """Note that `user` does not want to see it again; once, however often they press.

    Raises:
        Announcement.DoesNotExist: it was deleted before this could be noted, or the person was.
    """
    dismissal = Dismissal(announcement_id=announcement_id, user_id=user.pk)
    try:
        with transaction.atomic():
            Dismissal.objects.bulk_create([dismissal], ignore_conflicts=True)
            connection.check_constraints()  # here, and not at the end of somebody's transaction
    except IntegrityError as error:
        raise Announcement.DoesNotExist(f"Announcement {announcement_id} is not there any more.") from error


def _log(announcement_id: int, what: str, actor: Any) -> None:
    log.info("Announcement %s was %s by %s", announcement_id, what, getattr(actor, "pk", None) or "the system")


def forget_person(user_id: int) -> int:
    """Take somebody's name off what they wrote, and forget what they have dismissed; how many rows that were."""
    with transaction.atomic():
        dismissed, _ = Dismissal.objects.filter(user=user_id).delete()
        return dismissed + Announcement.objects.filter(created_by=user_id).update(created_by=None)
