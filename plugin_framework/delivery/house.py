"""What the platform itself owes a tenant (a mail to its admins, say): kept and delivered like a plugin's events, past no gate."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from plugin_framework import tenancy_directory as tenant_directory
from plugin_framework.activation import BoundHandler
from plugin_framework.delivery import times
from plugin_framework.delivery.emit import emit_event
from plugin_framework.tenancy import TenantRef

HOUSE = "@tenantry"  # stands where a plugin's name does; no plugin can be called so
_handlers: dict[str, BoundHandler] = {}
_schedules: dict[str, tuple[str, bool]] = {}


def register(name: str, call: Callable[..., object], *, cron: str = "", platform_only: bool = False) -> None:
    """Let `call` be what does the platform's work called `name`; at start, in every process.

    It runs in the worker, inside the tenant, at least once for each time it is owed.

    Args:
        cron: the times at which it is owed by itself, as in cron(5), UTC; "" if only `owe` says so.
        platform_only: whether these are the platform's own tenant's alone, for what concerns the whole installation; else each has its own.

    Raises:
        ValueError: something else has that name. BadSchedule: the times cannot be read.
    """
    if name in _handlers and _handlers[name].call is not call:
        raise ValueError(f"The platform's work {name!r} has a handler already; choose another name.")
    _handlers[name] = BoundHandler(HOUSE, name, name, call, False)
    if cron:
        times.check(cron)
        _schedules[name] = (cron, platform_only)


def jobs(tenant: TenantRef) -> Mapping[str, str]:
    """What is owed to `tenant` by the clock: name to expression."""
    is_platform = tenant.schema == tenant_directory.PLATFORM
    return {name: cron for name, (cron, only) in _schedules.items() if is_platform or not only}


def common_jobs() -> Mapping[str, list[str]]:
    """What is owed to every tenant by the clock: `jobs` and their `expressions`."""
    common = {name: cron for name, (cron, only) in _schedules.items() if not only}
    return {"jobs": list(common), "expressions": list(common.values())}


def owe(name: str, *args: object) -> None:
    """Have the work `name` done for the current tenant once the current transaction is committed, with `args`.

    Raises:
        KeyError: nobody has registered such work. TypeError: an argument cannot be kept.
    """
    emit_event(name, args, [_handlers[name]])


def find(name: str) -> BoundHandler | None:
    """What does the work `name`, if this version of the platform still knows it."""
    return _handlers.get(name)
