"""What tests of lanes do with them; each in the public scope."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from plugin_framework.activation import BoundHandler
from plugin_framework.delivery import folding, lanes
from plugin_framework.delivery.emit import emit_event
from plugin_framework.delivery.models import Lane
from plugin_framework.models import Delivery
from plugin_framework.tenancy import TenantRef, tenant_scope


def emitted(tenant: TenantRef, *plugins: str) -> list[int]:
    """Emit an event to a handler of each of these plugins; the ids of all deliveries there are."""
    with tenant_scope(tenant):
        emit_event(
            "order", (1,), [BoundHandler(name, "on_order", "order", print, False) for name in plugins or ("mail",)]
        )
        return list(Delivery.objects.order_by("id").values_list("id", flat=True))


def fold() -> int:
    """Fold the wake-ups that are there; how many were looked at."""
    return folding.fold().looked_at


def claimed(owner: str = "me", lease: float = 60) -> lanes.Lane:
    """The lane that is due, claimed."""
    lane = lanes.claim(owner, lease)
    assert lane is not None
    return lane


def stored(tenant: TenantRef, pk: int) -> Delivery:
    """A delivery as it is now."""
    with tenant_scope(tenant):
        return Delivery.objects.get(pk=pk)


def expire_leases() -> None:
    """Let all leases have run out."""
    Lane.objects.update(leased_until=timezone.now() - timedelta(seconds=1))
