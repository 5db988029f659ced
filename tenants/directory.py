"""Looks tenants up for the engine, which may not import this package."""

from __future__ import annotations

from collections.abc import Iterator

from django.conf import settings
from django.db.models import OuterRef, Subquery, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext

from plugin_framework.db import wear
from plugin_framework.delivery import prepared
from plugin_framework.tenancy import TenantRef, public_scope
from plugin_framework.tenancy_directory import DirectoryEntry
from tenants import retired
from tenants.models import Domain, State, Tenant

# A worker asks this for each lane that it claims: one round trip, and none of what building a queryset costs.
_FIND = """
SELECT tenant.slug, tenant.name, coalesce(host.domain, ''), tenant.timezone, tenant.logo, tenant.state FROM (VALUES (1)) AS one
LEFT JOIN public.tenants_tenant AS tenant ON tenant.schema_name = %(schema)s
LEFT JOIN public.tenants_domain AS host ON host.tenant_id = tenant.id AND host.is_primary LIMIT 1
"""


def find(schema: str) -> DirectoryEntry | None:
    """The tenant that owns `schema`, or None when it is gone."""
    with public_scope():
        slug, name, host, timezone, logo, state = prepared.one(_FIND, {"schema": schema})
    if slug is None:
        return None
    ref = TenantRef(slug=slug, name=name, host=host, schema=schema, timezone=timezone, logo=logo)
    return DirectoryEntry(ref, state == State.ACTIVE)


def everyone() -> Iterator[DirectoryEntry]:
    """All tenants that have their schema, by slug; those still being set up have not.

    Read whole before the first is yielded, in one statement, so that the caller may enter their scopes meanwhile. Whoever does that
    with thousands gets a new connection now and then, between two of them.
    """
    primary = Domain.objects.filter(tenant=OuterRef("pk"), is_primary=True).order_by("pk").values("domain")[:1]
    found = Tenant.objects.exclude(state=State.PROVISIONING).annotate(host=Coalesce(Subquery(primary), Value("")))
    with public_scope():
        entries = [DirectoryEntry(tenant.ref(tenant.host), tenant.state == State.ACTIVE) for tenant in found]
    for entry in entries:
        yield entry
        wear.recycle()


def by_slug(slug: str) -> DirectoryEntry | None:
    """The tenant called `slug`, or None."""
    with public_scope():
        tenant = Tenant.objects.filter(slug=slug).first()
        return _entry(tenant) if tenant else None


def is_being_set_up(slug: str) -> bool:
    """Whether the organisation has no schema yet: nothing can be done inside it."""
    with public_scope():
        return bool(Tenant.objects.filter(slug=slug, state=State.PROVISIONING).exists())


def why_taken(slug: str) -> str:
    """Why no new organisation can have this slug now; "" if one can. Who takes it first is decided when it is made."""
    if by_slug(slug) is not None:
        return gettext("%(slug)s is taken.") % {"slug": slug}
    return retired.why_resting(host_of(slug))


def is_free(slug: str) -> bool:
    """Whether a new organisation can have this slug now."""
    return not why_taken(slug)


def host_of(slug: str) -> str:
    """Where the organisation `slug` is reached."""
    return f"{slug}.{settings.BASE_DOMAIN}"


def _entry(tenant: Tenant) -> DirectoryEntry:
    return DirectoryEntry(tenant.ref(), tenant.state == State.ACTIVE)
