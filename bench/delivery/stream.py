"""Emits events at a steady rate, spread over the tenants, each in a transaction of its own as a request's would be."""

from __future__ import annotations

import time

from django.db import transaction

from bench.delivery import fleet
from bench.delivery.names import HARMS, HOSTILE
from plugin_framework import hooks
from plugin_framework.tenancy import TenantRef, tenant_scope


def run(seconds: float, rate: float, tenants: int, harm: bool = False) -> int:
    """Emit `rate` events a second for `seconds` in turn to so many tenants, those that may be hostile left out; how many events.

    The clock is read before the commit, so the commit itself is part of the lag that the handler sees.

    Args:
        harm: each hostile tenant has an event a second too.
    """
    peaceful = fleet.tenants()[HOSTILE : HOSTILE + tenants]
    began = time.monotonic()
    for number in range(round(seconds * rate)):
        time.sleep(max(0.0, began + number / rate - time.monotonic()))
        if harm and number % round(rate) == 0:
            _harm()
        _emit(peaceful[number % len(peaceful)], "bench_clock", time.monotonic_ns)
    return round(seconds * rate)


def backlog(events: int) -> None:
    """Give the hostile tenant that only has much to do its backlog."""
    with tenant_scope(fleet.tenants()[HOSTILE - 1]), transaction.atomic():
        fleet.more("bench_noop", {}, events)


def _harm() -> None:
    for tenant, do in zip(fleet.tenants(), HARMS, strict=False):
        _emit(tenant, "bench_hostile", lambda do=do: do)


def _emit(tenant: TenantRef, name: str, what: object) -> None:
    with tenant_scope(tenant), transaction.atomic():
        hooks.emit(name, what() if callable(what) else what)
