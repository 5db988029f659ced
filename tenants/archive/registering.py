"""What the shared tables say of a restored tenant: who it is, where it is reached, what it may run, and what waits for delivery."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import connection

from plugin_framework.catalog import plans
from plugin_framework.catalog.models import CatalogGrant
from plugin_framework.catalog.revisions import bump_catalog, bump_tenant
from plugin_framework.delivery.emit import wake
from plugin_framework.delivery.models import Lane
from plugin_framework.tenancy import TenantRef, current_tenant, public_scope
from tenants import retired
from tenants.archive.errors import CannotRestore
from tenants.archive.format import Manifest
from tenants.models import Domain, State, Tenant
from tenants.provisioning import SlugTaken
from tenants.provisioning import claim as claimed

_DUE = "SELECT plugin, min(id) FROM plugin_framework_delivery WHERE state = 'due' GROUP BY plugin"


def claim(ref: TenantRef, manifest: Manifest) -> tuple[str, ...]:
    """Take the slug and the hosts; those of its other hosts that are somebody else's now.

    Raises:
        CannotRestore: the slug is.
    """
    was = manifest.tenant
    others = [host for host in was.hosts if host not in (ref.host, _own_host(manifest))]
    retired.give_back([ref.host, *others], was.schema)
    try:
        claimed(ref.slug, ref.name, ref.schema, State(was.state))
    except SlugTaken as error:
        raise CannotRestore(f"{error} Here: --slug NAME") from error
    with public_scope():
        tenant = Tenant.objects.get(schema_name=ref.schema)
        Tenant.objects.filter(pk=tenant.pk).update(
            state_message=was.state_message, timezone=was.timezone, logo=was.logo
        )
    return tuple(host for host in others if not _add(tenant, host))


def _own_host(manifest: Manifest) -> str:
    """The host that came with its slug; with another slug it is not taken along."""
    return next((host for host in manifest.tenant.hosts if host.partition(".")[0] == manifest.tenant.slug), "")


def _add(tenant: Tenant, host: str) -> bool:
    """Give it one more host, unless that is somebody else's."""
    with public_scope():
        if retired.why_resting(host) or Domain.objects.filter(domain=host).exists():
            return False
        Domain.objects.create(domain=host, tenant=tenant, is_primary=False)
        return True


def register(manifest: Manifest) -> None:
    """Plan, grants, pauses and wake-ups of the current tenant, and a new revision.

    Raises:
        CannotRestore: its plan is gone.
    """
    schema = current_tenant().schema
    try:
        plans.assign(manifest.plan)
    except plans.PlanError as error:
        raise CannotRestore(
            f"Its plan {manifest.plan!r} does not exist any more. Make one of that name first."
        ) from error
    with public_scope():
        CatalogGrant.objects.bulk_create(CatalogGrant(plugin=each, tenant_schema=schema) for each in manifest.grants)
        Lane.objects.bulk_create(
            Lane(tenant_schema=schema, plugin=plugin, paused_by=who) for plugin, who in manifest.paused.items()
        )
        if manifest.grants:
            bump_catalog()
    bump_tenant()
    if waiting := _waiting():
        wake(schema, dict(waiting))


def _waiting() -> Mapping[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(_DUE)
        return dict(cursor.fetchall())
