"""Makes tenants: row, host, schema, tables and owner in one transaction, so that there is never half of one."""

from __future__ import annotations

from django.conf import settings
from django.db import IntegrityError, transaction

from plugin_framework import hooks
from plugin_framework.audit import Actor, record
from plugin_framework.db.migrator import migrate_schema, tenant_labels
from plugin_framework.db.schemas import create_schema
from plugin_framework.delivery import schedule
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from tenants.models import PLATFORM_SCHEMA, Domain, Tenant
from tenants.names import new_schema_name, problem_with

PLATFORM_SLUG = "admin"


class SlugTaken(ValueError):
    """An organisation already has this address. Choose another one."""


class SlugRefused(ValueError):
    """The address cannot be had; the text says why."""


def create_tenant(slug: str, name: str, actor: Actor) -> TenantRef:
    """Make an organisation, ready to be used.

    Raises:
        SlugRefused: reserved, confusable or malformed. SlugTaken: somebody has it, even if by a moment.
    """
    if problem := problem_with(slug):
        raise SlugRefused(problem)
    return _create(slug, name, new_schema_name(), actor)


def ensure_platform() -> TenantRef:
    """The platform's own tenant, made if it is not there yet."""
    with public_scope():
        found: Tenant | None = Tenant.objects.filter(schema_name=PLATFORM_SCHEMA).first()
        if found is not None:
            return found.ref()
    return _create(PLATFORM_SLUG, "Tenantry platform", PLATFORM_SCHEMA, Actor("setup"))


def _create(slug: str, name: str, schema: str, actor: Actor) -> TenantRef:
    host = f"{slug}.{settings.BASE_DOMAIN}"
    with transaction.atomic():
        _claim(slug, name, schema, host)
        ref = TenantRef(slug=slug, name=name, host=host, schema=schema)
        create_schema(schema)  # fails if it exists: a schema is never adopted
        with tenant_scope(ref):
            migrate_schema(tenant_labels())
            schedule.sync()
            record(actor, "tenant.created", slug)
            hooks.emit("tenant_provisioned", slug)
    return ref


def _claim(slug: str, name: str, schema: str, host: str) -> None:
    """Take the slug and the host; of two who try at once, the second waits for the first's commit and is told."""
    try:
        with public_scope(), transaction.atomic():
            tenant = Tenant.objects.create(slug=slug, name=name, schema_name=schema)
            Domain.objects.create(domain=host, tenant=tenant)
    except IntegrityError as error:
        raise SlugTaken(f"The address {host} is taken. Choose another one.") from error
