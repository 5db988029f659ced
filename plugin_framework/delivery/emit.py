"""Writes an event into the queue: its deliveries and the wake-ups for the workers, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID, uuid4, uuid5

from django.db import connection, transaction

from plugin_framework.delivery.context import current_delivery
from plugin_framework.delivery.failpoints import failpoint
from plugin_framework.delivery.payload import freeze
from plugin_framework.models.delivery import Delivery
from plugin_framework.registry import registry
from plugin_framework.tenancy import current_tenant

if TYPE_CHECKING:  # the engine's activation calls this module
    from plugin_framework.activation import BoundHandler, Owed

CHANNEL = "tenantry_wake"
_WAKE = """
INSERT INTO public.delivery_wake (tenant_schema, plugin, delivery_id)
SELECT %s, w.plugin, w.delivery_id FROM unnest(%s::text[], %s::bigint[]) AS w (plugin, delivery_id)
"""
# Held deliveries of a plugin that runs again need not wait for their next turn, and come in the order of their events.
_UNHOLD = """
UPDATE plugin_framework_delivery SET next_at = created_at
WHERE plugin = %s AND state = 'due' AND held_since IS NOT NULL RETURNING id
"""


def emit_event(
    hook: str, args: tuple[object, ...], handlers: Sequence[BoundHandler | Owed], *, sample: bool = False
) -> UUID:
    """Write one delivery per handler and wake the workers, all in the caller's transaction (in one of its own if there is none).

    Args:
        hook: the event's name. `args`: what its handlers will be called with; see `payload.freeze` for what it may be.
        sample: it has not happened, and an admin wants to see what comes of it; as is whatever a sample's handler emits.

    Returns:
        The event's id, from which the deliveries' idempotency keys are made.

    Raises:
        NoTenant: outside of a tenant. TypeError: an argument cannot be kept; the text names it.
    """
    schema = current_tenant().schema
    point = registry.points.get(hook)
    event_id, running = uuid4(), current_delivery()
    sample = sample or (running is not None and running.sample)
    payload = freeze(args, point.args if point else (), made_up=sample)
    rows = [
        Delivery(
            event_id=event_id,
            hook=hook,
            plugin=handler.plugin,
            handler=handler.name,
            payload=payload,
            sample=sample,
            idempotency_key=key_for(event_id, handler.plugin, handler.name),
        )
        for handler in handlers
    ]
    if rows:
        with transaction.atomic():
            Delivery.objects.bulk_create(rows)
            wake(schema, {row.plugin: row.pk for row in rows})
    return event_id


def key_for(event_id: UUID, plugin: str, handler: str) -> UUID:
    """The idempotency key of one delivery: the same whoever computes it, in every attempt."""
    return uuid5(event_id, f"{plugin}:{handler}")


def wake(schema: str, deliveries: dict[str, int]) -> None:
    """Tell the workers, with the current transaction's commit, that plugins of `schema` have something to deliver.

    Args:
        deliveries: by plugin, the id of one of its deliveries written or changed in this transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute(_WAKE, [schema, list(deliveries), list(deliveries.values())])
    failpoint("before_commit")
    notify()


def notify() -> None:
    """Shorten the workers' wait, once the current transaction has committed."""
    if not any(getattr(entry[1], "__wrapped__", None) is _notify for entry in connection.run_on_commit):
        transaction.on_commit(_notify, robust=True)


def _notify() -> None:
    """Shorten the workers' wait. After the commit and in a statement of its own: inside, it would serialise all commits."""
    failpoint("after_commit")
    with connection.cursor() as cursor:
        cursor.execute(f"NOTIFY {CHANNEL}")


def release_held(plugin: str) -> int:
    """Let the held deliveries of `plugin`, which may run again in the current tenant, be tried at once; how many there were."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_UNHOLD, [plugin])
        ids = [int(row[0]) for row in cursor.fetchall()]
        if ids:
            wake(current_tenant().schema, {plugin: ids[0]})
    return len(ids)
