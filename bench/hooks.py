"""One hook with three handlers enabled: called through the shipped SDK, and through each peer with the same handlers registered."""

from __future__ import annotations

import contextlib
import time
from functools import partial

from django.db import transaction

from bench import peers
from bench.clock import microseconds_per_call
from bench.names import OURS, OURS_ALONE
from bench.plugins import POINT, name_of
from bench.tenants import ENABLED, HOOKS, host_of
from plugin_framework import tenancy
from plugin_framework.registry import registry
from plugin_framework.sdk import call_hook
from tenants.resolution import resolve

BATCH = 100
_calls: dict[str, peers.Call] = {}
_scopes = contextlib.ExitStack()


def open_tenant() -> list[str]:
    """Enter the tenant as a request does, and register everything with every peer; the names of what can be timed.

    Raises:
        RuntimeError: a call does not reach exactly the enabled handlers; then its time would say nothing.
    """
    found = resolve(host_of(HOOKS))
    if found is None:
        raise RuntimeError("The benchmark's tenant is not there.")
    _scopes.enter_context(tenancy.tenant_scope(found.ref, found.revisions))
    handlers = {name: spec.new().on_action for name, spec in registry.specs.items()}  # type: ignore[attr-defined]  # ours all
    chosen = frozenset(name_of(number) for number in ENABLED[HOOKS])
    ours = partial(call_hook, POINT, 1)
    _calls.update({OURS: ours, OURS_ALONE: ours} | peers.calls(handlers, chosen))
    if wrong := {name: count for name, call in _calls.items() if (count := peers.reached(call)) != len(chosen)}:
        raise RuntimeError(f"{len(chosen)} handlers are enabled, and other numbers were reached: {wrong}")
    return list(_calls)


def microseconds(what: str, milliseconds: float) -> float:
    """One call of `what`, in CPU time: nobody waits for anything here."""
    call = _calls[what]

    def run(times: int) -> None:
        for _ in range(times):
            call()

    with transaction.atomic() if what == OURS else contextlib.nullcontext():
        return microseconds_per_call(run, BATCH, milliseconds, time.thread_time)
