"""How many people an organisation's plan lets in: who may sign in, and who is invited and may yet come.

An open invitation keeps a place, so that nobody who was invited comes in vain. When the plan was changed for a smaller one, so that
there are more people and invitations than places, people may come with their invitations until the people alone are enough.
"""

from __future__ import annotations

from django.db import connection
from django.utils import timezone
from django.utils.translation import ngettext

from plugin_framework import quotas
from plugin_framework.quotas import Kind, QuotaExceeded, Usage, told_of_refusals
from plugin_framework.sdk._counts import Counted

__all__ = ["NoPlace", "lock", "take", "told_of_refusals", "used"]


_TAKEN = """
SELECT (SELECT count(*) FROM accounts_user WHERE is_active),
    (SELECT count(*) FROM accounts_invitation AS open
     WHERE expires_at > %s AND NOT EXISTS (SELECT FROM accounts_user AS here WHERE is_active AND here.email = open.email))
"""


class NoPlace(QuotaExceeded):
    """The plan has no place left; the text says it to an admin."""


def used() -> int:
    """Active accounts, and open invitations to addresses that have none."""
    return sum(_taken())


def lock() -> None:
    """Let nobody else take a place before the end of this transaction; nothing where the plan has no limit."""
    _, limits = quotas.plan()
    if limits.people is not None:
        quotas.lock(Kind.PEOPLE)


def take(*, invited: bool = False) -> None:
    """Make sure, until the end of this transaction, that there is a place for one more; tell the admins when few are left.

    Args:
        invited: an invitation used up in this transaction has kept one.

    Raises:
        NoPlace: there is none.
    """
    plan, limits = quotas.plan()
    if limits.people is None:
        return
    quotas.lock(Kind.PEOPLE)
    active, open_ = _taken()
    usage = Usage(Kind.PEOPLE, active + open_, limits.people, plan)
    if (active if invited else usage.used) >= limits.people:
        raise NoPlace(_text(active, open_, usage), usage)
    quotas.tell(Usage(Kind.PEOPLE, usage.used + 1, limits.people, plan))


def _taken() -> tuple[int, int]:
    """Places of active accounts, and of open invitations to addresses that have none."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKEN, [timezone.now()])
        active, invited = cursor.fetchone()
    return active, invited


def _text(active: int, invited: int, usage: Usage) -> str:
    said = ngettext(
        "Your organisation’s plan, %(plan)s, has %(limit)s place: people take %(people)s of them, and invitations %(invited)s. "
        "Remove somebody, take an invitation back, or ask the platform for a larger plan.",
        "Your organisation’s plan, %(plan)s, has %(limit)s places: people take %(people)s of them, and invitations %(invited)s. "
        "Remove somebody, take an invitation back, or ask the platform for a larger plan.",
        usage.limit or 0,
    )
    numbers = {"limit": Counted(usage.limit or 0), "people": Counted(active), "invited": Counted(invited)}
    return said % {"plan": usage.plan, **numbers}
