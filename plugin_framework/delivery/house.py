"""What the platform itself owes a tenant (a mail to its admins, say): kept and delivered like a plugin's events, past no gate."""

from __future__ import annotations

from collections.abc import Callable

from plugin_framework.activation import BoundHandler
from plugin_framework.delivery.emit import emit_event

HOUSE = "@tenantry"  # stands where a plugin's name does; no plugin can be called so
_handlers: dict[str, BoundHandler] = {}


def register(name: str, call: Callable[..., object]) -> None:
    """Let `call` be what does the platform's work called `name`; at start, in every process.

    It runs in the worker, inside the tenant, at least once for each time it is owed.

    Raises:
        ValueError: something else has that name.
    """
    if name in _handlers and _handlers[name].call is not call:
        raise ValueError(f"The platform's work {name!r} has a handler already; choose another name.")
    _handlers[name] = BoundHandler(HOUSE, name, name, call, False)


def owe(name: str, *args: object) -> None:
    """Have the work `name` done for the current tenant once the current transaction is committed, with `args`.

    Raises:
        KeyError: nobody has registered such work. TypeError: an argument cannot be kept.
    """
    emit_event(name, args, [_handlers[name]])


def find(name: str) -> BoundHandler | None:
    """What does the work `name`, if this version of the platform still knows it."""
    return _handlers.get(name)
