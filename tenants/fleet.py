"""Migrates the public schema, the platform's tenant and every other tenant, each in its own transaction, several at a time."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence, Set
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace

from django.conf import settings
from django.db import OperationalError, connection, transaction

from plugin_framework.changing import lock_plugins
from plugin_framework.citus import cluster
from plugin_framework.db import wear
from plugin_framework.db.migrator import installed_labels, migrate_schema, shared_labels, tenant_labels
from plugin_framework.delivery import schedule
from plugin_framework.lifecycle import record_tables, record_versions
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from plugin_framework.tenancy_directory import everyone
from plugin_framework.upgrades import Finding, upgrade
from tenants import blueprint
from tenants.behind import Behind, behind, plugin_labels
from tenants.models import PLATFORM_SCHEMA
from tenants.provisioning import ensure_platform

log = logging.getLogger(__name__)
_AGAIN = {"55P03", "40P01"}  # lock_not_available, deadlock_detected: somebody was in the way


@dataclass(frozen=True, slots=True)
class Options:
    """How a fleet is migrated.

    Attributes:
        jobs: tenants at the same time, each on a connection of its own.
        canaries: slugs that go first, after the platform's own tenant; the others follow only if all of these succeed.
        max_failures: after so many failed tenants no other is begun.
        lock_timeout: seconds that a statement waits for a lock; longer would make the tenant's own requests queue behind it.
        tries: times that a tenant is tried when somebody is in the way.
    """

    jobs: int = 1
    canaries: tuple[str, ...] = ()
    max_failures: int = 3
    lock_timeout: float = 2.0
    tries: int = 6

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


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done: `waiting` are the tenants that are behind, in order; `current` is how many are not."""

    waiting: tuple[tuple[TenantRef, Behind], ...]
    current: int


class UnknownCanary(LookupError):
    """There is no organisation with the slug of a canary."""


def migrate_everything(options: Options | None = None) -> Iterator[Outcome]:
    """Bring all schemas up to date, the shared one first; a tenant that fails is reported and the others go on.

    Interrupted, it goes on where it was when it is run again: who is behind is asked of the schemas themselves.
    """
    options = options or Options()
    yield migrate_public()
    yield from migrate_tenants(plan(options), options)


def migrate_public() -> Outcome:
    """Migrate the shared schema, and make the platform's own tenant if it is not there; what the code cannot run without."""
    began = time.monotonic()
    with public_scope(), transaction.atomic():
        _one_at_a_time()
        applied = migrate_schema(shared_labels())
    if settings.CITUS:
        cluster.prepare()  # before there is anything to lose
    blueprint.refresh()
    ensure_platform()
    return Outcome("public", tuple(applied), seconds=time.monotonic() - began)


def plan(options: Options) -> Plan:
    """Who is behind, in the order in which they are migrated.

    Raises:
        UnknownCanary: its slug is nobody's.
    """
    refs = {entry.ref.schema: entry.ref for entry in everyone()}
    if unknown := set(options.canaries) - {ref.slug for ref in refs.values()}:
        raise UnknownCanary(f"There is no organisation called {', '.join(sorted(unknown))}.")
    order = sorted(refs.values(), key=lambda ref: (_rank(ref, options), ref.slug))
    found = behind(ref.schema for ref in order)
    return Plan(tuple((refs[schema], lacks) for schema, lacks in found.items()), len(refs) - len(found))


def migrate_tenants(plan: Plan, options: Options) -> Iterator[Outcome]:
    """Migrate the tenants of `plan`; outcomes come as they happen. Those that are not begun any more have none."""
    waiting = [ref for ref, _ in plan.waiting]
    yield from _complete_schedules({ref.schema for ref in waiting})
    first = [ref for ref in waiting if _rank(ref, options) < 2]
    failures = 0
    for ref in first:
        outcome = _migrate_tenant(ref, options)
        failures += bool(outcome.error)
        yield outcome
    if not failures:
        yield from _several(waiting[len(first) :], options)


def _complete_schedules(waiting: Set[str]) -> Iterator[Outcome]:
    """A release may bring a job that the platform owes to every tenant; those that are up to date else get it here.

    The schemas in `waiting` get it when they are migrated: until then they may lack what the schedule is made of. An outcome
    for each that fails.
    """
    refs = {entry.ref.schema: entry.ref for entry in everyone() if entry.ref.schema not in waiting}
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
            log.exception("Completing the schedule of %s failed", refs[schema].slug)
            yield Outcome(refs[schema].slug, error=f"{type(error).__name__}: {error}".strip())


def _rank(ref: TenantRef, options: Options) -> int:
    return 0 if ref.schema == PLATFORM_SCHEMA else 1 if ref.slug in options.canaries else 2


def _several(refs: Sequence[TenantRef], options: Options) -> Iterator[Outcome]:
    """At most `jobs` at a time; those under way when there were too many failures are finished, and no other is begun."""
    if options.jobs == 1:
        return (yield from _one_by_one(refs, options))
    left, failures, running = deque(refs), 0, set[Future[Outcome]]()
    with ThreadPoolExecutor(options.jobs, thread_name_prefix="migrate") as pool:
        while running or (left and failures < options.max_failures):
            while left and len(running) < options.jobs and failures < options.max_failures:
                running.add(pool.submit(_in_thread, left.popleft(), options))
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for each in done:
                failures += bool(each.result().error)
                yield each.result()


def _one_by_one(refs: Sequence[TenantRef], options: Options) -> Iterator[Outcome]:
    failures = 0
    for ref in refs:
        if failures >= options.max_failures:
            return
        outcome = _migrate_tenant(ref, options)
        failures += bool(outcome.error)
        wear.recycle()
        yield outcome


def _in_thread(ref: TenantRef, options: Options) -> Outcome:
    try:
        return _migrate_tenant(ref, options)
    finally:
        connection.close()


def _migrate_tenant(ref: TenantRef, options: Options) -> Outcome:
    """One tenant: everything or nothing, tried again while somebody is in the way."""
    began = time.monotonic()
    for number in range(1, options.tries + 1):
        try:
            outcome = _migrated(ref, options.lock_timeout)
            break
        except Exception as error:  # whatever is wrong with one tenant, the others go on
            outcome = Outcome(ref.slug, error=f"{type(error).__name__}: {error}".strip())
            if not _in_the_way(error) or number == options.tries:
                log.exception("Migrating %s failed", ref.slug)
                break
            _pause(number)
    return replace(outcome, tries=number, seconds=time.monotonic() - began)


def _migrated(ref: TenantRef, lock_timeout: float) -> Outcome:
    with tenant_scope(ref), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{round(lock_timeout * 1000)}ms"])
        _one_at_a_time()
        lock_plugins()
        applied = migrate_schema(tenant_labels() | (plugin_labels() & installed_labels()))
        if applied:
            record_tables()
        unfit = tuple(found for found in upgrade() if found.problem)
        record_versions()
        schedule.sync()
        return Outcome(ref.slug, tuple(applied), unfit=unfit)


def _in_the_way(error: Exception) -> bool:
    return isinstance(error, OperationalError) and getattr(error.__cause__, "sqlstate", None) in _AGAIN


def _pause(number: int) -> None:
    threading.Event().wait(0.1 * 2**number * (0.5 + random.random()))  # noqa: S311  # so that two do not meet again


def _one_at_a_time() -> None:
    """Two deploys at once: the second waits for the first, and then finds nothing to do."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('migrate:' || current_schema(), 0))")
