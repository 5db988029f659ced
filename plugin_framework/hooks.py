"""Calls the current tenant's handlers: actions and filters now, events through the delivery queue."""

from __future__ import annotations

import logging
from time import perf_counter
from typing import Any

from django.db import connection
from structlog.contextvars import bound_contextvars

from plugin_framework import activation, metrics
from plugin_framework.activation import BoundHandler, Owed
from plugin_framework.budget import overran
from plugin_framework.db.savepoints import work
from plugin_framework.delivery.emit import emit_event
from plugin_framework.metrics.names import SHORT
from plugin_framework.registry import registry
from plugin_framework.sdk import HookPoint, NoTenant, UnknownHook, Veto
from plugin_framework.sdk._calling import failure

log = logging.getLogger(__name__)
MAX_DEPTH = 8  # handlers calling hooks whose handlers call hooks: deeper than this it is a loop


class TooDeep(RuntimeError):
    """Hooks call each other in a loop. Let the inner handler return without calling the hook again."""


def call_hook(name: str, *args: Any, **kwargs: Any) -> list[Any]:
    """Run the handlers of an action in order and return what they returned; emit instead where `name` is an event.

    A handler that raises is logged, its database work undone, and the others run.

    Raises:
        NoTenant: outside of a tenant. UnknownHook: nobody declares `name`. Veto: a handler's, where the point allows it.
    """
    return run_action(name, args, kwargs)


def run_action(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
    """`call_hook`, with the arguments as they were collected there: collecting them twice would cost as much as a handler."""
    active = activation.current()
    point = registry.points.get(name)
    if point is None or point.kind == "filter":
        raise _unknown(name, "action or event")
    if point.kind == "event":
        emit(name, *args)
        return []
    handlers = active.table.get(name)
    if handlers is None:
        return []
    handlers.calls += 1
    return _run(point, handlers.each, args, kwargs)


def apply_filters(name: str, value: Any, *args: Any, **kwargs: Any) -> Any:
    """Pass `value` through the handlers of a filter, in order; one that raises is skipped and the value kept.

    Raises:
        NoTenant: outside of a tenant. UnknownHook: nobody declares `name` as a filter.
    """
    active = activation.current()
    point = registry.points.get(name)
    if point is None or point.kind != "filter":
        raise _unknown(name, "filter")
    handlers = active.table.get(name)
    if handlers is None:
        return value
    handlers.calls += 1
    for handler in handlers.each:
        for result in _run(point, (handler,), (value, *args), kwargs):  # none if it failed: the value is kept
            value = result
    return value


def emit(name: str, *args: Any) -> None:
    """Write one delivery per handler of an event, in the caller's transaction; those of a plugin that rests for now wait for it.

    Raises:
        NoTenant: outside of a tenant. UnknownHook: nobody declares `name` as an event. TypeError: an argument cannot be kept.
    """
    active = activation.current()
    point = registry.points.get(name)
    if point is None or point.kind != "event":
        raise _unknown(name, "event")
    if len(args) != len(point.args):
        raise TypeError(f"The event {name!r} passes ({', '.join(point.args)}); {len(args)} arguments were given.")
    handlers: list[BoundHandler | Owed] = [*active.handlers(name), *active.owed.get(name, ())]
    if handlers:
        emit_event(name, args, handlers)


def _unknown(name: str, kind: str) -> UnknownHook:
    return UnknownHook(f"Nobody declares {name!r} as {kind}. {UnknownHook.__doc__}")


def _run(
    point: HookPoint, handlers: tuple[BoundHandler, ...], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> list[Any]:
    """What the handlers return that do not fail; what one does to the database is its own (see `savepoints`).

    This is the hot path of every page: what only a failing, slow or querying handler needs is elsewhere. A short call is counted
    (by whoever calls this) and not timed: a bucket of its own for each would cost as much again as the call.
    """
    guards = work().guards
    if len(guards) >= MAX_DEPTH:
        raise TooDeep(f"{point.name!r} is nested {len(guards) + 1} deep. {TooDeep.__doc__}")
    declared = args[: len(point.args)]
    results = []
    guards.append(None)
    try:
        started = perf_counter()
        for handler in handlers:
            try:
                result = handler.call(*args, **kwargs) if handler.takes_more else handler.call(*declared)
                if guards[-1] is not None:
                    with work().at_rest() as guard:
                        guard.keep()
                results.append(result)
            except BaseException as error:  # noqa: BLE001  # raised again where it is meant for the caller
                _failed(point, handler, error)
            finally:
                ended = perf_counter()
                if ended - started > SHORT:
                    _noted(point, handler, ended - started)
                    ended = perf_counter()
                started = ended
    finally:
        guards.pop()
    return results


def _noted(point: HookPoint, handler: BoundHandler, seconds: float) -> None:
    """A call that was not short: keep its time, and complain if it took more than it may."""
    metrics.took_longer(handler.plugin, point.name, seconds)
    if seconds * 1000 > point.budget_ms:
        with work().at_rest(), bound_contextvars(plugin=handler.plugin):
            overran(handler.plugin, handler.name, point.name, seconds * 1000, point.budget_ms)


def _failed(point: HookPoint, handler: BoundHandler, error: BaseException) -> None:
    """Undo what the handler has done, and keep its failure from the caller unless it is meant for the caller."""
    with work().at_rest() as guard, bound_contextvars(plugin=handler.plugin):
        try:
            guard.undo(error)
        except Exception as worse:  # noqa: BLE001  # the connection is lost, say; it goes the way of any failure
            worse.__context__ = error
            error = worse
        if isinstance(error, Veto) and not point.may_veto:
            who = f"{handler.plugin}.{handler.name}"
            log.warning("%s raised a veto, which %r does not allow: %s", who, point.name, error)
        elif isinstance(error, (Veto, NoTenant)) or not isinstance(failure(error), Exception):
            raise error
        elif connection.in_atomic_block and connection.needs_rollback:
            raise error  # the caller's own transaction is gone; going on would only hide why
        else:
            log.error("Handler %s.%s of %r failed", handler.plugin, handler.name, point.name, exc_info=error)
