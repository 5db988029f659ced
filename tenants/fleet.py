"""Migrates the public schema, the platform's tenant and every other tenant, each in its own transaction, several at a time.

What older code could not live with waits until the end of a deploy (`Options.finish`); see `plugin_framework.db.rollout`.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace

from django.conf import settings
from django.db import OperationalError, connection, transaction

from plugin_framework.catalog.revisions import bump_tenant
from plugin_framework.changing import lock_plugins, release_held
from plugin_framework.citus import cluster
from plugin_framework.db import finished, wear
from plugin_framework.db.migrator import MigrationFailed, migrate_schema, shared_labels, tenant_labels
from plugin_framework.delivery import schedule
from plugin_framework.lifecycle import labels_here, record_tables, record_versions
from plugin_framework.models import PluginState
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from plugin_framework.tenancy_directory import everyone, find
from plugin_framework.upgrades import Finding, findings, upgrade
from tenants import blueprint
from tenants.behind import Behind, is_broken, survey
from tenants.models import PLATFORM_SCHEMA
from tenants.provisioning import ensure_platform

log = logging.getLogger(__name__)
PUBLIC = "public"  # who the shared schema is in a report
_AGAIN = {"55P03", "40P01"}  # lock_not_available, deadlock_detected: somebody was in the way


@dataclass(frozen=True, slots=True)
class Options:
    """How a fleet is migrated.

    Attributes:
        jobs: tenants at the same time, each on a connection of its own.
        canaries: slugs that go first, after the platform's own tenant; the others follow only if all of these succeed.
        only: slugs of the tenants that are migrated; empty: all.
        max_failures: after so many failed tenants no other is begun. Those whose schema is lost do not count: they would end each deploy.
        lock_timeout: seconds that a statement waits for a lock; longer would make the tenant's own requests queue behind it.
        tries: times that a schema is tried when somebody is in the way.
        finish: no process with older code is left: also what those could not have lived with.
    """

    jobs: int = 1
    canaries: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    max_failures: int = 3
    lock_timeout: float = 2.0
    tries: int = 6
    finish: bool = False

    def __post_init__(self) -> None:
        if self.jobs < 1 or self.max_failures < 1 or self.tries < 1 or self.lock_timeout <= 0:
            raise ValueError("Jobs, failures and tries must be at least 1, and the lock timeout more than 0 seconds.")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What migrating one schema came to."""

    who: str
    applied: tuple[str, ...] = ()
    error: str = ""
    unfit: tuple[Finding, ...] = ()  # plugins whose saved settings do not fit the installed version: they need setup
    tries: int = 1
    seconds: float = 0.0
    gone: bool = False  # the tenant was deleted meanwhile; there is nothing to migrate any more
    lost: bool = False  # its schema is not there, or not complete: that says nothing about what is being rolled out


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done: `waiting` are the tenants that are behind, in order; `current` is how many are not.

    `later` are those that will be behind at the end of the deploy, and `others` all whom the plan does not touch.
    """

    waiting: tuple[tuple[TenantRef, Behind], ...]
    current: int
    later: tuple[tuple[TenantRef, Behind], ...] = ()
    others: tuple[TenantRef, ...] = field(default=(), repr=False)


class UnknownTenant(LookupError):
    """There is no organisation with the slug of a canary, or of one that is to be migrated."""


def migrate_everything(options: Options | None = None) -> Iterator[Outcome]:
    """Bring all schemas up to date, the shared one first; a tenant that fails is reported and the others go on.

    Interrupted, it goes on where it was when it is run again: who is behind is asked of the schemas themselves.
    """
    options = options or Options()
    first = migrate_public(options)
    yield first
    if not first.error:
        yield from migrate_tenants(plan(options), options)


def migrate_public(options: Options | None = None) -> Outcome:
    """Migrate the shared schema, and make the platform's own tenant if it is not there; what the code cannot run without."""
    options = options or Options()
    outcome = _in_spite_of_locks(PUBLIC, lambda: _public(options), options)
    if not outcome.error:
        if settings.CITUS:
            cluster.prepare()  # before there is anything to lose
        blueprint.refresh()
        ensure_platform()
    return outcome


def _public(options: Options) -> Outcome:
    with public_scope(), transaction.atomic():
        _lock_timeout(options)
        _one_at_a_time()
        fresh = not finished.is_kept()
        if options.finish and not fresh:
            finished.finish()
        applied = migrate_schema(shared_labels())
        if fresh:
            finished.finish()
        return Outcome(PUBLIC, tuple(applied))


def plan(options: Options) -> Plan:
    """Who is behind, in the order in which they are migrated.

    Raises:
        UnknownTenant: a slug is nobody's.
    """
    refs = {entry.ref.schema: entry.ref for entry in everyone()}
    if unknown := {*options.canaries, *options.only} - {ref.slug for ref in refs.values()}:
        raise UnknownTenant(f"There is no organisation called {', '.join(sorted(unknown))}.")
    chosen = [ref for ref in refs.values() if not options.only or ref.slug in options.only]
    order = sorted(chosen, key=lambda ref: (_rank(ref, options), ref.slug))
    found = survey((ref.schema for ref in order), finish=options.finish)
    waiting, later = ([(refs[schema], lacks) for schema, lacks in each.items()] for each in (found.now, found.later))
    others = tuple(ref for ref in order if ref.schema not in found.now)
    return Plan(tuple(waiting), len(others), tuple(later), others)


def migrate_tenants(plan: Plan, options: Options, stopping: Callable[[], bool] = lambda: False) -> Iterator[Outcome]:
    """Migrate the tenants of `plan`; outcomes come as they happen. Those that are not begun any more have none.

    Args:
        stopping: asked before each tenant; once it says so no other is begun, and those under way are finished.
    """
    waiting = [ref for ref, _ in plan.waiting]
    yield from _complete_schedules(plan.others)
    first = [ref for ref in waiting if _rank(ref, options) < 2]
    failures = 0
    for ref in first:
        if stopping():
            return
        outcome = _migrate_tenant(ref, options)
        failures += bool(outcome.error)
        yield outcome
    if not failures:
        yield from _several(waiting[len(first) :], options, stopping)


def _complete_schedules(others: Sequence[TenantRef]) -> Iterator[Outcome]:
    """A release may bring a job that the platform owes to every tenant; those that are up to date else get it here.

    The others get it when they are migrated: until then they may lack what the schedule is made of. An outcome for each that fails.
    """
    refs = {ref.schema: ref for ref in others}
    with public_scope():
        lacking = schedule.without_house_jobs(refs)
    lacking += (
        [PLATFORM_SCHEMA] if PLATFORM_SCHEMA in refs and PLATFORM_SCHEMA not in lacking else []
    )  # which has more than others
    for schema in lacking:
        try:
            with tenant_scope(refs[schema]):
                schedule.sync()
        except Exception as error:  # whatever is wrong with one tenant, the others go on
            if _is_gone(refs[schema]):
                continue
            log.exception("Completing the schedule of %s failed", refs[schema].slug)
            yield Outcome(refs[schema].slug, error=_said(error))


def _rank(ref: TenantRef, options: Options) -> int:
    return 0 if ref.schema == PLATFORM_SCHEMA else 1 if ref.slug in options.canaries else 2


def _several(refs: Sequence[TenantRef], options: Options, stopping: Callable[[], bool]) -> Iterator[Outcome]:
    """At most `jobs` at a time; those under way when there were too many failures are finished, and no other is begun."""
    left, failures, running = deque(refs), 0, set[Future[Outcome]]()

    def more() -> bool:
        return bool(left) and failures < options.max_failures and not stopping()

    if options.jobs == 1:
        while more():
            outcome = _migrate_tenant(left.popleft(), options)
            failures += _counts(outcome)
            wear.recycle()
            yield outcome
        return
    with ThreadPoolExecutor(options.jobs, thread_name_prefix="migrate") as pool:
        while running or more():
            while len(running) < options.jobs and more():
                running.add(pool.submit(_in_thread, left.popleft(), options))
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for each in done:
                failures += _counts(each.result())
                yield each.result()


def _said(error: Exception) -> str:
    return str(error) if isinstance(error, MigrationFailed) else f"{type(error).__name__}: {error}".strip()


def _counts(outcome: Outcome) -> bool:
    return bool(outcome.error) and not outcome.lost


def _in_thread(ref: TenantRef, options: Options) -> Outcome:
    try:
        return _migrate_tenant(ref, options)
    finally:
        connection.close()


def _migrate_tenant(ref: TenantRef, options: Options) -> Outcome:
    """One tenant: everything or nothing."""
    return _in_spite_of_locks(ref.slug, lambda: _migrated(ref, options), options, ref)


def _in_spite_of_locks(
    who: str, migrate: Callable[[], Outcome], options: Options, ref: TenantRef | None = None
) -> Outcome:
    """Migrate one schema, and try again while somebody is in the way; whatever goes wrong is its outcome."""
    began = time.monotonic()
    for number in range(1, options.tries + 1):
        try:
            outcome = migrate()
            break
        except Exception as error:  # whatever is wrong with one schema, the others go on
            outcome = Outcome(who, error=_said(error))
            if ref is not None and _is_gone(ref):
                outcome = Outcome(who, gone=True)
                break
            if not _in_the_way(error) or number == options.tries:
                outcome = replace(outcome, lost=isinstance(error, SchemaMissing))
                log.error("Migrating %s failed: %s", who, outcome.error, exc_info=None if outcome.lost else error)
                break
            _pause(number)
    return replace(outcome, tries=number, seconds=time.monotonic() - began)


def _migrated(ref: TenantRef, options: Options) -> Outcome:
    with tenant_scope(ref), transaction.atomic():
        _lock_timeout(options)
        _there(ref)
        _one_at_a_time()
        lock_plugins()
        applied = migrate_schema(tenant_labels() | labels_here())
        if applied:
            record_tables()
        unfit = tuple(found for found in (upgrade() if options.finish else findings()) if found.problem)
        record_versions()
        schedule.sync()
        _let_go_on()
        return Outcome(ref.slug, tuple(applied), unfit=unfit)


def _let_go_on() -> None:
    """Processes that held a plugin's work back, because its tables or settings were not theirs, look again at once."""
    bump_tenant()
    for name in PluginState.objects.filter(enabled=True).values_list("plugin", flat=True):
        release_held(name)


class SchemaMissing(RuntimeError):
    """Its schema is not there, or is not complete. Restore it from a backup, or delete the organisation."""


def _there(ref: TenantRef) -> None:
    """Without the tables that say what it has, it would be given empty ones, and seem to be well."""
    if is_broken(ref.schema):
        raise SchemaMissing(SchemaMissing.__doc__)


def _is_gone(ref: TenantRef) -> bool:
    """Whether the tenant was deleted since it was listed."""
    try:
        return find(ref.schema) is None
    except OperationalError:  # the database is away: then nothing is known, and what happened first is reported
        return False


def _in_the_way(error: Exception) -> bool:
    if isinstance(error, MigrationFailed) and isinstance(error.__cause__, Exception):
        error = error.__cause__
    return isinstance(error, OperationalError) and getattr(error.__cause__, "sqlstate", None) in _AGAIN


def _pause(number: int) -> None:
    threading.Event().wait(0.1 * 2**number * (0.5 + random.random()))  # noqa: S311  # so that two do not meet again


def _lock_timeout(options: Options) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{round(options.lock_timeout * 1000)}ms"])


def _one_at_a_time() -> None:
    """Two deploys at once: the second waits for the first, and then finds nothing to do."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('migrate:' || current_schema(), 0))")
