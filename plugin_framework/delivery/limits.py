"""What keeps a handler within bounds inside its own process: an alarm, a memory limit, a clean connection afterwards."""

from __future__ import annotations

import ctypes
import logging
import os
import resource
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from django.db import DEFAULT_DB_ALIAS, connection, connections
from psycopg import pq

from plugin_framework.delivery.outcome import DeadlineExceeded
from plugin_framework.sdk._words import Phrase

log = logging.getLogger(__name__)
_PR_SET_PDEATHSIG = 1
_armed: float = 0.0  # the limit in force, in seconds; 0: an alarm that comes now comes too late and is ignored

_STOPPED = Phrase("It took longer than %(seconds)s s and was stopped.")


def install() -> None:
    """Once per child: take over SIGALRM."""
    signal.signal(signal.SIGALRM, _ring)


def _ring(signum: int, frame: FrameType | None) -> None:
    if _armed:
        raise DeadlineExceeded(_STOPPED(seconds=f"{_armed:g}").english)


@contextmanager
def soft_limit(seconds: float) -> Iterator[None]:
    """Raise `DeadlineExceeded` inside the block once it has run for `seconds`."""
    global _armed
    signal.signal(signal.SIGALRM, _ring)  # again: a handler may have replaced it
    _armed = seconds
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        _armed = 0.0
        signal.setitimer(signal.ITIMER_REAL, 0)


def limit_memory(allowance: int) -> None:
    """Let this process allocate `allowance` bytes of data beyond what it has; more is a MemoryError where it is asked for."""
    if allowance and sys.platform == "linux":
        most = _data_size() + allowance
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def _data_size() -> int:
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[5]) * resource.getpagesize()


def die_with_parent(parent: int) -> None:
    """Be killed when `parent` dies, so that nothing runs unwatched. Elsewhere than on Linux the closed pipe has to do."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


def cpu_time(pid: int) -> float:
    """Seconds of CPU time of a child; 0.0 where the system does not tell.

    The number of its clock is made as in glibc's clock_getcpuclockid.
    """
    if sys.platform != "linux":
        return 0.0
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:  # it has ended, and nobody has asked how
        return 0.0


def lower_priority(pid: int) -> None:
    """Give a child the CPU only when nobody else wants it."""
    with suppress(ProcessLookupError):  # it has just ended
        os.setpriority(os.PRIO_PROCESS, pid, 19)


def left_clean() -> bool:
    """Whether a handler left the connection as it found it; if not, the connection is closed, which undoes what was open."""
    raw = connection.connection
    if raw is None:
        return True
    if not connection.in_atomic_block and raw.pgconn.transaction_status == pq.TransactionStatus.IDLE:
        return True
    fresh_connection()
    return False


def fresh_connection() -> None:
    """Forget the connection, whatever state it is in; the next use opens another.

    The wrapper goes too: closed inside a transaction that nobody will end, it would refuse to work ever after.
    """
    connection.close()
    del connections[DEFAULT_DB_ALIAS]
