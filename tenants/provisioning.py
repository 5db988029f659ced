"""Makes tenants: row, host, schema, tables and owner in one transaction, so that there is never half of one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext

from plugin_framework import activation, defaults, hooks
from plugin_framework.audit import Actor, record
from plugin_framework.delivery import schedule
from plugin_framework.delivery.failpoints import failpoint
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from tenants import blueprint, owed, retired, spares
from tenants.directory import host_of
from tenants.models import PLATFORM_SCHEMA, Domain, State, Tenant
from tenants.names import new_schema_name, problem_with

PLATFORM_SLUG = "admin"
type Then = Callable[[], object]


class SlugTaken(ValueError):
    """An organisation already has this address. Choose another one."""


class SlugRefused(ValueError):
    """The address cannot be had; the text says why."""


def _nothing() -> None:
    pass


def create_tenant(slug: str, name: str, actor: Actor, *, from_pool: bool = True, then: Then = _nothing) -> TenantRef:
    """Make an organisation, ready to be used; without a spare schema its own is made now. A slug that is taken keeps the spare.

    Args:
        from_pool: whether to take a spare schema if there is one; not for many at once, which would leave none for who signs up.
        then: called inside the new tenant, in the same transaction.

    Raises:
        SlugRefused: reserved, confusable or malformed. SlugTaken: somebody has it, even if by a moment.
    """
    _check(slug)
    with transaction.atomic():
        made = _from_pool(slug, name, actor, then) if from_pool else None
        return made or _create(slug, name, new_schema_name(), actor, then)


def create_at_once(slug: str, name: str, actor: Actor, then: Then = _nothing) -> TenantRef | None:
    """The same for somebody who waits for the answer: None, and nothing is done, if the pool is empty.

    An installation that keeps no pool (SPARE_SCHEMAS=0) makes the schema now: there the worker is not to be waited for.
    """
    _check(slug)
    if not settings.SPARE_SCHEMAS:
        return create_tenant(slug, name, actor, then=then)
    with transaction.atomic(savepoint=False):  # SlugTaken undoes all that the caller has done too: that is a sign-up
        return _from_pool(slug, name, actor, then)


def ensure_platform() -> TenantRef:
    """The platform's own tenant, made if it is not there yet."""
    with public_scope():
        found: Tenant | None = Tenant.objects.filter(schema_name=PLATFORM_SCHEMA).first()
        if found is not None:
            return found.ref()
    with transaction.atomic():
        return _create(PLATFORM_SLUG, "Tenantry platform", PLATFORM_SCHEMA, Actor("setup"))


def _check(slug: str) -> None:
    if problem := problem_with(slug):
        raise SlugRefused(problem)


def _from_pool(slug: str, name: str, actor: Actor, then: Then) -> TenantRef | None:
    blueprint.hold()
    spare = spares.take()
    if spare is None:
        return None
    failpoint("spare_taken")
    ref = claim(slug, name, spare.schema)
    settle(ref, actor, then, new_at=spare.at)
    if (
        spare.left < settings.SPARE_SCHEMAS / 2
    ):  # before that there is no hurry, and asking costs the sign-up some statements
        owed.ask()
    return ref


def _create(slug: str, name: str, schema: str, actor: Actor, then: Then = _nothing) -> TenantRef:
    blueprint.hold()
    ref = claim(slug, name, schema)
    blueprint.make(ref)
    settle(ref, actor, then)
    return ref


def settle(ref: TenantRef, actor: Actor, then: Then = _nothing, new_at: datetime | None = None) -> None:
    """Write into a new schema what every tenant begins with, say that it is there, and let `then` add what this one begins with.

    Args:
        new_at: since when it is this tenant's, by the database's clock; None: that is to be asked for.
    """
    with tenant_scope(ref):
        begins_with_plugins = schedule.sync(new_at)
        record(actor, "tenant.created", ref.slug)
        if begins_with_plugins:
            defaults.take_over()
        else:
            activation.nothing_enabled()
        hooks.emit("tenant_provisioned", ref.slug)
        failpoint("tenant_settled")
        then()


def claim(slug: str, name: str, schema: str, state: State = State.ACTIVE) -> TenantRef:
    """Take the slug and the host; of two who try at once, the second waits for the first's commit and is told.

    Raises:
        SlugTaken: somebody has it. Nothing but a rollback is possible then in the caller's transaction.
    """
    host = host_of(slug)
    try:
        with public_scope(), transaction.atomic(savepoint=False):
            tenant = Tenant(slug=slug, name=name, schema_name=schema, state=state)
            Tenant.objects.bulk_create([tenant])  # in one statement; the `save` of django-tenants looks around first
            Domain.objects.bulk_create([Domain(domain=host, tenant=tenant)])  # the same
            if why := retired.why_resting(host):  # asked last: whoever was purging its tenant has committed by then
                raise SlugTaken(why)
    except IntegrityError as error:
        raise SlugTaken(gettext("The address %(host)s is taken. Choose another one.") % {"host": host}) from error
    failpoint("tenant_claimed")
    return TenantRef(slug=slug, name=name, host=host, schema=schema)
