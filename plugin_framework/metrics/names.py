"""Every metric there is: its name, what it means, its labels. docs/operations/monitoring.md has the same list, and a test says so.

No label ever names a tenant: there are thousands of them, they are nobody's business who reads a dashboard, and the logs have them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

type Kind = Literal["counter", "histogram", "gauge"]
SHORT = 0.001  # seconds; the first bound of hook times: what is below is counted and not timed (see `hooks._run`)
_HOOK_BOUNDS = (SHORT, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_REQUEST_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric as Prometheus sees it.

    Attributes:
        name: as dashboards write it; a counter's ends in `_total`, a time's in `_seconds`.
        meaning: one sentence.
        labels: each with few values, fixed by the code and the installed plugins.
        bounds: of a histogram: upper ends of its buckets, in seconds.
    """

    name: str
    kind: Kind
    meaning: str
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()


REQUESTS = Metric(
    "tenantry_request_seconds",
    "histogram",
    "Requests, and how long each took until its response began. status is 1xx to 5xx; site is public, tenant, platform, or none for "
    "what is answered before anything asks for a tenant.",
    ("status", "site"),
    _REQUEST_BOUNDS,
)
HOOKS = Metric(
    "tenantry_hook_seconds",
    "histogram",
    "Calls of plugins' handlers of actions and filters, while somebody waits. One under 1 ms is counted and adds nothing to the sum.",
    ("plugin", "hook"),
    _HOOK_BOUNDS,
)
DELIVERIES = Metric(
    "tenantry_delivery_seconds",
    "histogram",
    "Calls of plugins' handlers of events, in the worker; without those whose process was killed.",
    ("plugin", "hook"),
    _HOOK_BOUNDS,
)
ATTEMPTS = Metric(
    "tenantry_delivery_attempts_total",
    "counter",
    "Attempts to deliver an event. outcome is done, failed, killed or interrupted; delivery is what has become of it: done, due "
    "(it will be tried again) or dead (given up).",
    ("plugin", "outcome", "delivery"),
)
REFUSED = Metric(
    "tenantry_quota_refusals_total",
    "counter",
    "What a plan's limit has refused. quota is people, storage, or deliveries: times that deliveries were put off to the next day.",
    ("quota",),
)
DATABASE_UP = Metric(
    "tenantry_database_up",
    "gauge",
    "1 if the database answered this scrape in time; without it the others of its kind are absent.",
)
LANES_DUE = Metric(
    "tenantry_lanes_due",
    "gauge",
    "Organisations with deliveries that are due and that no worker has in hand.",
    ("plugin",),
)
LAG = Metric(
    "tenantry_lane_lag_seconds",
    "gauge",
    "How long the one of them that is due for longest has waited; 0 if none is due.",
    ("plugin",),
)
BREAKERS = Metric(
    "tenantry_breakers_open", "gauge", "Organisations whose deliveries rest after failures in a row.", ("plugin",)
)
PAUSED = Metric(
    "tenantry_lanes_paused", "gauge", "Organisations where somebody has paused the deliveries.", ("plugin",)
)
WAKES = Metric("tenantry_wakes_waiting", "gauge", "Wake-ups that no worker has taken up yet.")
WORKERS = Metric("tenantry_workers_alive", "gauge", "Workers whose heartbeat is fresh.")
SPARES = Metric("tenantry_spare_schemas", "gauge", "Spare schemas that are ready for those who sign up.")
SIGN_UPS = Metric(
    "tenantry_sign_ups_waiting",
    "gauge",
    "Organisations that have signed up and are still being set up. given_up is yes for those that wait for somebody to look at them.",
    ("given_up",),
)

COUNTED = (REQUESTS, HOOKS, DELIVERIES, ATTEMPTS, REFUSED)  # by each process, as it works
# Of the database, when somebody looks.
ASKED = (DATABASE_UP, LANES_DUE, LAG, BREAKERS, PAUSED, WAKES, WORKERS, SPARES, SIGN_UPS)
ALL = (*COUNTED, *ASKED)
