"""What the platform's staff does to a tenant: suspend and resume; each function is one transaction, audited on both sides."""

from __future__ import annotations

from django.db import transaction

from plugin_framework.audit import Actor, record
from plugin_framework.delivery import lanes
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from plugin_framework.tenancy_directory import platform
from tenants.models import State, Tenant


class NoSuchTenant(LookupError):
    """There is no organisation with this slug."""


class NotPossible(ValueError):
    """This cannot be done to this tenant; the text says why."""


def suspend(slug: str, message: str, actor: Actor) -> None:
    """Stop serving a tenant from its next request on; its data stays, its deliveries wait.

    Raises:
        NoSuchTenant: nobody has this slug. NotPossible: it is the platform's own.
    """
    _move(slug, State.SUSPENDED, message, actor, "tenant.suspended")


def resume(slug: str, actor: Actor) -> None:
    """Serve a suspended tenant again, from its next request on.

    Raises:
        NoSuchTenant: nobody has this slug.
    """
    _move(slug, State.ACTIVE, "", actor, "tenant.resumed")


def _move(slug: str, state: State, message: str, actor: Actor, action: str) -> None:
    with transaction.atomic():
        with public_scope():
            tenant = Tenant.objects.select_for_update().filter(slug=slug).first()
            if tenant is None:
                raise NoSuchTenant(f"There is no organisation {slug!r}.")
            if tenant.is_platform:
                raise NotPossible("The platform's own tenant cannot be suspended.")
            if tenant.state == state:
                return
            tenant.state, tenant.state_message = state, message[:500]
            tenant.save()
            ref = tenant.ref()
            if state == State.ACTIVE:
                lanes.hurry(ref.schema)
        audit_on_both_sides(ref, actor, action, message=message)


def audit_on_both_sides(ref: TenantRef, actor: Actor, action: str, **detail: object) -> None:
    """Record what staff did to a tenant in the tenant's log, which its admins read, and in the platform's."""
    with tenant_scope(ref):
        record(actor, action, ref.slug, **detail)
    own = platform()
    if own is not None:
        with tenant_scope(own.ref):
            record(actor, action, ref.slug, **detail)
