"""A day's deliveries as the plan limits them, seen by a worker that holds a lane: those beyond the limit wait for the next day."""

from __future__ import annotations

from plugin_framework import activation, metrics
from plugin_framework.delivery import house, rows
from plugin_framework.delivery.lanes import Lane
from plugin_framework.delivery.rows import Due, Next
from plugin_framework.metrics.names import REFUSED
from plugin_framework.quotas import Kind, Usage, notices


class DailyQuota:
    """What one time slice of a lane does to the day's deliveries. `used_up`: some of them had to be put off."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self.used_up = False
        self.uncounted = 0  # begun without having been counted, since there is no limit

    def limit_for(self, due: Due) -> int | None:
        """The limit under which it begins; None: it does not count, or there is none. Inside the tenant, after the gate was asked."""
        if self._lane.plugin == house.HOUSE or not due.counts:
            return None
        return activation.current().limits.deliveries

    def has_room(self, limit: int | None) -> bool:
        """Whether another delivery may begin today."""
        return limit is None or rows.begun_today(self._lane.schema) < limit

    def note(self, due: Due, found: Next) -> None:
        """Go by what came of the start: put off what may not begin today, and tell the admins in good time. Inside the tenant."""
        if self._lane.plugin == house.HOUSE or not due.counts:
            return
        place = found.place
        if place is None:
            self.uncounted += found.started is not None
            return
        facts = activation.current()
        plan, limit = facts.facts.plan, facts.limits.deliveries
        name = plan.name if plan else ""
        if place.used is None:
            self._put_off(place.day, name, limit)
        usage = Usage(Kind.DELIVERIES, limit or 0 if place.used is None else place.used, limit, name)
        if notices.due(usage) > place.told:
            notices.tell(usage)

    def _put_off(self, day: str, plan: str, limit: int | None) -> None:
        """Of this lane, all that counts and is due."""
        self.used_up = True
        reason = (
            f"Held back: the plan {plan} includes {limit} deliveries a day, and today's are used up. "
            "It goes out after midnight UTC, or as soon as the plan allows more."
        )
        if rows.put_off(self._lane.schema, self._lane.plugin, self._lane.fence, day, reason):
            metrics.counted(REFUSED, Kind.DELIVERIES.value)
