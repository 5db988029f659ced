"""The worker's supervisor: folds wake-ups, renews leases, watches the children and replaces them. It never runs plugin code."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import select
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from django.conf import settings
from django.db import InterfaceError, OperationalError, ProgrammingError, connection, transaction

from plugin_framework.citus import cluster
from plugin_framework.db import pooler, wear
from plugin_framework.db.rollout import judged
from plugin_framework.delivery import folding, lanes, limits, obituary, schedule, workers
from plugin_framework.delivery.emit import CHANNEL
from plugin_framework.delivery.folding import Folded
from plugin_framework.delivery.options import Options
from plugin_framework.delivery.pool import Death, Pool
from plugin_framework.tenancy import public_scope

log = logging.getLogger(__name__)
_SLOWEST_RECONNECT = 2.0  # seconds


def _load_ahead() -> None:
    """Have in this process what each child would load with a delivery in hand: all migrations, and the addresses of all pages."""
    judged()
    import_module(settings.ROOT_URLCONF)


class Supervisor:
    """One worker. `run` returns when it has been told to stop and its children have gone."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._me = workers.myself()
        self._pool = Pool(self._me.id, options)
        self._deaths: list[Death] = []
        self._stop_at: float | None = None
        self._fold_at = self._renew_at = self._beat_at = self._reconnect_at = self._schedule_at = 0.0
        self._reconnect_wait = 0.05
        self._notified = False
        self._listening: object = None

    def run(self) -> None:
        """Work until SIGTERM or SIGINT; the second one does not wait for running deliveries."""
        with public_scope(), self._signals() as signals:
            self._signal_fd = signals
            self._begin()
            while not self._finished():
                self._pool.kill_overdue()
                self._deaths += self._pool.reap()
                self._pool.keep_size()
                self._with_database()
                self._give_up_waiting()
                self._sleep()
            self._end()

    def _begin(self) -> None:
        """Reach the database, however long that takes, and free what a killed predecessor held. Only then are children made."""
        _load_ahead()
        gc.freeze()  # what is there by now stays: looking at it again would make each child copy it
        while self._stop_at is None:
            try:
                self._test_the_way()
                workers.beat(self._me)
                freed = workers.bury_predecessors(self._me)
                log.info(
                    "Worker %s started with %s children; lanes taken over: %s",
                    self._me.id,
                    self._options.children,
                    freed,
                )
                return
            except (OperationalError, InterfaceError) as error:
                self._disconnected(error)
                self._sleep()

    def _test_the_way(self) -> None:
        """Refuse a pooler that mixes clients up, a Citus that could lose events; say what an absence of notifications costs."""
        with connection.wrap_database_errors:
            pooler.refuse_unsafe()
            if settings.CITUS:
                cluster.refuse_unprepared()
            if not pooler.hears():
                log.warning(
                    "Notifications do not come through to this worker: deliveries wait for its next look, up to %g s. "
                    "Give workers a DATABASE_URL that leads to PostgreSQL directly, not through a pooler.",
                    self._options.poll,
                )

    def _end(self) -> None:
        with contextlib.suppress(OperationalError, InterfaceError):  # the heartbeat goes stale by itself
            workers.leave(self._me)
        connection.close()
        log.info("Worker %s stopped", self._me.id)

    def _finished(self) -> bool:
        return self._stop_at is not None and not self._pool.processes and not self._deaths

    def _give_up_waiting(self) -> None:
        if self._stop_at is None:
            return
        if not self._pool.stopping:
            self._pool.stop()
        if time.monotonic() > self._stop_at:
            self._pool.kill_all()
            if not self._pool.processes and time.monotonic() > self._stop_at + self._options.stop_grace:
                self._deaths.clear()  # the database is away too; the next worker will find these interrupted

    def _with_database(self) -> None:
        """Everything that needs the database; when it is away, that is tried again later and nothing is forgotten."""
        if time.monotonic() < self._reconnect_at:
            return
        try:
            wear.recycle()
            self._listen()
            self._bury()
            self._schedule()
            self._fold()
            self._renew()
            self._beat()
            self._reconnect_wait = 0.05
        except (OperationalError, InterfaceError) as error:
            self._disconnected(error)

    def _disconnected(self, error: Exception) -> None:
        log.warning("The database does not answer (%s); trying again in %g s", str(error).strip(), self._reconnect_wait)
        limits.fresh_connection()
        self._reconnect_at = time.monotonic() + self._reconnect_wait
        self._reconnect_wait = min(self._reconnect_wait * 2, _SLOWEST_RECONNECT)

    def _listen(self) -> None:
        connection.ensure_connection()
        raw = connection.connection
        if raw is not self._listening:
            with connection.cursor() as cursor:
                cursor.execute(f"LISTEN {CHANNEL}")
            self._listening = raw
            self._notified = True  # what was announced while nobody listened
        with connection.wrap_database_errors:
            raw.pgconn.consume_input()  # now: the next statement's answer would bring them too late for this round
            while raw.pgconn.notifies():
                self._notified = True

    def _bury(self) -> None:
        while self._deaths:
            obituary.write(self._deaths[0])
            del self._deaths[0]
            self._notified = True  # a lane was freed: somebody may take it
            self._pool.poke_for_suspects()

    def _fold(self) -> None:
        if not self._notified and time.monotonic() < self._fold_at:
            return
        notified, self._notified = self._notified, False
        self._fold_at = time.monotonic() + self._options.poll
        folded = 0
        while True:
            found = self._fold_once()
            folded += found.looked_at
            if found.suspects:
                self._pool.poke_for_suspects()
            if found.looked_at < folding.FOLD_LIMIT:
                break
        if folded:
            self._pool.poke(folded + 1, folded)  # one more, for who has just found something else to do
        elif notified:
            self._pool.poke(self._options.most_children)

    def _schedule(self) -> None:
        """Write what is due by the clock; a look every second is enough for times that are given in minutes."""
        now = time.monotonic()
        if now < self._schedule_at:
            return
        try:
            with transaction.atomic():
                count = schedule.run_due()
        except ProgrammingError as error:  # a tenant's tables went away between two statements; the next look sees that
            log.warning("Jobs could not be written, and will be looked at again: %s", str(error).strip())
            count = 0
        if count < schedule.BATCH:
            self._schedule_at = now + self._options.schedule_poll

    @staticmethod
    def _fold_once() -> Folded:
        try:
            return folding.fold()
        except ProgrammingError as error:  # a tenant's tables went away between two statements; the next look sees that
            log.warning("Wake-ups could not be folded, and will be looked at again: %s", str(error).strip())
            return Folded()

    def _renew(self) -> None:
        now = time.monotonic()
        if now < self._renew_at:
            return
        self._renew_at = now + self._options.lease / 3
        held = {each.slot.held.fence: each.slot for each in self._pool.processes if each.slot.held is not None}
        if held:
            for fence in lanes.renew(self._me.id, list(held), self._options.lease):
                if held[fence].record.fence == fence:
                    held[fence].record.lease_until = now + self._options.lease

    def _beat(self) -> None:
        if time.monotonic() >= self._beat_at:
            workers.beat(self._me)
            self._beat_at = time.monotonic() + self._options.heartbeat

    def _sleep(self) -> None:
        """Until a notification, a signal, a child's end, a child that gets stuck, or the next look."""
        if self._notified or self._finished():
            return
        watched: list[int] = [self._signal_fd]
        wait = min(self._options.poll, self._pool.next_look(time.monotonic()) + 0.001)
        if connection.connection is not None and not connection.connection.closed:
            watched.append(connection.connection.fileno())
        else:
            wait = min(wait, max(self._reconnect_at - time.monotonic(), 0.0))
        ready, _, _ = select.select(watched, [], [], wait)
        if self._signal_fd in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(self._signal_fd, 4096)

    def _on_stop(self, signum: int, frame: object) -> None:
        first = self._stop_at is None
        self._stop_at = time.monotonic() + (self._options.stop_grace if first else 0.0)

    @contextmanager
    def _signals(self) -> Iterator[int]:
        """Take over the signals, which end `_sleep`; what was there before comes back afterwards."""
        reading, writing = socket.socketpair()
        reading.setblocking(False)
        writing.setblocking(False)
        before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)}
        old_fd = signal.set_wakeup_fd(writing.fileno(), warn_on_full_buffer=False)
        try:
            signal.signal(signal.SIGTERM, self._on_stop)
            signal.signal(signal.SIGINT, self._on_stop)
            signal.signal(signal.SIGCHLD, lambda signum, frame: None)
            yield reading.fileno()
        finally:
            signal.set_wakeup_fd(old_fd)
            for each, handler in before.items():
                signal.signal(each, handler)
            reading.close()
            writing.close()
