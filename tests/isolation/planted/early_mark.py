"""A delivery is marked as done before it is sent: whoever dies in between has lost it."""

from __future__ import annotations

from plugin_framework.delivery.lane_run import LaneRun
from tests.isolation.planted.surgery import rewrite


def plant() -> None:
    """Mark first."""
    first = "self.unwritten = Finished(started.id, delivered(0, None, current.exchange)); self._write()"
    rewrite(LaneRun._call, 'failpoint("before_send")', f'{first}; failpoint("before_send")')
