"""Which tenant the running code works for: the one module through which the engine sees the current tenant.

The answer lives in a ``ContextVar``, never on a connection or a class, so two threads cannot mix theirs up (django-tenants 4.0.1
keeps it in a class-level list, and its decorators in one shared object). The database wrapper reads it before every cursor.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from plugin_framework import zones
from plugin_framework.sdk import NoTenant, TenantInfo

PUBLIC = "public"
# The search_path that sees no table. Not '': PgBouncer, which may carry the path along, cannot send that one on (1.24.1).
NOWHERE = '""'


@dataclass(frozen=True, slots=True)
class TenantRef(TenantInfo):
    """The engine's view of one tenant: what the SDK shows of it, the schema that holds its data, and the name of its logo's file."""

    schema: str
    logo: str = field(default="", kw_only=True)


@dataclass(frozen=True, slots=True)
class Revisions:
    """What a tenant's active plugin set is keyed by: its own plugin revision and the catalog's."""

    plugins: int
    catalog: int


@dataclass(frozen=True, slots=True)
class Clocks:
    """When a scope was entered, in seconds: by the wall, by the CPU time of this process, and by that of this thread."""

    wall: float
    process: float
    thread: float

    @classmethod
    def now(cls) -> Clocks:
        """What they say now."""
        return cls(time.perf_counter(), time.process_time(), time.thread_time())


@dataclass(slots=True, eq=False)
class Scope:
    """One stretch of work inside a tenant (or, with ``tenant=None``, in the shared public schema)."""

    tenant: TenantRef | None
    search_path: str
    revisions: Revisions | None = None  # as the request's one statement saw them; None: ask when needed
    on_exit: list[Callable[[], None]] = field(default_factory=list)
    memo: dict[str, object] = field(default_factory=dict)
    entered: Clocks | None = None  # of a tenant's scope
    at_work: dict[int, Any] = field(default_factory=dict)  # running handlers by thread; kept by `db.savepoints`
    timezone: str = zones.DEFAULT  # that of dates; shared work within a tenant's is in the tenant's
    outer: Scope | None = None  # the one it was entered from


_scope: ContextVar[Scope | None] = ContextVar("tenantry_scope", default=None)


def path_for(schema: str) -> str:
    """The search_path of a tenant's scope, spelt exactly as it is sent, so that it can be compared with the server's.

    Without `public`: the shared tables are named with their schema (`db.shared_tables`), and what a tenant lacks is found nowhere.
    """
    return f'"{schema}"'


def current_scope() -> Scope | None:
    """The innermost scope of this thread or task, or None outside of any."""
    return _scope.get()


def search_path() -> str:
    """The search_path the connection must have now; NOWHERE outside of any scope."""
    scope = _scope.get()
    return NOWHERE if scope is None else scope.search_path


def current_tenant() -> TenantRef:
    """The tenant the running code works for.

    Raises:
        NoTenant: outside of a tenant, the public scope included. Nothing is "public by default".
    """
    scope = _scope.get()
    if scope is None or scope.tenant is None:
        raise NoTenant
    return scope.tenant


def tenant_or_none() -> TenantRef | None:
    """The current tenant, or None; for logging and templates, which must work on the public host too."""
    scope = _scope.get()
    return None if scope is None else scope.tenant


@contextmanager
def tenant_scope(tenant: TenantRef, revisions: Revisions | None = None) -> Iterator[TenantRef]:
    """Work inside `tenant`; what was current before is current again afterwards, whatever happened.

    Args:
        tenant: whose schema, plugins and settings apply.
        revisions: the revisions the caller has just read, to save asking for them again.
    """
    with _entered(Scope(tenant, path_for(tenant.schema), revisions, entered=Clocks.now())):
        yield tenant


@contextmanager
def public_scope() -> Iterator[None]:
    """Reach the shared tables (tenants, catalog, wake-ups) on purpose; no tenant is current inside."""
    with _entered(Scope(None, PUBLIC)):
        yield


@contextmanager
def no_scope() -> Iterator[None]:
    """Leave every scope: what follows sees no table until it enters one (used around code that must not inherit ours)."""
    outer = _scope.get()
    token = _scope.set(None)
    back = zones.switch(_timezone(outer), zones.DEFAULT)
    try:
        yield
    finally:
        back()
        _scope.reset(token)


@contextmanager
def _entered(scope: Scope) -> Iterator[None]:
    outer = scope.outer = _scope.get()
    if outer is not None:
        scope.at_work = outer.at_work  # a handler that enters another scope is the same handler
    scope.timezone = scope.tenant.timezone if scope.tenant is not None else _timezone(outer)
    token = _scope.set(scope)
    back = zones.switch(_timezone(outer), scope.timezone)
    try:
        yield
    finally:
        try:
            for callback in reversed(scope.on_exit):
                callback()
        finally:
            back()
            _scope.reset(token)


def _timezone(scope: Scope | None) -> str:
    return zones.DEFAULT if scope is None else scope.timezone


def bound[**P, R](func: Callable[P, R]) -> Callable[P, R]:
    """`func` bound to the scope current now, for code that leaves it: threads, ``on_commit``, streamed bodies.

    Only the tenant is taken along, not the scope itself: its resources end with the request that opened it.
    """
    scope = _scope.get()

    @functools.wraps(func)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if scope is None:
            with no_scope():
                return func(*args, **kwargs)
        with _entered(Scope(scope.tenant, scope.search_path)):
            return func(*args, **kwargs)

    return run
