"""Lets an admin have a delivery tried again: one that was given up, one that is still waiting, or one that arrived."""

from __future__ import annotations

from django.db import transaction
from django.db.models.functions import Now

from plugin_framework import activation
from plugin_framework.audit import Actor, record
from plugin_framework.delivery import breaker
from plugin_framework.delivery.emit import wake
from plugin_framework.models.delivery import Delivery, DeliveryState
from plugin_framework.sdk import NotAllowed
from plugin_framework.tenancy import current_tenant


def redeliver(delivery_id: int, actor: Actor) -> None:
    """Make a delivery of the current tenant due now.

    Its attempts are kept, and so is its idempotency key: a receiver that has seen it can tell.

    Raises:
        Delivery.DoesNotExist: this tenant has no such delivery.
        NotAllowed: its plugin does not run now, or it is being delivered at this moment; nothing was changed.
    """
    with transaction.atomic():
        row = Delivery.objects.select_for_update().get(pk=delivery_id)
        decision = activation.current().decision(row.plugin)
        if not decision.runs:
            raise NotAllowed(f"{row.plugin} does not run here, so nothing can be delivered to it: {decision.text}")
        if row.state == DeliveryState.DUE and row.started_at is not None and row.finished_at is None:
            raise NotAllowed("It is being delivered right now. Look again in a moment.")
        Delivery.objects.filter(pk=row.pk).update(state=DeliveryState.DUE, next_at=Now(), held_since=None)
        wake(current_tenant().schema, {row.plugin: row.pk})
        breaker.try_now(row.plugin)  # somebody wants to see whether it works
        record(actor, "delivery.redelivered", row.plugin, delivery=row.pk, hook=row.hook, was=row.state)
