"""Calls the current tenant's handlers: actions and filters now, events through the delivery queue."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from django.db import DatabaseError, connection, transaction

from plugin_framework import activation
from plugin_framework.activation import BoundHandler, Owed
from plugin_framework.budget import overran
from plugin_framework.delivery.emit import emit_event
from plugin_framework.registry import registry
from plugin_framework.sdk import HookPoint, NoTenant, UnknownHook, Veto

log = logging.getLogger(__name__)
MAX_DEPTH = 8  # handlers calling hooks whose handlers call hooks: deeper than this it is a loop
_depth: ContextVar[int] = ContextVar("tenantry_hook_depth", default=0)
_FAILED = object()


class TooDeep(RuntimeError):
    """Hooks call each other in a loop. Let the inner handler return without calling the hook again."""


def call_hook(name: str, *args: Any, **kwargs: Any) -> list[Any]:
    """Run the handlers of an action in order and return what they returned; emit instead where `name` is an event.

    A handler that raises is logged, its database work undone, and the others run.

    Raises:
        NoTenant: outside of a tenant. UnknownHook: nobody declares `name`. Veto: a handler's, where the point allows it.
    """
    active = activation.current()
    point = _point(name, "action", "event")
    if point.kind == "event":
        emit(name, *args)
        return []
    handlers = active.table.get(name)
    if not handlers:
        return []
    results = []
    with _Deeper(name):
        for handler in handlers:
            result = _isolated(point, handler, args, kwargs)
            if result is not _FAILED:
                results.append(result)
    return results


def apply_filters(name: str, value: Any, *args: Any, **kwargs: Any) -> Any:
    """Pass `value` through the handlers of a filter, in order; one that raises is skipped and the value kept.

    Raises:
        NoTenant: outside of a tenant. UnknownHook: nobody declares `name` as a filter.
    """
    active = activation.current()
    point = _point(name, "filter")
    handlers = active.table.get(name)
    if not handlers:
        return value
    with _Deeper(name):
        for handler in handlers:
            result = _isolated(point, handler, (value, *args), kwargs)
            if result is not _FAILED:
                value = result
    return value


def emit(name: str, *args: Any) -> None:
    """Write one delivery per handler of an event, in the caller's transaction; those of a plugin that rests for now wait for it.

    Raises:
        NoTenant: outside of a tenant. UnknownHook: nobody declares `name` as an event. TypeError: an argument cannot be kept.
    """
    active = activation.current()
    point = _point(name, "event")
    if len(args) != len(point.args):
        raise TypeError(f"The event {name!r} passes ({', '.join(point.args)}); {len(args)} arguments were given.")
    handlers: list[BoundHandler | Owed] = [*active.table.get(name, ()), *active.owed.get(name, ())]
    if handlers:
        emit_event(name, args, handlers)


def inside_handler() -> bool:
    """Whether a handler of an action or filter is running in this thread: somebody waits for it to end."""
    return _depth.get() > 0


def _point(name: str, *kinds: str) -> HookPoint:
    point = registry.points.get(name)
    if point is None or point.kind not in kinds:
        raise UnknownHook(f"Nobody declares {name!r} as {' or '.join(kinds)}. {UnknownHook.__doc__}")
    return point


def _isolated(point: HookPoint, handler: BoundHandler, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """One handler, its failure kept from the caller and from the caller's transaction."""
    if not handler.takes_more:
        args, kwargs = args[: len(point.args)], {}
    started = time.perf_counter()
    run = _in_savepoint if connection.in_atomic_block else _in_transaction
    try:
        return run(lambda: handler.call(*args, **kwargs))
    except Veto as veto:
        if point.may_veto:
            raise
        log.warning("%s.%s raised a veto, which %r does not allow: %s", handler.plugin, handler.name, point.name, veto)
    except NoTenant:
        raise
    except Exception:  # a handler may raise anything; it must not break its caller or the other handlers
        if connection.in_atomic_block and connection.needs_rollback:
            raise  # the caller's own transaction is gone; going on would only hide why
        log.exception("Handler %s.%s of %r failed", handler.plugin, handler.name, point.name)
    finally:
        elapsed = (time.perf_counter() - started) * 1000
        if elapsed > point.budget_ms:
            overran(handler.plugin, handler.name, point.name, elapsed, point.budget_ms)
    return _FAILED


def _in_savepoint(call: Callable[[], Any]) -> Any:
    """Inside the caller's transaction: a savepoint that is sent only if the handler touches the database."""
    savepoints = connection.lazy_savepoints  # type: ignore[attr-defined]  # our own wrapper's
    guard = savepoints.begin()
    try:
        result = call()
    except BaseException:
        savepoints.undo(guard)
        raise
    if not savepoints.keep(guard):
        raise DatabaseError("The handler swallowed a database error; its work was undone.")
    return result


def _in_transaction(call: Callable[[], Any]) -> Any:
    """Outside of one: the handler's own transaction, which costs no round trip unless it touches the database."""
    with transaction.atomic():
        return call()


class _Deeper:
    """Counts how deep hooks are nested."""

    __slots__ = ("_token", "name")

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> None:
        depth = _depth.get() + 1
        if depth > MAX_DEPTH:
            raise TooDeep(f"{self.name!r} is nested {depth} deep. {TooDeep.__doc__}")
        self._token = _depth.set(depth)

    def __exit__(self, *exc: object) -> None:
        _depth.reset(self._token)
