"""Writes down what a dead child had in hand: the attempt with its reason, and the lane free again."""

from __future__ import annotations

import logging

from django.db import ProgrammingError

from plugin_framework import metrics
from plugin_framework.delivery import lanes, rows
from plugin_framework.delivery.house import HOUSE
from plugin_framework.delivery.lanes import Lane
from plugin_framework.delivery.outcome import cut_short
from plugin_framework.delivery.pool import Death
from plugin_framework.delivery.rows import Finished
from plugin_framework.delivery.slots import Held
from plugin_framework.metrics.names import ATTEMPTS
from plugin_framework.registry import JOB_HOOK

log = logging.getLogger(__name__)


def write(death: Death) -> None:
    """Record the attempt of the delivery the child had in hand, if any, and free its lane. Safe to repeat.

    The row, not the child's record, says whether the attempt had begun: the child may have died between the two.
    """
    held = death.held
    try:
        if held.delivery:
            _record(held, death)
    except ProgrammingError:
        log.warning("Tenant %s is gone; what its delivery %s came to is not recorded", held.schema, held.delivery)
    failed = 1 if held.delivery and not death.at_once else 0
    lanes.postpone(Lane(held.schema, held.plugin, held.fence, 0), 0.0, failed)


def _record(held: Held, death: Death) -> None:
    found = rows.look(held.schema, held.delivery, held.fence)
    if found is None:
        return
    tried, running, duration_ms, sample = found
    if not running:  # it died before the attempt was counted: in the plugin's initialize(), say; count it, or it would go on for ever
        started = rows.start(held.schema, held.delivery, held.fence)
        if started is None:
            return
        tried, duration_ms = started.tried, None
        if tried == 1 and started.hook != JOB_HOOK and held.plugin != HOUSE:
            rows.count(held.schema, 1)
    outcome = cut_short(death.reason, tried, duration_ms, at_once=death.at_once, once=sample and not death.at_once)
    if rows.finish(held.schema, Finished(held.delivery, outcome), held.fence):
        metrics.counted(ATTEMPTS, held.plugin, outcome.attempt.value, outcome.state.value)
