"""What an organisation uses of its plan, in words: what it is, how much, what happens at the limit, when it begins again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from plugin_framework import quotas
from plugin_framework.catalog.plans import UNLIMITED, PlanRow
from plugin_framework.quotas import Kind, Level, Usage
from plugin_framework.sdk import _counts
from plugin_framework.sdk._counts import Counted

_TITLES = {
    Kind.PEOPLE: gettext_noop("People"),
    Kind.DELIVERIES: gettext_noop("Deliveries today"),
    Kind.STORAGE: gettext_noop("Storage"),
}
_WHAT = {
    Kind.PEOPLE: gettext_noop("Accounts that may sign in, and open invitations: each keeps a place."),
    Kind.DELIVERIES: gettext_noop(
        "Events handed to plugins since midnight UTC. Trying one again does not count, nor do plugins’ jobs by the clock."
    ),
    Kind.STORAGE: gettext_noop("Files, and the tables in which everything else is kept, as measured every six hours."),
}
_THEN = {
    Kind.PEOPLE: gettext_noop("Nobody else can register or be invited. Who is here stays, and remains able to work."),
    Kind.DELIVERIES: gettext_noop(
        "Further deliveries wait for the next day and go out then, in order. Nothing is lost."
    ),
    Kind.STORAGE: gettext_noop("New files are refused. Nothing that is there is removed."),
}
_REMEDY = {
    Kind.PEOPLE: gettext_noop("Remove somebody or take an invitation back, or ask the platform for a larger plan."),
    Kind.DELIVERIES: gettext_noop("They go out after midnight UTC; with a larger plan from the platform, at once."),
    Kind.STORAGE: gettext_noop("Remove files, or ask the platform for a larger plan."),
}


@dataclass(frozen=True, slots=True)
class UsageInfo:
    """One kind of usage, ready to be drawn.

    Attributes:
        amount: as in "3 of 10". `state`: its level in a few words. `shown`, `most`: for the bar, never beyond its end.
        what, then, remedy: what is counted; what happens at the limit; what can be done about it.
    """

    usage: Usage
    title: str
    amount: str
    state: str
    shown: int
    most: int
    what: str
    then: str
    remedy: str

    @property
    def pressing(self) -> bool:
        """Whether the admins are to be told on the pages where it matters."""
        return self.usage.level is not Level.FINE

    @property
    def used_up(self) -> bool:
        """Whether something is refused, or waits, by now."""
        return self.usage.level in (Level.FULL, Level.OVER)

    @property
    def mark(self) -> str:
        """The class of its badge and bar: they say nothing that `state` does not say in words."""
        return "attention" if self.pressing else "on"


def info(usage: Usage) -> UsageInfo:
    """`usage` in words."""
    kind = usage.kind
    most = usage.limit or max(usage.used, 1)
    return UsageInfo(
        usage=usage,
        title=_(_TITLES[kind]),
        amount=_amount(usage),
        state=_state(usage),
        shown=min(usage.used, most),
        most=most,
        what=_(_WHAT[kind]),
        then=_(_THEN[kind]),
        remedy=_(_REMEDY[kind]),
    )


def all_of_them() -> list[UsageInfo]:
    """What the current tenant uses."""
    return [info(usage) for usage in quotas.usages()]


def under(plan: PlanRow | None) -> list[UsageInfo]:
    """The same beside the limits of `plan`, which has been read already; None: it has none."""
    name, limits = (plan.name, plan.limits) if plan else ("", UNLIMITED)
    return [info(usage) for usage in quotas.usages_under(name, limits)]


def pressing(*kinds: Kind) -> list[UsageInfo]:
    """Those of `kinds` of which little or nothing is left to the current tenant."""
    _plan, limits = quotas.plan()
    limited = [kind for kind in kinds if getattr(limits, kind.value) is not None]
    return [each for each in map(info, map(quotas.usage, limited)) if each.pressing]


def number(kind: Kind, value: int) -> str:
    """So much of `kind`, as people read it."""
    return _counts.size(value) if kind is Kind.STORAGE else str(Counted(value))


def limit(kind: Kind, value: int) -> str:
    """A limit of a plan, as it is listed."""
    said = number(kind, value)
    if kind is Kind.PEOPLE:
        return ngettext("%(number)s person", "%(number)s people", value) % {"number": said}
    if kind is Kind.DELIVERIES:
        return ngettext("%(number)s delivery a day", "%(number)s deliveries a day", value) % {"number": said}
    return said


def beyond(usages: Iterable[Usage]) -> list[UsageInfo]:
    """Those that are over their limits."""
    return [info(usage) for usage in usages if usage.level is Level.OVER]


def _amount(usage: Usage) -> str:
    used = number(usage.kind, usage.used)
    if usage.limit is None:
        return _("%(used)s, no limit") % {"used": used}
    return _("%(used)s of %(limit)s") % {"used": used, "limit": number(usage.kind, usage.limit)}


def _state(usage: Usage) -> str:
    if usage.limit is None:
        return _("No limit")
    if usage.level is Level.OVER:
        return _("Over the limit by %(over)s") % {"over": number(usage.kind, usage.used - usage.limit)}
    if usage.level is Level.FULL:
        return _("Used up")
    left = number(usage.kind, usage.left or 0)
    if usage.level is Level.NEAR:
        return _("%(percent)d %% used, %(left)s left") % {"percent": usage.percent, "left": left}
    return ngettext("%(left)s left", "%(left)s left", usage.left or 0) % {"left": left}
