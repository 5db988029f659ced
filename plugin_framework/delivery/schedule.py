"""The schedule of all tenants' jobs: when one is due, a delivery is written for it, once for each time, whoever else does the same."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping, Set
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction

from plugin_framework import tenancy_directory
from plugin_framework.db import wear
from plugin_framework.delivery import house, times
from plugin_framework.delivery.failpoints import failpoint
from plugin_framework.delivery.rows import table
from plugin_framework.models import PluginState
from plugin_framework.registry import JOB_HOOK, is_newer, registry
from plugin_framework.sdk._words import Phrase
from plugin_framework.tenancy import current_tenant

log = logging.getLogger(__name__)
BATCH = 200  # jobs written in one transaction
PUT_OFF = timedelta(minutes=1)  # a job that could not be written is tried again then
LOOKED_AT_AGAIN = timedelta(minutes=10)  # a job whose times cannot be read, by whoever may be able to by then
_LOCK_TIMEOUT = "500ms"  # for all of a worker's tenants wait while one of them is migrated
_IN_THE_WAY = {"55P03", "40P01"}  # lock_not_available, deadlock_detected
_SUPERSEDED = Phrase("Not tried again: its next time has come.")

_UNREAD = "%s.%s does not run in %s: %s Install a version of the plugin whose times can be read, then run `manage.py migrate_tenants`."

_DUE = """
SELECT tenant_schema, plugin, job, expression, due_at, clock_timestamp() FROM public.delivery_schedule
WHERE run_at <= statement_timestamp() ORDER BY run_at LIMIT %s FOR UPDATE SKIP LOCKED
"""
_SCHEMAS = """
SELECT name, to_regclass(format('%%I.plugin_framework_delivery', name)) IS NOT NULL
FROM unnest(%s::text[]) AS name WHERE to_regnamespace(quote_ident(name)) IS NOT NULL
"""
# A run that waits for another try makes room for its successor; one that is under way goes on, and the new time passes without one.
_WRITE = """
WITH old AS (
    UPDATE {deliveries} SET state = 'cancelled', finished_at = statement_timestamp(), last_error = %(superseded)s
    WHERE plugin = %(plugin)s AND hook = %(hook)s AND handler = %(job)s AND state = 'due'
        AND (started_at IS NULL OR finished_at IS NOT NULL) AND idempotency_key <> %(key)s)
INSERT INTO {deliveries} (event_id, hook, plugin, handler, payload, idempotency_key, state, attempts, fence, last_error)
SELECT %(key)s, %(hook)s, %(plugin)s, %(job)s, '[]', %(key)s, 'due', 0, 0, '' WHERE NOT EXISTS (
    SELECT FROM {deliveries} WHERE plugin = %(plugin)s AND hook = %(hook)s AND handler = %(job)s AND state = 'due'
        AND started_at IS NOT NULL AND finished_at IS NULL)
ON CONFLICT (idempotency_key) DO NOTHING RETURNING id
"""
_WAKE = "INSERT INTO public.delivery_wake (tenant_schema, plugin, delivery_id) VALUES (%s, %s, %s)"
_MOVE = """
UPDATE public.delivery_schedule AS s SET due_at = n.due_at, run_at = n.run_at
FROM unnest(%s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[]) AS n (tenant_schema, plugin, job, due_at, run_at)
WHERE s.tenant_schema = n.tenant_schema AND s.plugin = n.plugin AND s.job = n.job
"""
_FORGET = "DELETE FROM public.delivery_schedule WHERE tenant_schema = ANY (%s::text[])"
# One row in any case: the first column is the time.
_HAS = """
SELECT clock_timestamp(), s.plugin, s.job, s.expression FROM (VALUES (1)) AS one
LEFT JOIN public.delivery_schedule AS s ON s.tenant_schema = %s
"""
_DROP = "DELETE FROM public.delivery_schedule WHERE tenant_schema = %s AND plugin = %s AND job = %s"
_PUT = """
INSERT INTO public.delivery_schedule (tenant_schema, plugin, job, expression, due_at, run_at)
SELECT %s, * FROM unnest(%s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[])
ON CONFLICT (tenant_schema, plugin, job) DO UPDATE
SET expression = excluded.expression, due_at = excluded.due_at, run_at = excluded.run_at
"""
_NEXT = (
    "SELECT job, expression, run_at FROM public.delivery_schedule WHERE tenant_schema = %s AND plugin = %s ORDER BY job"
)

_LACKING = """
SELECT name FROM unnest(%(schemas)s::text[]) AS name WHERE EXISTS (
    SELECT FROM unnest(%(jobs)s::text[], %(expressions)s::text[]) AS wanted (job, expression)
    WHERE NOT EXISTS (SELECT FROM public.delivery_schedule AS s WHERE s.tenant_schema = name AND s.plugin = %(house)s
        AND s.job = wanted.job AND s.expression = wanted.expression))
"""

type Job = tuple[str, str]  # a plugin and the name of its job
type Times = tuple[datetime, datetime]  # due_at, run_at
type Row = tuple[str, str, str, str, datetime, datetime]  # schema, plugin, job, expression, due_at, now


def run_due() -> int:
    """Write a delivery for each job whose time has come, and put down its next time; how many were looked at.

    Call in a transaction. Whoever is killed in it leaves everything as it was, and the next one does it; the key of the delivery is made
    from the time, so that none is written twice. A job that somebody is in the way of, its tenant being migrated, is put off. One whose
    times cannot be read is put off for longer, its due time kept: a worker with other code may be able to. So is one of a tenant whose
    schema was lost: it may come back from a backup, with nobody to think of its jobs.
    """
    with connection.cursor() as cursor:
        cursor.execute(_DUE, [BATCH])
        rows = cursor.fetchall()
        if not rows:
            return 0
        cursor.execute(_SCHEMAS, [list({row[0] for row in rows})])
        schemas: dict[str, bool] = dict(cursor.fetchall())
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [_LOCK_TIMEOUT])
    gone = {row[0] for row in rows} - set(schemas)
    lost = {schema for schema in gone if tenancy_directory.find(schema) is not None}
    _forget(gone - lost)
    there = [row for row in rows if row[0] in schemas]
    following = _following(there)
    written = [row for row in there if row in following and (not schemas[row[0]] or _written(row))]
    failpoint("scheduling_job")
    _move({row: following[row] for row in written})
    _put_off([row for row in following if row not in written], PUT_OFF)
    _put_off([row for row in there if row not in following], LOOKED_AT_AGAIN)
    _put_off([row for row in rows if row[0] in lost], LOOKED_AT_AGAIN)
    return len(rows)


def _following(rows: Iterable[Row]) -> dict[Row, Times]:
    """The next time of each; without those of which it cannot be told, which the log names."""
    found: dict[Row, Times] = {}
    unread: dict[tuple[str, str, str], list[str]] = {}
    for row in rows:
        schema, plugin, job, expression, _, now = row
        try:
            found[row] = _next(schema, plugin, job, expression, now)
        except times.BadSchedule as error:
            unread.setdefault((plugin, job, str(error)), []).append(schema)
    for (plugin, job, why), schemas in unread.items():
        log.error(_UNREAD, plugin, job, ", ".join(schemas), why)
    return found


def _written(row: Row) -> bool:
    """Write one; False if that cannot be done now, which must not be at the cost of all others."""
    schema, plugin, job, _, due_at, _ = row
    try:
        with transaction.atomic():
            _write(schema, plugin, job, due_at)
    except DatabaseError as error:
        lost = isinstance(error, OperationalError | InterfaceError)
        if lost and getattr(error.__cause__, "sqlstate", None) not in _IN_THE_WAY:
            raise
        log.warning("%s.%s of %s is put off for %s: %s", plugin, job, schema, PUT_OFF, str(error).strip())
        return False
    return True


def _write(schema: str, plugin: str, job: str, due_at: datetime) -> None:
    key = key_for(schema, plugin, job, due_at)
    params: dict[str, Any] = {
        "plugin": plugin,
        "job": job,
        "hook": JOB_HOOK,
        "key": key,
        "superseded": _SUPERSEDED.text,
    }
    wear.touch(schema)
    with connection.cursor() as cursor:
        cursor.execute(_WRITE.replace("{deliveries}", table(schema)), params)
        row = cursor.fetchone()
        if row is None:
            log.warning(
                "%s.%s of %s is still running; its time at %s passes without a run", plugin, job, schema, due_at
            )
        else:
            cursor.execute(_WAKE, [schema, plugin, row[0]])


def key_for(schema: str, plugin: str, job: str, due_at: datetime) -> UUID:
    """The key of the run of one job at one time: the same whoever computes it."""
    return uuid5(NAMESPACE_OID, json.dumps([schema, plugin, job, round(due_at.timestamp())]))


def _move(following: Mapping[Row, Times]) -> None:
    """Times that were missed, because no worker ran, are made up for by one run."""
    _set([(*row[:3], due_at, run_at) for row, (due_at, run_at) in following.items()])


def _put_off(rows: Iterable[Row], by: timedelta) -> None:
    _set([(schema, plugin, job, due_at, now + by) for schema, plugin, job, _, due_at, now in rows])


def _set(moved: list[tuple[str, str, str, datetime, datetime]]) -> None:
    if moved:
        with connection.cursor() as cursor:
            cursor.execute(_MOVE, [list(column) for column in zip(*moved, strict=True)])


def _next(schema: str, plugin: str, job: str, expression: str, now: datetime) -> Times:
    due_at = times.due(expression, now)
    return due_at, due_at + times.offset(expression, due_at, schema, plugin, job)


def _forget(schemas: set[str]) -> None:
    if schemas:
        with connection.cursor() as cursor:
            cursor.execute(_FORGET, [sorted(schemas)])


def sync(new_at: datetime | None = None) -> bool:
    """Bring the current tenant's part of the schedule in line with the plugins it has enabled and the installed code.

    A job whose expression is as it was keeps its times; so do those of an enabled plugin that is missing here, does not load, or has
    been here in a newer version: other processes have that one.

    Args:
        new_at: the database's time, where the tenant has just been made: then nothing is there yet, and that is not asked for.

    Returns:
        Whether it has any plugin enabled.
    """
    schema, enabled = current_tenant().schema, _enabled()
    ours = {
        name
        for name, version in enabled.items()
        if name in registry.specs and not is_newer(version, registry.specs[name].version)
    }
    wanted = _wanted(ours)
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        now, there = (new_at, dict[Job, str]()) if new_at else _there(cursor, schema)
        for gone in {job for job in there.keys() - wanted.keys() if job[0] not in enabled.keys() - ours}:
            cursor.execute(_DROP, [schema, *gone])
        put = [
            (plugin, job, expression, *_next(schema, plugin, job, expression, now))
            for (plugin, job), expression in wanted.items()
            if there.get((plugin, job)) != expression
        ]
        if put:
            cursor.execute(_PUT, [schema, *(list(column) for column in zip(*put, strict=True))])
    return bool(enabled)


def _there(cursor: Any, schema: str) -> tuple[datetime, dict[Job, str]]:
    """The database's time, and what a tenant has in the schedule."""
    cursor.execute(_HAS, [schema])
    (now, *_), *_ = rows = cursor.fetchall()
    return now, {(plugin, job): expression for _, plugin, job, expression in rows if plugin is not None}


def without_house_jobs(schemas: Iterable[str]) -> list[str]:
    """Those of `schemas` whose part of the schedule has not all that the platform owes every tenant by the clock."""
    names = list(schemas)
    with connection.cursor() as cursor:
        cursor.execute(_LACKING, {"schemas": names, "house": house.HOUSE, **house.common_jobs()})
        return [schema for (schema,) in cursor.fetchall()]


def _enabled() -> dict[str, str]:
    return dict(PluginState.objects.filter(enabled=True).values_list("plugin", "version"))


def _wanted(plugins: Set[str]) -> Mapping[Job, str]:
    specs = [registry.specs[name] for name in plugins]
    jobs = {(spec.name, job.method): job.expression for spec in specs for job in spec.jobs}
    return jobs | {(house.HOUSE, name): expression for name, expression in house.jobs(current_tenant()).items()}


def upcoming(plugin: str) -> list[tuple[str, str, datetime | None]]:
    """The jobs of `plugin` in the current tenant: name, expression, and when each runs next; None: its times cannot be read."""
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, [current_tenant().schema, plugin])
        return [
            (job, expression, run_at if times.readable(expression, run_at) else None)
            for job, expression, run_at in cursor.fetchall()
        ]
