"""The peers of `call_hook`. Each gets all registered handlers, and must call those that the current tenant has enabled."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from functools import partial
from typing import Any

import blinker
import pluggy
from django.dispatch import Signal

from bench.names import BLINKER, BLINKER_BY_SENDER, PLUGGY, SIGNAL, SIGNAL_BY_SENDER
from bench.plugins import POINT

type Handler = Callable[[int], int]
type Call = Callable[[], list[Any]]


_enabled: ContextVar[frozenset[str]] = ContextVar("enabled")  # how a receiver knows what its tenant has enabled
_kept: list[object] = []  # signals have weak references only


def calls(handlers: Mapping[str, Handler], chosen: frozenset[str]) -> dict[str, Call]:
    """One call of the hook, by peer.

    Signals know no tenants. Either each receiver asks whether its plugin is enabled, or the sender is the tenant and every
    enabling connects the plugin for it; both are measured.

    Args:
        handlers: of all registered plugins, by plugin.
        chosen: the plugins that the tenant has enabled; each of the others is enabled for a tenant of its own.
    """
    _enabled.set(chosen)
    tenant = _Tenant()
    asking, by_sender = Signal(), Signal(use_caching=True)
    blinker_asking, blinker_by_sender = blinker.Signal(), blinker.Signal()
    for name, handler in handlers.items():
        ask, tell, sender = _asking(name, handler), _telling(handler), tenant if name in chosen else _Tenant()
        _kept.extend((ask, tell, sender))
        asking.connect(ask)
        blinker_asking.connect(ask)
        by_sender.connect(tell, sender=sender)
        blinker_by_sender.connect(tell, sender=sender)
    return {
        PLUGGY: partial(_subset(handlers, chosen), value=1),
        SIGNAL: partial(asking.send_robust, tenant, value=1),
        SIGNAL_BY_SENDER: partial(by_sender.send_robust, tenant, value=1),
        BLINKER: partial(blinker_asking.send, tenant, value=1),
        BLINKER_BY_SENDER: partial(blinker_by_sender.send, tenant, value=1),
    }


def reached(call: Call) -> int:
    """How many handlers answered; signals pair each answer with its receiver."""
    answers = [each[1] if isinstance(each, tuple) else each for each in call()]
    return sum(answer is not None for answer in answers)


class _Tenant:
    """A sender; a bare object cannot be referred to weakly."""


def _asking(name: str, handler: Handler) -> Callable[..., int | None]:
    def receive(sender: object, value: int, **_: Any) -> int | None:
        return handler(value) if name in _enabled.get() else None

    return receive


def _telling(handler: Handler) -> Callable[..., int]:
    def receive(sender: object, value: int, **_: Any) -> int:
        return handler(value)

    return receive


def _subset(handlers: Mapping[str, Handler], chosen: frozenset[str]) -> Any:
    """pluggy's caller for the chosen plugins, made once and kept: its users would keep one a tenant."""
    manager = pluggy.PluginManager("bench")
    manager.add_hookspecs(_Specification)
    plugins = {name: _Plugin() for name in handlers}
    for name, plugin in plugins.items():
        manager.register(plugin, name)
    return manager.subset_hook_caller(POINT, [plugin for name, plugin in plugins.items() if name not in chosen])


class _Specification:
    @pluggy.HookspecMarker("bench")
    def bench_action(self, value: int) -> int:  # type: ignore[empty-body]  # a specification has none
        """What the benchmark calls."""


class _Plugin:
    """The same handler, as pluggy wants it."""

    @pluggy.HookimplMarker("bench")
    def bench_action(self, value: int) -> int:
        return value
