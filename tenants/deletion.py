"""Deletes a tenant softly: nobody is served any more, nothing is gone until its time is over, and it can be brought back."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import cast

from django.conf import settings
from django.db import connection, transaction
from django.utils.translation import gettext

from plugin_framework.audit import Actor
from plugin_framework.delivery import house, lanes
from plugin_framework.delivery.failpoints import failpoint
from plugin_framework.tenancy import public_scope, tenant_scope
from plugin_framework.tenancy_directory import platform
from tenants.models import State, Tenant
from tenants.operations import NotPossible, audit_on_both_sides, locked

DELETED, UNDELETED = "tenant_deleted", "tenant_undeleted"  # the platform's work of telling the admins


def delete(slug: str, actor: Actor, *, confirmation: str) -> datetime:
    """Stop serving a tenant, and give it TENANT_DELETE_DAYS in which it can be brought back; its deliveries wait as long.

    Args:
        confirmation: its slug, typed by whoever wants this.

    Returns:
        When its data goes for good. Deleting it again changes nothing about that.

    Raises:
        NoSuchTenant: nobody has this slug. NotPossible: it is the platform's own, or still being set up, or the confirmation differs.
    """
    with transaction.atomic():
        tenant = locked(slug)
        if tenant.is_platform:
            raise NotPossible(gettext("The platform’s own tenant cannot be deleted."))
        check_typed(slug, tenant.name, confirmation)
        if tenant.state == State.DELETING:
            return _purge_at(tenant)
        if tenant.state not in (State.ACTIVE, State.SUSPENDED):
            raise NotPossible(
                gettext("%(name)s is %(state)s; it cannot be deleted yet.")
                % {"name": tenant.name, "state": tenant.get_state_display().lower()}
            )
        purge_at = now() + timedelta(days=settings.TENANT_DELETE_DAYS)
        _put(tenant, State.DELETING, purge_at, state_before=str(tenant.state))
        _tell(tenant, actor, "tenant.deleted", DELETED, purge_at=purge_at.isoformat(timespec="seconds"))
        failpoint("tenant_deleting")
    failpoint("tenant_deleted")
    return purge_at


def check_typed(slug: str, name: str, confirmation: str) -> None:
    """See that whoever wants to delete a tenant has typed its slug; pages do so before they ask for anything else.

    Raises:
        NotPossible: they have not.
    """
    if confirmation.strip() != slug:
        raise NotPossible(gettext("Type its short name, %(slug)s, to delete %(name)s.") % {"slug": slug, "name": name})


def undelete(slug: str, actor: Actor) -> State:
    """Make a deleted tenant what it was before, from its next request on; its deliveries go out if it was active.

    Returns:
        What it is now: active or suspended.

    Raises:
        NoSuchTenant: nobody has this slug. NotPossible: it is not being deleted, or its time is over.
    """
    with transaction.atomic():
        tenant = locked(slug)
        if tenant.state != State.DELETING:
            raise NotPossible(
                gettext("%(name)s is %(state)s; there is nothing to bring back.")
                % {"name": tenant.name, "state": tenant.get_state_display().lower()}
            )
        if _purge_at(tenant) <= now():
            raise NotPossible(
                gettext("The time in which %(name)s could be brought back is over. Restore it from an archive.")
                % {"name": tenant.name}
            )
        state = State(tenant.state_before or State.ACTIVE)
        _put(tenant, state, None, state_before="")
        _tell(tenant, actor, "tenant.undeleted", UNDELETED, state=state.value)
        if state == State.ACTIVE:
            with public_scope():
                lanes.hurry(tenant.schema_name)
        failpoint("tenant_undeleting")
        return state


def now() -> datetime:
    """The database's clock, by which all machines agree on whether a tenant's time is over."""
    with public_scope(), connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        found: datetime = cursor.fetchone()[0]
        return found


def _purge_at(tenant: Tenant) -> datetime:
    return cast(datetime, tenant.purge_at)  # a constraint of the table: who is being deleted has one


def _put(tenant: Tenant, state: State, purge_at: datetime | None, *, state_before: str) -> None:
    with public_scope():
        tenant.state, tenant.purge_at, tenant.state_before = state, purge_at, state_before
        tenant.save(update_fields=["state", "purge_at", "state_before"])


def _tell(tenant: Tenant, actor: Actor, action: str, notice: str, **detail: object) -> None:
    """Audit it, and owe the admins a mail: in the platform's name, for the tenant's own deliveries wait."""
    with public_scope():
        ref = tenant.ref()
    audit_on_both_sides(ref, actor, action, **detail)
    own = platform()
    if own is not None:
        with tenant_scope(own.ref):
            house.owe(notice, ref.schema)
