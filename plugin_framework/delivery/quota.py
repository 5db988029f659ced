"""A day's deliveries as the plan limits them, seen by a worker that holds a lane: those beyond the limit wait for the next day."""

from __future__ import annotations

from plugin_framework import metrics
from plugin_framework.catalog.plans import PlanFacts
from plugin_framework.delivery import house, rows, rows_held
from plugin_framework.delivery.lanes import Lane
from plugin_framework.delivery.rows import Due, Next, Place
from plugin_framework.metrics.names import REFUSED
from plugin_framework.quotas import Kind, Usage, notices
from plugin_framework.sdk._counts import Counted
from plugin_framework.sdk._words import Phrase

_USED_UP = Phrase("The plan %(plan)s includes %(limit)s deliveries a day: it waits for midnight UTC, or a larger plan.")


class DailyQuota:
    """What one time slice of a lane does to the day's deliveries.

    `plan`: the tenant's, as the gate saw it last; None: there is none. `used_up`: some deliveries had to be put off.
    `waiting`: so had some in a slice before, and they still wait.
    """

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self.plan: PlanFacts | None = None
        self.used_up, self.waiting = False, lane.over_quota
        self.uncounted = 0  # begun without having been counted, since there is no limit

    @property
    def limit(self) -> int | None:
        """How many may begin in a day; None: any number."""
        return self.plan.limits.deliveries if self.plan else None

    def limit_for(self, due: Due) -> int | None:
        """The limit under which it begins; None: it does not count, or there is none."""
        return self.limit if self._counts(due) else None

    def has_room(self) -> bool:
        """Whether another delivery may begin today."""
        return self.limit is None or rows.begun_today(self._lane.schema) < self.limit

    def note(self, due: Due, found: Next) -> None:
        """Go by what came of the start: put off what may not begin today, and tell the admins in good time. Inside the tenant."""
        if found.place is None:
            self.uncounted += found.started is not None and self._counts(due)
        elif self.plan is not None and self.limit is not None:
            self._placed(found.place, self.plan.name, self.limit)

    def _counts(self, due: Due) -> bool:
        return due.counts and self._lane.plugin != house.HOUSE

    def _placed(self, place: Place, plan: str, limit: int) -> None:
        if place.used is None:
            self._put_off(place.day, plan, limit)
        usage = Usage(Kind.DELIVERIES, limit if place.used is None else place.used, limit, plan)
        if notices.due(usage) > place.told:
            notices.tell(usage)

    def _put_off(self, day: str, plan: str, limit: int) -> None:
        """Of this lane, all that counts and is due."""
        self.used_up = True
        reason = _USED_UP(plan=plan, limit=Counted(limit)).english
        if rows_held.put_off(self._lane.schema, self._lane.plugin, self._lane.fence, day, reason):
            metrics.counted(REFUSED, Kind.DELIVERIES.value)
