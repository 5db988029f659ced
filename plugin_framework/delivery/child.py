"""A worker's child process: one thread, one database connection, one delivery at a time. It may be killed at any moment."""

from __future__ import annotations

import contextlib
import logging
import os
import select
import signal
import time
from typing import NoReturn

from django.db import Error, InterfaceError, OperationalError, connections

from plugin_framework import tenancy_directory
from plugin_framework.catalog import revisions
from plugin_framework.catalog.offers import offers
from plugin_framework.db import wear
from plugin_framework.db.recorded import is_ready
from plugin_framework.delivery import house, lanes, limits, rows
from plugin_framework.delivery.failpoints import failpoint
from plugin_framework.delivery.lane_run import run_lane
from plugin_framework.delivery.lanes import Lane
from plugin_framework.delivery.options import Options
from plugin_framework.delivery.slots import Slot
from plugin_framework.tenancy import no_scope, public_scope, tenant_scope

log = logging.getLogger(__name__)
BROKEN_LANE_WAIT = 30.0  # seconds until a lane on which our own code failed is tried again
EXIT_FAILED = 70  # os.EX_SOFTWARE, which not every system names


class Child:
    """What runs between the fork and the exit."""

    def __init__(self, owner: str, slot: Slot, pokes: int, options: Options) -> None:
        self._owner, self._slot, self._pokes, self._options = owner, slot, pokes, options
        self._stop = False
        self._cut_off: Lane | None = None  # held when the database went away

    def run_and_exit(self, parent: int) -> NoReturn:
        """Work until told to stop, then end this process without running what the parent had planned for its own exit."""
        status = EXIT_FAILED
        try:
            with no_scope():
                self._prepare(parent)
                self._work()
            status = 0
        except BaseException:  # the last frame of this process: log it and leave
            log.exception("A worker process failed")
        finally:
            logging.shutdown()
            os._exit(status)

    def _prepare(self, parent: int) -> None:
        os.setpgid(0, 0)
        limits.die_with_parent(parent)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's Ctrl-C is the supervisor's to handle
        signal.signal(signal.SIGTERM, self._on_term)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        limits.install()
        limits.limit_memory(self._options.memory)
        _let_go_of_inherited()

    def _on_term(self, signum: int, frame: object) -> None:
        self._stop = True

    def _stopping(self) -> bool:
        return self._stop or bool(self._slot.record.stop)

    def _work(self) -> None:
        wait = 0.05
        self._stand_by()
        while not self._stopping() and self._slot.record.served < self._options.recycle_after:
            try:
                if not self._once():
                    self._pause(self._options.idle_poll)
                wear.recycle()
                wait = 0.05
            except (OperationalError, InterfaceError) as error:
                log.warning("The database does not answer (%s); trying again in %g s", str(error).strip(), wait)
                limits.fresh_connection()
                self._pause(wait)
                wait = min(wait * 2, 2.0)
        connections.close_all()

    def _stand_by(self) -> None:
        """Until one that works is stuck or dead."""
        if self._slot.record.standby:
            with contextlib.suppress(
                Error
            ):  # which `_work` meets too, with something in hand that makes it worth a word
                _rehearse()
        while self._slot.record.standby and not self._stopping():
            self._pause(self._options.idle_poll)

    def _once(self) -> bool:
        """Claim a lane and run it; False when none is due."""
        self._return_cut_off()
        asked = time.monotonic()
        with public_scope():
            lane = lanes.claim(self._owner, self._options.lease, suspects=bool(self._slot.record.suspects))
        if lane is None:
            return False
        until = asked + self._options.lease
        self._slot.take_lane(lane.schema, lane.plugin, lane.fence, until, asked + self._options.hard_limit)
        failpoint("after_claim")
        try:
            run_lane(lane, self._slot, self._options, self._stopping, self._pause)
        except (OperationalError, InterfaceError):
            self._cut_off = lane
            raise
        except Exception:
            log.exception(
                "Lane %s/%s could not be run; trying again in %g s", lane.schema, lane.plugin, BROKEN_LANE_WAIT
            )
            self._give_back(lane)
        finally:
            self._slot.leave_lane()
        return True

    def _return_cut_off(self) -> None:
        """The database is back: nobody need wait for the end of our lease. If it has ended, the fence makes this nothing."""
        if self._cut_off is not None:
            with public_scope():
                lanes.postpone(self._cut_off, 0.0)
            self._cut_off = None

    def _give_back(self, lane: Lane) -> None:
        limits.left_clean()
        with public_scope():
            lanes.postpone(lane, BROKEN_LANE_WAIT)

    def _pause(self, seconds: float) -> None:
        """Wait to be poked. The pipe's end means that the supervisor wants us gone, or is gone itself."""
        try:
            ready, _, _ = select.select([self._pokes], [], [], seconds)
            if ready and not os.read(self._pokes, 4096):
                self._stop = True
        except InterruptedError:
            pass


def _rehearse() -> None:
    """Ask what is asked for every lane, of the platform's own: the first answers on a new connection take ten times as long."""
    with public_scope():
        entry = tenancy_directory.platform()
    if entry is None or not is_ready(entry.ref):
        return
    with tenant_scope(entry.ref):
        offers(revisions.read().catalog)
        rows.due(entry.ref.schema, house.HOUSE, 1)
        rows.next_due(entry.ref.schema, house.HOUSE)


def _let_go_of_inherited() -> None:
    """Forget the parent's connections without a word to the server, which would end them for the parent too."""
    with open(os.devnull, "r+b", buffering=0) as nowhere:
        for wrapper in connections.all(initialized_only=True):
            if wrapper.connection is not None and not wrapper.connection.closed:
                os.dup2(nowhere.fileno(), wrapper.connection.fileno())
    connections.close_all()
