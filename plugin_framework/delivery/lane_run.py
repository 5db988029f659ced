"""Runs a claimed lane for a time slice: the gate, the handler, the mark; one delivery after the other."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import NoReturn

from django.db import InterfaceError, OperationalError
from structlog.contextvars import bind_contextvars, reset_contextvars

from plugin_framework import activation, metrics, tenancy_directory
from plugin_framework.activation import BoundHandler
from plugin_framework.catalog import revisions
from plugin_framework.db.recorded import is_ready
from plugin_framework.delivery import attempt, house, lanes, limits, rows, rows_held
from plugin_framework.delivery.breaker import TRIALS, Breaker
from plugin_framework.delivery.failpoints import failpoint
from plugin_framework.delivery.lanes import Lane
from plugin_framework.delivery.options import Options
from plugin_framework.delivery.outcome import DeadlineExceeded
from plugin_framework.delivery.quota import DailyQuota
from plugin_framework.delivery.rows import Due, Finished
from plugin_framework.delivery.slots import Slot
from plugin_framework.gate import Decision, Reason
from plugin_framework.metrics.names import ATTEMPTS
from plugin_framework.models.delivery import AttemptOutcome, DeliveryState
from plugin_framework.registry import JOB_HOOK
from plugin_framework.sdk._words import Phrase
from plugin_framework.tenancy import Revisions, TenantRef, public_scope, tenant_scope

log = logging.getLogger(__name__)
UPDATING_WAIT = 15.0  # seconds until a tenant is looked at again whose tables are older than the code of this worker
SUSPENDED_WAIT = 300.0  # seconds until a suspended tenant's lane is looked at again; `lanes.hurry` makes it sooner


# Over before a job's next time comes, maybe; or it is only this process that has not the version yet, and another one does it.
_NOTHING = Phrase("Held back: nothing here does %(handler)s.")
_NOT_IN_TIME = Phrase("The plugin did not start in time. %(why)s")
_DISABLED = Phrase("The plugin was disabled. %(why)s")
_HELD = Phrase("Held back: %(why)s")
_NO_HANDLER = Phrase("Held back: this version of %(plugin)s has no handler %(handler)s for %(hook)s.")
_LEFT_OUT = Phrase("Left out: %(why)s")
_MAY_BE_OVER = {Reason.FAILED_TO_START, Reason.MISSING, Reason.UPDATING}


class _SliceOver(Exception):
    """Nothing more is to be run of this lane now."""


class _MayBeOld(Exception):
    """The gate lets nothing through, asked with what this process knew of the tenant before."""


@contextlib.contextmanager
def _logged_with(**names: object) -> Iterator[None]:
    """As structlog's `bound_contextvars`, which goes through all variables there are first; it is done for each delivery."""
    before = bind_contextvars(**names)
    try:
        yield
    finally:
        reset_contextvars(**before)


def run_lane(
    lane: Lane, slot: Slot, options: Options, stopping: Callable[[], bool], pause: Callable[[float], None]
) -> None:
    """Run what is due in `lane` for one time slice, and give it back.

    Raises:
        OperationalError, InterfaceError: the database went away; the lane becomes free when its lease ends.
    """
    with public_scope():
        entry = tenancy_directory.find(lane.schema)
        if entry is None:
            log.info("Tenant %s is gone; its lane for %s is removed", lane.schema, lane.plugin)
            lanes.drop(lane)
            return
        if not entry.active:
            lanes.postpone(lane, SUSPENDED_WAIT)
            return
        if not is_ready(entry.ref):
            lanes.postpone(lane, UPDATING_WAIT)
            return
    with tenant_scope(entry.ref), _logged_with(plugin=lane.plugin):
        LaneRun(lane, slot, options, stopping, pause, entry.ref).run()


@dataclass(slots=True, eq=False)
class LaneRun:
    """One time slice of one lane.

    Attributes:
        unwritten: the outcome of the delivery that ran last, written together with the next start.
        seen: the revisions with which the gate is asked. `guessed`: nobody has looked yet whether they still hold.
    """

    lane: Lane
    slot: Slot
    options: Options
    stopping: Callable[[], bool]
    pause: Callable[[float], None]
    tenant: TenantRef
    unwritten: Finished | None = None
    seen: Revisions | None = field(init=False)
    guessed: bool = field(init=False)
    started: float = field(default_factory=time.monotonic)
    breaker: Breaker = field(init=False)
    quota: DailyQuota = field(init=False)

    def __post_init__(self) -> None:
        # The platform's own work starts without the gate, which would see whether a guess holds.
        self.seen = None if self.lane.plugin == house.HOUSE else activation.last_known(self.lane.schema)
        self.guessed = self.seen is not None
        self.breaker = Breaker(self.lane)
        self.quota = DailyQuota(self.lane)

    def run(self) -> None:
        """Run due deliveries until the slice is over, then release the lane.

        Raises:
            OperationalError, InterfaceError: the database went away. What had run by then is written first, however long it takes.
            Exception: our own code failed, or a plugin's in a place where none should. What had run by then is written first.
        """
        try:
            self._slice()
        except (OperationalError, InterfaceError):
            limits.fresh_connection()
            self._write_in_spite_of_all()
            raise
        except Exception:
            limits.left_clean()
            self._write()
            raise

    def _slice(self) -> None:
        schema, plugin = self.lane.schema, self.lane.plugin
        with contextlib.suppress(_SliceOver):
            self._run_due()
        next_at = self._write_and_look()
        over_quota = self.quota.used_up or self.quota.waiting
        failpoint("before_release")
        if not lanes.release(self.lane, next_at, self.breaker.failures, over_quota=over_quota):
            log.warning("Lane %s/%s was claimed by another worker meanwhile; nothing was changed", schema, plugin)

    def _run_due(self) -> None:
        if self.breaker.tripped_before:
            self.breaker.open()
            return
        if self.lane.over_quota:
            self._release_put_off()
        found = rows.due(self.lane.schema, self.lane.plugin, TRIALS if self.lane.open else self.options.slice_rows)
        many = len(found) > self.options.few
        if found and not many:
            self.slot.has_few(time.monotonic())
        for number, due in enumerate(found, 1):
            if self._over():
                break
            if many and number % self.options.give_way_every == 0:
                self._give_way()
            if self.quota.used_up and due.counts:
                continue  # it was put off with the first of them
            with _logged_with(delivery=due.id):
                self._one(due)
            self._switch()
        if self.lane.open and self.breaker.failures:  # fewer to try than there may be trials, and none has worked
            self._write()
            self.breaker.open()

    def _give_way(self) -> None:
        """Leave the processor to those who have little to do, where somebody had lately; what has run need not wait for its mark."""
        if self.slot.others_had_few(time.monotonic() - self.options.few_lately):
            self._write()
            self.pause(self.options.give_way)

    def _release_put_off(self) -> None:
        """What had to wait for another day, or another plan, takes its old place in the order if there is room again."""
        with tenant_scope(self.tenant):
            try:
                with limits.soft_limit(self.options.soft_limit):
                    active = activation.current()
            except DeadlineExceeded as error:
                self._not_started(error)
            self.quota.plan = active.facts.plan
            if active.decision(self.lane.plugin).runs and self.quota.has_room():
                rows_held.release_held(self.lane.schema, self.lane.plugin, self.lane.fence)
                self.quota.waiting = False

    def _switch(self) -> None:
        """Open the breaker after too many failures; close it after a trial that worked."""
        if self.breaker.tripped:
            self._write()
            self.breaker.open()
            raise _SliceOver
        if self.breaker.recovered:
            self._write()
            self.breaker.close()
            raise _SliceOver  # the next slice takes what was held, in its order

    def _over(self) -> bool:
        now = time.monotonic()
        if now > self.slot.record.lease_until:
            log.warning("The lease of lane %s/%s has run out; leaving it", self.lane.schema, self.lane.plugin)
            return True
        return self.stopping() or now - self.started > self.options.slice_seconds

    def _one(self, due: Due) -> None:
        now = time.monotonic()
        self.slot.begin(due.id, now, now + self.options.hard_limit)
        try:
            if due.interrupted:
                self._write()
                state = rows.record_interrupted(self.lane.schema, due.id, self.lane.fence)
                if state:
                    metrics.counted(ATTEMPTS, self.lane.plugin, AttemptOutcome.INTERRUPTED.value, state)
                if state != DeliveryState.DUE:
                    return
            while not self._attempt(due):
                self.seen, self.guessed = None, False
        finally:
            self.slot.end(time.monotonic() + self.options.hard_limit)

    def _attempt(self, due: Due) -> bool:
        """Ask the gate and run what it lets through; False: what it was asked with has changed since, and nothing was started.

        The gate asks with what was known for the delivery before; the start itself, in its one statement, sees whether that holds.
        """
        with tenant_scope(self.tenant, self.seen):  # one of its own: what a handler leaves in its scope ends with it
            try:
                handler = self._gate(due)
            except _MayBeOld:
                return False
            if handler is None:
                return True
            before, gate = self.unwritten, None if self.lane.plugin == house.HOUSE else self.seen
            limit = self.quota.limit_for(due)
            found = rows.finish_and_start(self.lane.schema, before, due.id, self.lane.fence, gate, limit)
            self.unwritten = None
            if before is not None:
                self._wrote(before, found.written)
            if found.started is not None:
                with _logged_with(attempt=found.started.attempt):
                    self.unwritten = attempt.run(
                        handler, found.started, self.lane, self.breaker, self.options.soft_limit
                    )
                self.slot.record.served += 1
            if found.gate_holds:
                self.guessed = False
                self.quota.note(due, found)
            return found.gate_holds

    def _gate(self, due: Due) -> BoundHandler | None:
        """The handler, if the gate lets it run now; else what is due is held or cancelled."""
        if self.lane.plugin == house.HOUSE:
            found = house.find(due.handler)
            if found is None:
                self._leave(due, _NOTHING(handler=due.handler).english)
            return found
        try:
            with limits.soft_limit(self.options.soft_limit):
                now = revisions.read()
                if now != self.seen:
                    self._write()  # building the active set runs plugin code; no outcome may hang on that
                    self.seen = now
                active = activation.current()
                self.quota.plan = active.facts.plan
                decision = active.decision(self.lane.plugin)
                handler = active.find(self.lane.plugin, due.handler, due.hook)
        except DeadlineExceeded as error:
            self._not_started(error)
        if self.guessed and (handler is None or not decision.runs):
            raise _MayBeOld
        if decision.reason is Reason.DISABLED:
            self._write()
            rows_held.cancel(self.lane.schema, self.lane.plugin, self.lane.fence, _DISABLED(why=decision.words).english)
            raise _SliceOver
        if not decision.runs:
            if decision.reason not in _MAY_BE_OVER:
                self._leave_out_jobs(decision)
            self._hold(_HELD(why=decision.words).english)
        if handler is None:
            text = _NO_HANDLER(plugin=self.lane.plugin, handler=due.handler, hook=due.hook).english
            self._leave(due, text)
        elif due.held:
            self._write()
            rows_held.release_held(self.lane.schema, self.lane.plugin, self.lane.fence)
            raise _SliceOver  # the next slice finds all of them, and takes them in their order
        return handler

    def _leave_out_jobs(self, why: Decision) -> None:
        """A job whose time comes while its plugin is not to run passes; what was an event is kept for the day on which it may."""
        self._write()
        rows_held.skip(self.lane.schema, self.lane.plugin, self.lane.fence, JOB_HOOK, _LEFT_OUT(why=why.words).english)

    def _leave(self, due: Due, reason: str) -> None:
        """Put off one delivery that this version of the code knows nothing of: another version, newer or older, may."""
        self._write()
        rows_held.hold(self.lane.schema, self.lane.plugin, self.lane.fence, reason, due.id)

    def _not_started(self, error: DeadlineExceeded) -> NoReturn:
        limits.left_clean()
        self._hold(_NOT_IN_TIME(why=str(error)).english)

    def _hold(self, reason: str) -> NoReturn:
        self._write()
        rows_held.hold(self.lane.schema, self.lane.plugin, self.lane.fence, reason)
        raise _SliceOver

    def _write(self) -> None:
        """Write the outcome that is still unwritten."""
        if self.unwritten is not None:
            before = self.unwritten
            written = rows.finish(self.lane.schema, before, self.lane.fence)
            self.unwritten = None
            self._wrote(before, written)

    def _write_and_look(self) -> datetime | None:
        """Write the outcome that is still unwritten, and when the next delivery is due."""
        schema, plugin, before = self.lane.schema, self.lane.plugin, self.unwritten
        if before is None:
            return rows.next_due(schema, plugin, self.quota.uncounted)
        written, next_at = rows.finish_and_next(schema, plugin, before, self.lane.fence, self.quota.uncounted)
        self.unwritten = None
        self._wrote(before, written)
        return next_at

    def _write_in_spite_of_all(self) -> None:
        """Wait for the database to come back: the handler has run, and forgetting that would run it twice. The fence keeps it safe."""
        wait = 0.05
        while self.unwritten is not None and not self.stopping():
            self.slot.end(time.monotonic() + self.options.hard_limit)
            try:
                self._write()
            except (OperationalError, InterfaceError):
                limits.fresh_connection()
                self.pause(wait)
                wait = min(wait * 2, 2.0)

    def _wrote(self, before: Finished, written: bool) -> None:
        if written:
            metrics.counted(ATTEMPTS, self.lane.plugin, before.outcome.attempt.value, before.outcome.state.value)
        else:
            with _logged_with(delivery=before.id):
                log.warning(
                    "Delivery %s in %s was not marked: it is already, or a newer claim has it",
                    before.id,
                    self.lane.schema,
                )
        failpoint("after_mark")
