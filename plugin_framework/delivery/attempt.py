"""One attempt to deliver: calls the handler within its limits, and says what came of it."""

from __future__ import annotations

import json
import logging
import time

from plugin_framework import metrics
from plugin_framework.activation import BoundHandler
from plugin_framework.delivery import limits
from plugin_framework.delivery.breaker import Breaker
from plugin_framework.delivery.context import CurrentDelivery, entered
from plugin_framework.delivery.failpoints import failpoint
from plugin_framework.delivery.lanes import Lane
from plugin_framework.delivery.outcome import DeadlineExceeded, Outcome, delivered, failed
from plugin_framework.delivery.payload import thaw
from plugin_framework.delivery.rows import Finished, Started
from plugin_framework.metrics.names import ATTEMPTS, DELIVERIES
from plugin_framework.models.delivery import AttemptOutcome, DeliveryState
from plugin_framework.sdk import NetworkError, PluginError, RetryLater

log = logging.getLogger(__name__)


class LeftOpen(PluginError):
    """The handler left a transaction or a query open; it was undone. Use transaction.atomic() as a context manager."""


def run(handler: BoundHandler, started: Started, lane: Lane, breaker: Breaker, soft_limit: float) -> Finished | None:
    """Call `handler` inside its tenant, and tell the breaker; what is to be written of it. None: it has marked itself as delivered.

    Whatever the handler raises is an outcome, SystemExit and the deadline included: the worker must outlive it.

    Args:
        soft_limit: seconds after which `DeadlineExceeded` is raised inside the handler.
    """
    current = CurrentDelivery(
        started.id,
        started.event_id,
        lane.plugin,
        started.hook,
        str(started.key),
        started.attempt,
        lane.fence,
        sample=started.sample,
    )
    begun = time.perf_counter()
    error = _called(handler, started, current, soft_limit)
    failpoint("after_answer")
    took = time.perf_counter() - begun
    if current.called:
        metrics.observed(DELIVERIES, took, lane.plugin, started.hook)
    if error is None or current.marked:
        breaker.succeeded()
    if current.marked:
        _marked_by_itself(handler, started, error)
        return None
    if error is None:
        outcome = delivered(round(took * 1000), current.response_status, current.exchange)
    else:
        outcome = _failed(error, handler, started, current, lane, breaker, took)
    if outcome.state is DeliveryState.DUE:
        failpoint("scheduling_retry")
    return Finished(started.id, outcome)


def _called(
    handler: BoundHandler, started: Started, current: CurrentDelivery, soft_limit: float
) -> BaseException | None:
    """What it raised; that it left something open, if it raised nothing."""
    entered(current)
    error: BaseException | None = None
    try:
        with limits.soft_limit(soft_limit):
            args = thaw(json.loads(started.payload))
            failpoint("before_send")
            current.called = True
            handler.call(*args)
    except BaseException as raised:  # noqa: BLE001  # see `run`
        error = raised
    finally:
        entered(None)
    if not limits.left_clean() and error is None:
        return LeftOpen()
    return error


def _marked_by_itself(handler: BoundHandler, started: Started, error: BaseException | None) -> None:
    """The handler has committed its work and the mark in one; what it does after that cannot change either."""
    metrics.counted(ATTEMPTS, handler.plugin, AttemptOutcome.DONE.value, DeliveryState.DONE.value)
    failpoint("after_mark")
    if error is not None:
        who = f"{handler.plugin}.{handler.name}"
        log.error("%s failed after delivery %s was marked as delivered", who, started.id, exc_info=error)


def _failed(
    error: BaseException,
    handler: BoundHandler,
    started: Started,
    current: CurrentDelivery,
    lane: Lane,
    breaker: Breaker,
    took: float,
) -> Outcome:
    outcome = failed(
        error, started.tried, round(took * 1000), current.response_status, current.exchange, once=started.sample
    )
    # A sample is somebody trying their settings, which must not hold up what is real; to be tried later is the handler's decision.
    excused = isinstance(error, RetryLater) or (started.sample and not breaker.trial)
    if current.called and not excused:
        breaker.failed(outcome.error)
    level = logging.ERROR if outcome.state is DeliveryState.DEAD else logging.WARNING
    expected = isinstance(error, (PluginError, NetworkError, DeadlineExceeded))
    log.log(
        level,
        "Delivery %s of %r to %s.%s in %s failed, attempt %s: %s",
        *(started.id, started.hook, handler.plugin, handler.name, lane.schema, started.attempt, outcome.error),
        exc_info=None if expected else error,
    )
    return outcome
