"""Hook points and the decorator that marks a method as a handler of one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from plugin_framework.sdk._values import TenantInfo

type Kind = Literal["action", "filter", "event"]


@dataclass(frozen=True, slots=True)
class SampleFor:
    """For whom a sample of an event is made up: whatever it names or writes to should be theirs.

    Attributes:
        user: the admin who asks, a saved row with at least `pk`, `email` and `name`.
        tenant: their organisation.
    """

    user: Any
    tenant: TenantInfo


type Sample = Callable[[SampleFor], Sequence[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class HookPoint:
    """One place where plugins can take part, declared once by whoever calls it.

    Attributes:
        name: unique, ``snake_case``.
        kind: ``action`` (now, in order), ``filter`` (a value through each handler) or ``event`` (durable, after commit).
        args: names of the positional arguments a handler receives (for a filter, the value first).
        doc: one sentence: what has happened or is about to.
        when: when it fires. `unless`: when it does not.
        variadic: whether the caller may pass further arguments behind `args`; a handler takes them with ``*args, **kwargs``.
        may_veto: whether a handler may stop the caller by raising ``Veto``.
        budget_ms: how long a handler of an action or filter may take, in milliseconds; one that repeatedly takes longer is paused.
        sample: makes up the arguments of an event, for the admin who wants to see what a plugin does with it; see `event`.
    """

    name: str
    kind: Kind
    args: tuple[str, ...]
    doc: str
    when: str = ""
    unless: str = ""
    variadic: bool = False
    may_veto: bool = False
    budget_ms: int = 250
    sample: Sample | None = None


def action(
    name: str, *args: str, doc: str, when: str = "", unless: str = "", variadic: bool = False, may_veto: bool = False
) -> HookPoint:
    """Declare an action: handlers run now, in order; each one's failure is its own."""
    return HookPoint(
        name=name, kind="action", args=args, doc=doc, when=when, unless=unless, variadic=variadic, may_veto=may_veto
    )


def filter_value(name: str, *args: str, doc: str, when: str = "", unless: str = "") -> HookPoint:
    """Declare a filter: the first argument is the value, each handler returns the next one."""
    return HookPoint(name=name, kind="filter", args=args, doc=doc, when=when, unless=unless)


def event(name: str, *args: str, doc: str, when: str = "", unless: str = "", sample: Sample | None = None) -> HookPoint:
    """Declare an event: delivered after the commit, at least once to each handler.

    Args:
        sample: makes up the arguments, for "Send a sample event": ``sample=lambda to: (Order(pk=0, customer_email=to.user.email),)``.
            Here, and nowhere else, rows that were never saved may be among them; they reach the handler as they are. It is called
            inside the tenant and must change nothing. Nobody but who asks should be written to. Without it there is no sample.
    """
    return HookPoint(name=name, kind="event", args=args, doc=doc, when=when, unless=unless, sample=sample)


def hook[F: Callable[..., object]](hook_name: str) -> Callable[[F], F]:
    """Mark a plugin's method as a handler of `hook_name`."""

    def mark(func: F) -> F:
        func._hook_name = hook_name  # type: ignore[attr-defined]  # the mark lives on the function, as Django's decorators do
        return func

    return mark
