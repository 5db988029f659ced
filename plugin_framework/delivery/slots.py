"""One record per child in shared memory: what it works on and until when, readable even after the child was killed."""

from __future__ import annotations

import ctypes
import mmap
import time
from dataclasses import dataclass

IDLE, LANE, WORKING = 0, 1, 2  # waiting; holds a lane; has a delivery in hand


class _Record(ctypes.Structure):
    """`phase` is written last and cleared first, so what it promises is there. Times are seconds of the system's monotonic clock.

    The supervisor writes `stop`, `standby` and `suspects`, and prolongs `lease_until`; all else is the child's.
    """

    _fields_ = (
        ("phase", ctypes.c_uint8),
        ("stop", ctypes.c_uint8),
        ("standby", ctypes.c_uint8),
        ("suspects", ctypes.c_uint8),
        ("few_at", ctypes.c_double),
        ("deadline", ctypes.c_double),
        ("since", ctypes.c_double),
        ("cpu", ctypes.c_double),
        ("lease_until", ctypes.c_double),
        ("fence", ctypes.c_int64),
        ("delivery", ctypes.c_int64),
        ("served", ctypes.c_int64),
        ("schema", ctypes.c_char * 64),
        ("plugin", ctypes.c_char * 404),
    )

    phase: int
    stop: int
    standby: int
    suspects: int
    few_at: float
    deadline: float
    since: float
    cpu: float
    lease_until: float
    fence: int
    delivery: int
    served: int
    schema: bytes
    plugin: bytes


@dataclass(frozen=True, slots=True)
class Held:
    """A child's work as the supervisor reads it. `delivery` is 0 between two deliveries of a lane."""

    schema: str
    plugin: str
    fence: int
    delivery: int
    since: float


class Slot:
    """One child's record. `fellows`: all there are in the same memory, this one too."""

    def __init__(self, memory: mmap.mmap, offset: int, fellows: list[Slot]) -> None:
        self.record = _Record.from_buffer(memory, offset)
        self._fellows = fellows

    def reset(self) -> None:
        """Before a new child takes the slot."""
        ctypes.memset(ctypes.byref(self.record), 0, ctypes.sizeof(self.record))

    def take_lane(self, schema: str, plugin: str, fence: int, lease_until: float, deadline: float) -> None:
        """The child has claimed a lane; `deadline` is for what it does before its first delivery."""
        record = self.record
        record.phase = IDLE
        record.schema, record.plugin, record.fence = schema.encode(), plugin.encode(), fence
        record.lease_until, record.deadline = lease_until, deadline
        record.delivery = 0
        record.phase = LANE

    def has_few(self, now: float) -> None:
        """The child has seen that few deliveries wait in its lane."""
        self.record.few_at = now

    def others_had_few(self, since: float) -> bool:
        """Whether another child has since then taken up the work of somebody for whom few waited."""
        return any(each.record.few_at > since for each in self._fellows if each is not self)

    def begin(self, delivery: int, since: float, deadline: float) -> None:
        """The child begins a delivery."""
        record = self.record
        record.delivery, record.since, record.deadline = delivery, since, deadline
        record.cpu = time.process_time()
        record.phase = WORKING

    def end(self, deadline: float) -> None:
        """The child has ended a delivery; `deadline` is for what it does between two."""
        self.record.phase = LANE
        self.record.deadline = deadline

    def leave_lane(self) -> None:
        """The child holds nothing any more."""
        self.record.phase = IDLE

    @property
    def held(self) -> Held | None:
        """What the child works on, or None."""
        record = self.record
        if record.phase == IDLE:
            return None
        delivery = record.delivery if record.phase == WORKING else 0
        return Held(record.schema.decode(), record.plugin.decode(), record.fence, delivery, record.since)

    def overdue(self, now: float) -> bool:
        """Whether the child has passed its hard limit."""
        return self.record.phase != IDLE and now > self.record.deadline

    def stuck(self, now: float, after: float) -> bool:
        """Whether the child has been busy with one delivery for more than `after` seconds."""
        since = self.busy_since
        return since is not None and now - since > after

    @property
    def busy_since(self) -> float | None:
        """When the delivery in hand began, by the monotonic clock; None between two."""
        return self.record.since if self.record.phase == WORKING else None


def allocate(count: int) -> list[Slot]:
    """`count` records in memory that forked children share."""
    size = (ctypes.sizeof(_Record) + 63) // 64 * 64
    memory = mmap.mmap(-1, size * count)
    slots: list[Slot] = []
    slots += [Slot(memory, i * size, slots) for i in range(count)]
    return slots
