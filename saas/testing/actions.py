"""What the fixtures for authors do, once Django is there."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now
from psycopg import sql

from plugin_framework import configuration, hooks, lifecycle, personal_data
from plugin_framework.audit import Actor
from plugin_framework.delivery import folding, lanes, schedule, slots
from plugin_framework.delivery.lane_run import run_lane
from plugin_framework.delivery.models import Schedule
from plugin_framework.delivery.options import Options
from plugin_framework.models import Delivery
from plugin_framework.registry import PluginSpec, registry
from plugin_framework.sdk import Person, plugin_registry
from plugin_framework.tenancy import PUBLIC, TenantRef, current_tenant, public_scope

TESTS = Actor("tests")
_OPTIONS = Options(slice_seconds=60, slice_rows=10_000)
_TABLES = "SELECT tablename::text FROM pg_tables WHERE schemaname = %s ORDER BY 1"


def enable(name: str, config: Mapping[str, Any] | None = None) -> Any:
    """Configure and enable `name` in the current tenant.

    Returns:
        The running instance.

    Raises:
        pytest.fail.Exception: there is no such plugin, or it does not run; the text says why.
    """
    if name not in registry.specs:
        pytest.fail(absent(name))
    if config is not None:
        public, secrets = registry.specs[name].schema.split(config)
        configuration.configure(name, TESTS, public, secrets=secrets)
    lifecycle.enable(name, TESTS)
    decision = lifecycle.status(name).decision
    if not decision.runs:
        pytest.fail(f"{name} was enabled and does not run: {decision.text}")
    return plugin_registry.enabled_plugins[name]


def ask_about_nobody(spec: PluginSpec) -> None:
    """Have the plugin, which need not be enabled, hand out and erase what it keeps of somebody of whom it keeps nothing.

    Raises:
        pytest.fail.Exception: it fails at that, or finds something.
    """
    nobody = Person(("nobody@nowhere.example",))
    for part in personal_data.of_plugins(nobody):  # without those that never keep anything of anybody
        if part.plugin == spec.name and (part.problem or part.count):
            pytest.fail(
                f"export_person() of somebody unknown, while the plugin is disabled, gave {part.problem or part.data!r}"
            )
    try:
        personal_data.erase(nobody, "nobody")
    except personal_data.CannotErase as error:
        pytest.fail(f"erase_person() of somebody unknown, while the plugin is disabled: {error.__cause__!r}")


def absent(name: str) -> str:
    """Why there is no plugin `name`, and what helps."""
    if name in registry.quarantine:
        return f"{name} is quarantined: {registry.quarantine[name]}"
    if not name:
        return 'Say which plugin: tenantry_plugin = "NAME" in the [tool.pytest.ini_options] of pyproject.toml.'
    return f"No plugin {name!r} is installed here. Install the package into this environment: pip install -e ."


def emit_and_deliver(hook: str, *args: object) -> list[Delivery]:
    """Emit an event in the current tenant, and deliver what is due as the worker does; the event's deliveries afterwards."""
    before = set(Delivery.objects.values_list("event_id", flat=True))
    with transaction.atomic():
        hooks.emit(hook, *args)
    return [row for row in deliver() if row.event_id not in before and row.hook == hook]


def run_job(plugin: str, job: str) -> Delivery:
    """Let the time of one of a plugin's jobs come in the current tenant, and run it as the worker does; its delivery afterwards.

    Raises:
        LookupError: the plugin has no such job, or is not enabled.
    """
    schema = current_tenant().schema
    with public_scope():
        time_comes = Schedule.objects.filter(tenant_schema=schema, plugin=plugin, job=job)
        if not time_comes.update(due_at=Now(), run_at=Now()):
            raise LookupError(
                f"{plugin} has no job {job!r} here: mark the method with @daily, @hourly or @cron, and enable it."
            )
        with transaction.atomic():
            schedule.run_due()
    return next(row for row in reversed(deliver()) if (row.plugin, row.handler) == (plugin, job))


def deliver() -> list[Delivery]:
    """Run every lane that is due, with the worker's own code, in this process; what is to be tried again later stays.

    Returns:
        All deliveries of the current tenant afterwards, oldest first.
    """
    alarm = signal.getsignal(signal.SIGALRM)
    slot = slots.allocate(1)[0]
    try:
        for lane in _due_lanes():
            until = time.monotonic() + 3600
            slot.take_lane(lane.schema, lane.plugin, lane.fence, until, until)
            run_lane(lane, slot, _OPTIONS, lambda: False, lambda seconds: None)
            slot.leave_lane()
    finally:
        signal.signal(signal.SIGALRM, alarm)
    return list(Delivery.objects.order_by("pk"))


def _due_lanes() -> Iterator[lanes.Lane]:
    while True:
        with public_scope():
            folding.fold()
            lane = lanes.claim("tests", 3600)
        if lane is None:
            return
        yield lane


def assert_isolated(canary: str, here: TenantRef, elsewhere: TenantRef) -> None:
    """Look for `canary` in every row of every table of both tenants, and of what all share.

    Raises:
        AssertionError: it is in none of `here`'s rows, so that its absence elsewhere says nothing; or it is where it must not be.
    """
    if not _found(canary, here.schema):
        raise AssertionError(f"{canary!r} is nowhere in {here.slug}. Put it there first (a secret cannot be found).")
    for schema, name in ((elsewhere.schema, elsewhere.slug), (PUBLIC, "the shared schema")):
        if found := _found(canary, schema):
            raise AssertionError(f"{canary!r} of {here.slug} is in {name}: {', '.join(found)}.")


def _found(canary: str, schema: str) -> list[str]:
    """The tables of `schema` with a row that has `canary` in it."""
    query = sql.SQL("SELECT EXISTS (SELECT 1 FROM {}.{} AS t WHERE position({} in t::text) > 0)")
    with public_scope(), connection.cursor() as cursor:
        cursor.execute(_TABLES, [schema])
        tables = [row[0] for row in cursor.fetchall()]
        found = []
        for table in tables:
            cursor.execute(query.format(sql.Identifier(schema), sql.Identifier(table), sql.Literal(canary)))
            if cursor.fetchone()[0]:
                found.append(table)
    return found
