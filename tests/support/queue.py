"""Works off what is queued, in this process and now: the worker's own code, without waiting for one. Needs `committed_db`."""

from __future__ import annotations

import time

from plugin_framework.delivery import folding, lanes
from plugin_framework.delivery.lane_run import run_lane
from plugin_framework.delivery.options import Options
from plugin_framework.delivery.slots import allocate
from plugin_framework.tenancy import public_scope


def work_off() -> None:
    """Run every lane that is due, of all tenants, as a worker's child does."""
    slot = allocate(1)[0]
    slot.record.lease_until = time.monotonic() + 600
    with public_scope():
        folding.fold()
        while (lane := lanes.claim("test", 600)) is not None:
            run_lane(lane, slot, Options(), lambda: False, lambda seconds: None)
