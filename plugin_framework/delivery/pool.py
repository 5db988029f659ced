"""The supervisor's child processes: forking, poking, killing, burying; never fewer than wanted, more while some are stuck."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from plugin_framework.delivery import limits
from plugin_framework.delivery.child import EXIT_FAILED, Child
from plugin_framework.delivery.options import Options
from plugin_framework.delivery.slots import Held, Slot, allocate
from plugin_framework.sdk._words import Phrase

log = logging.getLogger(__name__)
HOG = 0.03  # seconds of CPU time with one delivery
HOG_LOOKS = 10  # as many looks after a child has become stuck; then with every other look
REFILL_AFTER = 0.5  # seconds: making a process costs those that work now
SLOWEST_RESPAWN = 5.0  # seconds between forks when children die as soon as they are born

_KILLED = Phrase("It did not end within %(seconds)s s and its process was killed.")
_STOPPED = Phrase("The worker was stopped before it had ended; it may have been delivered.")
_DIED = Phrase("Its worker process died while it ran (%(cause)s).")


@dataclass(slots=True, eq=False)
class Process:
    """A living child."""

    pid: int
    slot: Slot
    pokes: int
    doomed: str = ""  # why it was killed, in words for the tenant's admin
    leaving: bool = False


@dataclass(frozen=True, slots=True)
class Death:
    """A child that is gone, with what it had in hand. `at_once`: through no fault of its handler's."""

    held: Held
    reason: str
    at_once: bool


@dataclass(slots=True, eq=False)
class Pool:
    """All children of one supervisor."""

    owner: str
    options: Options
    processes: list[Process] = field(default_factory=list)
    stopping: bool = False
    _free: list[Slot] = field(default_factory=list)
    _short_until: float = 0.0
    _surplus_since: float | None = None
    _refill_at: float = 0.0
    _respawn_at: float = 0.0
    _respawn_wait: float = 0.05

    def __post_init__(self) -> None:
        self._free = allocate(self.options.most_children + self.options.standby)

    def keep_size(self) -> None:
        """Have the wanted number of children that are not stuck; let surplus ones go when they idle."""
        now = time.monotonic()
        while not self.stopping and self._missing(now) > 0 and self._one_more(now):
            pass
        while not self.stopping and self._lacks_standby(now) and self._may_fork(now):
            self._fork(standby=True)
        self._slow_hogs(now)
        self._shrink(now)
        self._entrust_suspects(now)

    def _one_more(self, now: float) -> bool:
        """One that stands by, which is there at once, or a new one; whether there was any to be had."""
        waiting = self._waiting()
        if len(self.processes) - len(waiting) >= self.options.most_children:
            return False
        if waiting:
            waiting[0].slot.record.standby = 0
            self._refill_at = now + REFILL_AFTER
            self._poke(waiting[0])
            return True
        if not self._may_fork(now):
            return False
        self._fork(standby=False)
        return True

    def _waiting(self) -> list[Process]:
        return [each for each in self.processes if each.slot.record.standby and not each.leaving and not each.doomed]

    def _lacks_standby(self, now: float) -> bool:
        return now >= self._refill_at and len(self._waiting()) < self.options.standby

    def _may_fork(self, now: float) -> bool:
        return bool(self._free) and now >= self._respawn_at

    def _missing(self, now: float) -> int:
        return self.options.children - self._able(now)

    def _able(self, now: float) -> int:
        return len(self._at_hand(now))

    def _at_hand(self, now: float) -> list[Process]:
        """Those that work or may at once, the oldest first."""
        staying = (each for each in self.processes if not each.leaving and not each.doomed)
        working = [each for each in staying if not each.slot.record.standby]
        return [each for each in working if not each.slot.stuck(now, self._patience(now))]

    def _entrust_suspects(self, now: float) -> None:
        """Let the youngest run those whose last attempt failed: it knows the fewest tenants, so the others lose least with it."""
        youngest = next(reversed(self._at_hand(now)), None)
        for each in self.processes:
            before, each.slot.record.suspects = each.slot.record.suspects, each is youngest
            if each is youngest and not before:
                self._poke(each)

    def _patience(self, now: float) -> float:
        return self.options.stuck_soon if now < self._short_until else self.options.stuck_after

    def next_look(self, now: float) -> float:
        """Seconds until the next child counts as stuck, or a stuck one may have become a hog; infinite when no child may."""
        working = (each.slot.busy_since for each in self.processes if not each.leaving and not each.doomed)
        left = (since + self._patience(now) - now for since in working if since is not None)
        return min((each if each >= 0.0 else HOG for each in left if each > -HOG_LOOKS * HOG), default=math.inf)

    def _slow_hogs(self, now: float) -> None:
        """Let who computes for long do so when nobody else wants to.

        It is that child's last delivery: giving the priority back takes privileges.
        """
        for each in self.processes:
            if each.leaving or not each.slot.stuck(now, self.options.stuck_after):
                continue
            if limits.cpu_time(each.pid) - each.slot.record.cpu > HOG:
                limits.lower_priority(each.pid)
                self._ask_to_leave(each)

    def _shrink(self, now: float) -> None:
        if self._missing(now) >= 0:
            self._surplus_since = None
            return
        if self._surplus_since is None:
            self._surplus_since = now
        working = (each for each in reversed(self.processes) if not each.leaving and not each.slot.record.standby)
        idle = next((each for each in working if each.slot.held is None), None)
        if idle is not None and now - self._surplus_since > self.options.linger:
            self._ask_to_leave(idle)

    def _fork(self, *, standby: bool) -> None:
        slot = self._free.pop()
        slot.reset()
        slot.record.standby = standby
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            for each in [writing, *(other.pokes for other in self.processes if other.pokes >= 0)]:
                os.close(each)
            Child(self.owner, slot, reading, self.options).run_and_exit(parent)
        os.close(reading)
        with contextlib.suppress(OSError):  # the child does it too; whoever is first
            os.setpgid(pid, pid)
        self.processes.append(Process(pid, slot, writing))

    def poke(self, count: int, wanted: int = 0) -> None:
        """Tell so many idle children that there may be something to do; the oldest, which know the most tenants.

        Args:
            wanted: how many there is something to do for; if fewer are idle, those that are stuck are replaced sooner for a moment.
        """
        idle = [each for each in self.processes if each.slot.held is None and not each.slot.record.standby]
        if len(idle) < wanted:
            self._short_until = time.monotonic() + self.options.stuck_after
        for each in idle[:count]:
            self._poke(each)

    def poke_for_suspects(self) -> None:
        """Tell the child that runs suspects that there may be one."""
        for each in self.processes:
            if each.slot.record.suspects:
                self._poke(each)

    def kill_overdue(self) -> None:
        """Kill the children whose hard limit has passed, with all that they started."""
        now = time.monotonic()
        for each in self.processes:
            if not each.doomed and each.slot.overdue(now):
                each.doomed = _KILLED(seconds=f"{self.options.hard_limit:g}").english
                log.warning("Killing worker process %s: %s", each.pid, each.doomed)
                self._kill(each)

    def stop(self) -> None:
        """Ask every child to leave after the delivery it has in hand."""
        self.stopping = True
        for each in self.processes:
            self._ask_to_leave(each)

    def kill_all(self) -> None:
        """Do not wait any longer."""
        for each in self.processes:
            each.leaving = True
            self._kill(each)

    def reap(self) -> Iterator[Death]:
        """Bury the children that have ended, and tell of those that had work in hand."""
        for each in list(self.processes):
            pid, status = os.waitpid(each.pid, os.WNOHANG)
            if pid:
                self.processes.remove(each)
                self._close(each)
                self._free.append(each.slot)
                self._slow_down(os.waitstatus_to_exitcode(status))
                held = each.slot.held
                if held is not None:
                    yield self._death(each, held, os.waitstatus_to_exitcode(status))

    def _death(self, process: Process, held: Held, code: int) -> Death:
        if process.doomed:
            return Death(held, process.doomed, at_once=False)
        if process.leaving and code == -signal.SIGKILL:
            return Death(held, _STOPPED.text, at_once=True)
        cause = signal.Signals(-code).name if code < 0 else f"exit status {code}"
        log.warning("Worker process %s died (%s) with %s/%s in hand", process.pid, cause, held.schema, held.plugin)
        return Death(held, _DIED(cause=cause).english, at_once=False)

    def _slow_down(self, code: int) -> None:
        """Children that fail by themselves are replaced more and more slowly; those that a handler killed, at once."""
        if code == EXIT_FAILED:
            self._respawn_at = time.monotonic() + self._respawn_wait
            self._respawn_wait = min(self._respawn_wait * 2, SLOWEST_RESPAWN)
        else:
            self._respawn_wait = 0.05

    def _ask_to_leave(self, process: Process) -> None:
        process.leaving = True
        process.slot.record.stop = 1
        self._close(process)

    @staticmethod
    def _poke(process: Process) -> None:
        if process.pokes >= 0:
            with contextlib.suppress(BlockingIOError, BrokenPipeError):  # it has pokes enough, or is about to be buried
                os.write(process.pokes, b".")

    @staticmethod
    def _close(process: Process) -> None:
        if process.pokes >= 0:
            os.close(process.pokes)
            process.pokes = -1

    @staticmethod
    def _kill(process: Process) -> None:
        with contextlib.suppress(ProcessLookupError):  # it has just ended by itself
            os.killpg(process.pid, signal.SIGKILL)
