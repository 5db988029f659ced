"""The active plugin set: which plugins run for the current tenant, with which settings. Immutable, and cached by revisions.

Nothing is ever told to forget: a change commits with a new revision, the next request reads that revision and finds no set for
it. Sets seen inside a transaction that changed something are kept to that scope, for it may still be rolled back.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from django.utils import timezone

from plugin_framework import gate, instances, layers, masking, metrics, starting, tenancy, tenant_record
from plugin_framework.catalog import revisions
from plugin_framework.catalog.offers import DEFAULT, offers
from plugin_framework.db.recorded import lacking
from plugin_framework.instances import Held, Instance
from plugin_framework.registry import JOB_HOOK, registry
from plugin_framework.sdk import NoTenant, PluginInterface
from plugin_framework.sdk._words import Sentence, reread
from plugin_framework.tenancy import Revisions, TenantRef
from plugin_framework.tenant_record import Enabled, TenantRecord

CACHED_TENANTS = 512  # active sets kept in this process; the least recently used goes first
BYTES_PER_TENANT = 32 * 1024  # that one of them takes at most, with the built-in plugins; a test measures it
RETRY_FAILED_START = 30.0  # seconds until a plugin whose initialize() raised is tried again
_MEMO, _BUILDING = "active_set", "active_set_is_built"


class StillStarting(RuntimeError):
    """A plugin asked what runs here while that is being found out, in its initialize() say. Ask when a handler or a page is called."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


@dataclass(frozen=True, slots=True)
class BoundHandler:
    """One handler of one running plugin of one tenant."""

    plugin: str
    name: str
    hook: str
    call: Callable[..., Any]
    takes_more: bool


@dataclass(slots=True, eq=False)
class Handlers:
    """The handlers of one hook, in order. `calls`: how often it was called since that was last told to `metrics`."""

    each: tuple[BoundHandler, ...]
    calls: int = 0


@dataclass(frozen=True, slots=True)
class Owed:
    """One handler of a plugin that was set up and does not run just now: events wait for it."""

    plugin: str
    name: str


@dataclass(frozen=True, slots=True, eq=False)
class ActiveSet:
    """The plugins that run for one tenant as of `revisions`, and the gate's facts about those that do not."""

    tenant: TenantRef
    revisions: Revisions
    facts: gate.Facts
    plugins: Mapping[str, PluginInterface]  # in the order in which their handlers run
    table: Mapping[str, Handlers]
    owed: Mapping[str, tuple[Owed, ...]]  # handlers to which events are kept for later; see `_owed`
    held: Held
    retry_at: float  # monotonic seconds; after it a plugin that failed to start or was paused is tried again

    def decision(self, plugin: str) -> gate.Decision:
        """The gate's answer for `plugin`, whether it is known here or not."""
        return gate.decide(plugin, self.facts, registry)

    def kept_on(self, plugin: str) -> Sentence | str:
        """Why `plugin` cannot be disabled here; "" if it can."""
        return gate.kept_on(plugin, self.facts, registry)

    def find(self, plugin: str, name: str, hook: str) -> BoundHandler | None:
        """The handler a queued delivery is meant for, if its plugin runs and still has it."""
        return next((h for h in self.handlers(hook) if h.plugin == plugin and h.name == name), None)

    def handlers(self, hook: str) -> tuple[BoundHandler, ...]:
        """Those of `hook`, in the order in which they run."""
        found = self.table.get(hook)
        return found.each if found else ()

    def leave(self) -> None:
        """A scope that used it ends."""
        for hook, handlers in self.table.items():
            calls, handlers.calls = handlers.calls, 0
            if calls:
                metrics.went_through(hook, [each.plugin for each in handlers.each], calls)
        instances.leave(self.held)


class _Cache:
    """Active sets by tenant schema; one set a tenant, least recently used first out."""

    def __init__(self) -> None:
        self._sets: OrderedDict[str, ActiveSet] = OrderedDict()
        self._lock = threading.Lock()
        self._building = [threading.Lock() for _ in range(64)]  # so that one change makes one build, not one per thread

    def use(self, tenant: TenantRef, wanted: Revisions, record: TenantRecord | None = None) -> ActiveSet:
        while True:
            found = self._fresh(tenant.schema, wanted)
            if found is None:
                with self._building[hash(tenant.schema) % len(self._building)]:
                    found = self._fresh(tenant.schema, wanted) or self._put(
                        build(tenant, wanted, self._old(tenant.schema), record)
                    )
            if instances.use(found.held):
                return found

    def known(self, schema: str) -> Revisions | None:
        with self._lock:
            found = self._sets.get(schema)
            return None if found is None or time.monotonic() >= found.retry_at else found.revisions

    def _old(self, schema: str) -> ActiveSet | None:
        with self._lock:
            return self._sets.get(schema)

    def _fresh(self, schema: str, wanted: Revisions) -> ActiveSet | None:
        with self._lock:
            found = self._sets.get(schema)
            if found is None or found.revisions != wanted or time.monotonic() >= found.retry_at:
                return None
            self._sets.move_to_end(schema)
            return found

    def _put(self, fresh: ActiveSet) -> ActiveSet:
        gone: list[ActiveSet] = []
        with self._lock:
            old = self._sets.pop(fresh.tenant.schema, None)
            gone += [old] if old else []
            self._sets[fresh.tenant.schema] = fresh
            while len(self._sets) > CACHED_TENANTS:
                gone.append(self._sets.popitem(last=False)[1])
        for each in gone:
            instances.retire(each.held)
        return fresh

    def clear(self) -> None:
        with self._lock:
            gone, self._sets = list(self._sets.values()), OrderedDict()
        for each in gone:
            instances.retire(each.held)


cache = _Cache()


def current() -> ActiveSet:
    """The current tenant's active set; from this scope's memory, else this process's, else a few queries.

    Raises:
        NoTenant: outside of a tenant: never "all plugins". StillStarting: by code of a plugin that this very set is waiting for.
    """
    scope = tenancy.current_scope()
    if scope is None or scope.tenant is None:
        raise NoTenant
    memo = scope.memo
    mine = memo.get(_MEMO)
    if isinstance(mine, ActiveSet) and revisions.CHANGED not in memo:
        return mine
    if memo.get(_BUILDING) == threading.get_ident():
        raise StillStarting
    wanted = revisions.read()
    if isinstance(mine, ActiveSet) and mine.revisions == wanted:
        return mine
    found = _private(scope.tenant, wanted) if revisions.CHANGED in scope.memo else cache.use(scope.tenant, wanted)
    scope.memo[_MEMO] = found
    masking.used(scope.tenant.schema)
    scope.on_exit.append(found.leave)
    return found


def last_known(schema: str) -> Revisions | None:
    """As of when this process has an active set of a tenant, to be entered with by who finds out later whether that still holds."""
    return cache.known(schema)


def nothing_enabled() -> None:
    """Let this scope work with no plugin at all, for who has just read that the current tenant, a new one, has none enabled.

    Nobody else sees the tenant yet, so nothing can change about that meanwhile; finding it out again costs as much as making the tenant.
    """
    scope, tenant = tenancy.current_scope(), tenancy.current_tenant()
    if scope is not None:
        facts = gate.Facts(tenant.schema, {}, frozenset(), None, {})
        none: MappingProxyType[str, Any] = MappingProxyType({})
        held = instances.hold(())
        scope.memo[_MEMO] = ActiveSet(tenant, Revisions(0, 0), facts, none, none, none, held, float("inf"))


def _private(tenant: TenantRef, wanted: Revisions) -> ActiveSet:
    """A set for one scope only, whose change is not committed yet."""
    found = build(tenant, wanted, cache._old(tenant.schema))
    instances.use(found.held)
    instances.retire(found.held)
    return found


def of_many(tenants: Sequence[TenantRef]) -> dict[str, tuple[ActiveSet, TenantRecord]]:
    """The active sets of other tenants by schema, and what they were made of, in a few statements; for a page that shows many.

    Those whose schema has not its tables are left out.

    Args:
        tenants: a few dozen at a time. The sets take the places of others in this process's memory, as their own requests would.
    """
    catalog = revisions.read().catalog
    records = tenant_record.read_many([each.schema for each in tenants], _apps())
    found: dict[str, tuple[ActiveSet, TenantRecord]] = {}
    for each in tenants:
        if each.schema not in records:
            continue
        revision, record = records[each.schema]
        wanted = Revisions(revision, catalog)
        with tenancy.tenant_scope(each, wanted):
            active = cache.use(each, wanted, record)
            active.leave()
        found[each.schema] = active, record
    return found


def _apps() -> set[str]:
    return {spec.app_label for spec in registry.specs.values() if spec.app_label}


def build(tenant: TenantRef, wanted: Revisions, old: ActiveSet | None, record: TenantRecord | None = None) -> ActiveSet:
    """Make the active set of the current tenant; instances whose settings did not change are taken over from `old`.

    Args:
        record: what is stored of it, if the caller has it as of `wanted`; else it is read.
    """
    record = record or tenant_record.read(_apps())
    with _no_other_begun():
        return _built(tenant, wanted, old, record)


@contextmanager
def _no_other_begun() -> Iterator[None]:
    """Plugins that ask meanwhile what runs here would wait for themselves, with everybody else behind them."""
    scope = tenancy.current_scope()
    memo: dict[str, object] = {} if scope is None else scope.memo
    memo[_BUILDING] = threading.get_ident()
    try:
        yield
    finally:
        memo.pop(_BUILDING, None)


def _built(tenant: TenantRef, wanted: Revisions, old: ActiveSet | None, record: TenantRecord) -> ActiveSet:
    rows = record.enabled
    now = timezone.now()
    pauses = {name: row.paused_until - now for name, row in rows.items() if row.paused_until and row.paused_until > now}
    paused = {name: gate.Decision(gate.Reason.PAUSED, reread(rows[name].paused_reason)) for name in pauses}
    facts = gate.Facts(tenant.schema, offers(wanted.catalog), frozenset(rows), record.plan, paused)
    startable = [spec for spec in registry.specs.values() if gate.decide(spec.name, facts, registry).runs]
    problems = dict(paused)
    behind = lacking(record.migrations, {spec.app_label for spec in startable if spec.app_label})
    old_tables = {app for app, _ in behind}
    made: dict[str, Instance] = {}
    kept = {each.plugin.name: each for each in old.held.instances} if old else {}
    for spec in startable:
        if updating := starting.updating(spec, rows[spec.name], old_tables):
            problems[spec.name] = updating
            continue
        revision = rows[spec.name].settings_revision
        platform = layers.platform_of(spec, facts.offers.get(spec.name, DEFAULT))
        instance = kept.get(spec.name)
        if (
            instance is None
            or instance.settings_revision != revision
            or instance.platform != platform
            or instance.cleaned
            or instance.plugin.tenant != tenant  # of a sign-up that was rolled back, whose schema this one got
            or type(instance.plugin) is not spec.cls
        ):
            instance = starting.start(
                spec, tenant, rows[spec.name], record.settings.get(spec.name, {}), platform, problems
            )
        if instance is not None:
            made[spec.name] = instance
    facts = replace(facts, problems=problems)
    running = {name: each for name, each in made.items() if gate.decide(name, facts, registry).runs}
    failed = any(problem.reason is gate.Reason.FAILED_TO_START for problem in problems.values())
    look_again = [RETRY_FAILED_START] if failed else []
    look_again += [left.total_seconds() for left in pauses.values()]
    return ActiveSet(
        tenant=tenant,
        revisions=wanted,
        facts=facts,
        plugins=MappingProxyType({name: each.plugin for name, each in running.items()}),
        table=_table({name: each.plugin for name, each in running.items()}),
        owed=_owed(facts, rows),
        held=instances.hold(made.values()),
        retry_at=time.monotonic() + min(look_again, default=float("inf")),
    )


def _table(plugins: Mapping[str, PluginInterface]) -> Mapping[str, Handlers]:
    table: dict[str, list[BoundHandler]] = {}
    for name, plugin in plugins.items():
        for handler in registry.specs[name].handlers:
            bound = BoundHandler(
                name, handler.method, handler.hook, getattr(plugin, handler.method), handler.takes_more
            )
            table.setdefault(handler.hook, []).append(bound)
        for job in registry.specs[name].jobs:
            due = BoundHandler(name, job.method, JOB_HOOK, getattr(plugin, job.method), False)
            table.setdefault(JOB_HOOK, []).append(due)
    return MappingProxyType({hook: Handlers(tuple(handlers)) for hook, handlers in table.items()})


def _owed(facts: gate.Facts, rows: Mapping[str, Enabled]) -> Mapping[str, tuple[Owed, ...]]:
    """By hook, the handlers of plugins that will run again by themselves, or as soon as somebody mends what used to work.

    A plugin that was never set up is owed nothing: whoever sets it up at last does not expect last month's mails.
    """
    waiting = {gate.Reason.PAUSED, gate.Reason.FAILED_TO_START, gate.Reason.UPDATING}
    table: dict[str, list[Owed]] = {}
    for name, problem in facts.problems.items():
        was_set_up = problem.reason is gate.Reason.NEEDS_SETUP and rows[name].settings_revision > 0
        if gate.decide(name, facts, registry) == problem and (problem.reason in waiting or was_set_up):
            for handler in registry.specs[name].handlers:
                table.setdefault(handler.hook, []).append(Owed(name, handler.method))
    return MappingProxyType({hook: tuple(handlers) for hook, handlers in table.items()})
