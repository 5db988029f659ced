"""What the platform's staff does to a tenant: suspend, resume, change its plan; each function is one transaction, audited on both sides."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext

from plugin_framework.audit import Actor, record
from plugin_framework.catalog import plans
from plugin_framework.changing import release_held
from plugin_framework.delivery import lanes
from plugin_framework.models import PluginState
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from plugin_framework.tenancy_directory import platform
from tenants import wholeness
from tenants.models import State, Tenant
from tenants.wholeness import Condition


class NoSuchTenant(LookupError):
    """There is no organisation with this slug."""


class NotPossible(ValueError):
    """This cannot be done to this tenant; the text says why."""


def suspend(slug: str, message: str, actor: Actor) -> None:
    """Stop serving a tenant from its next request on; its data stays, its deliveries wait.

    Raises:
        NoSuchTenant: nobody has this slug. NotPossible: it is the platform's own, or neither active nor suspended.
    """
    _move(slug, State.SUSPENDED, message, actor, "tenant.suspended")


def resume(slug: str, actor: Actor) -> None:
    """Serve a suspended tenant again, from its next request on.

    Raises:
        NoSuchTenant: nobody has this slug. NotPossible: it is neither active nor suspended.
    """
    _move(slug, State.ACTIVE, "", actor, "tenant.resumed")


def change_plan(slug: str, plan: str, actor: Actor) -> bool:
    """Give a tenant another plan; plugins that it does not include freeze, those that it does thaw, and nothing is deleted.

    Args:
        plan: its slug, or "" for none: then the tenant may run all that is offered to it.

    Returns:
        Whether anything changed.

    Raises:
        NoSuchTenant: nobody has this slug. PlanError: there is no such plan. NotPossible: it is the platform's own tenant, or lost.
    """
    with transaction.atomic():
        tenant = locked(slug)
        if tenant.is_platform:
            raise NotPossible(gettext("The platform’s own tenant has no plan."))
        if tenant.state == State.PROVISIONING:
            raise NotPossible(
                gettext("%(name)s is still being set up; it can be given a plan when it is there.")
                % {"name": tenant.name}
            )
        with public_scope():
            ref = tenant.ref()
        if wholeness.condition(ref) is Condition.LOST:
            raise NotPossible(
                gettext("The data of %(name)s is lost; bring it back first, or delete it.") % {"name": tenant.name}
            )
        with tenant_scope(ref):
            if not plans.assign(plan):
                return False
            for name in PluginState.objects.filter(enabled=True).values_list("plugin", flat=True):
                release_held(name)
        audit_on_both_sides(ref, actor, "tenant.plan_changed", plan=plan)
        return True


def locked(slug: str) -> Tenant:
    """The tenant `slug`, locked until the end of the transaction.

    Raises:
        NoSuchTenant: nobody has this slug.
    """
    with public_scope():
        tenant: Tenant | None = Tenant.objects.select_for_update().filter(slug=slug).first()
    if tenant is None:
        raise NoSuchTenant(gettext("There is no organisation “%(slug)s”.") % {"slug": slug})
    return tenant


def _move(slug: str, state: State, message: str, actor: Actor, action: str) -> None:
    with transaction.atomic():
        tenant = locked(slug)
        if tenant.is_platform:
            raise NotPossible(gettext("The platform’s own tenant cannot be suspended."))
        if tenant.state == state:
            return
        if tenant.state not in (State.ACTIVE, State.SUSPENDED):
            raise NotPossible(
                gettext("%(name)s is %(state)s; it can be neither suspended nor resumed.")
                % {"name": tenant.name, "state": tenant.get_state_display().lower()}
            )
        with public_scope():
            tenant.state, tenant.state_message = state, message[:500]
            tenant.save()
            ref = tenant.ref()
            if state == State.ACTIVE:
                lanes.hurry(ref.schema)
        audit_on_both_sides(ref, actor, action, message=message)


def audit_on_both_sides(ref: TenantRef, actor: Actor, action: str, **detail: object) -> None:
    """Record what staff did to a tenant in the tenant's log, which its admins read, and in the platform's.

    In the platform's alone if the tenant's schema is lost: nothing could be done about it otherwise.
    """
    if wholeness.has_log(ref.schema):
        with tenant_scope(ref):
            record(actor, action, ref.slug, **detail)
    own = platform()
    if own is not None:
        with tenant_scope(own.ref):
            record(actor, action, ref.slug, **detail)
