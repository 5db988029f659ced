"""Further hosts of a tenant, beside the one that comes with its slug.

The platform's operators add them, for nothing here can prove that a domain is the tenant's: they look at its DNS, see that its
certificate is served, and enter it. The tenant's admins see their hosts, and what to do for another one.
"""

from __future__ import annotations

from django.db import IntegrityError, transaction

from plugin_framework.audit import Actor
from plugin_framework.tenancy import public_scope
from tenants import hosts, retired
from tenants.models import Domain
from tenants.operations import NotPossible, audit_on_both_sides, locked


def of(schema: str) -> list[Domain]:
    """A tenant's hosts, the primary one first."""
    with public_scope():
        return list(Domain.objects.filter(tenant__schema_name=schema).order_by("-is_primary", "domain"))


def add(slug: str, host: str, actor: Actor) -> str:
    """Serve a tenant at `host` too, from the next request on. Returns the host as it is compared.

    Raises:
        NoSuchTenant: nobody has this slug. NotPossible: it is no host name, or one of the platform's, or somebody else's.
    """
    host = _normal(host)
    with transaction.atomic():
        tenant = locked(slug)
        if tenant.is_platform:
            raise NotPossible("The platform's own tenant has one host.")
        with public_scope():
            if why := retired.why_resting(host):
                raise NotPossible(why)
            try:
                with transaction.atomic():
                    Domain.objects.create(domain=host, tenant=tenant, is_primary=False)
            except IntegrityError as error:
                raise NotPossible(f"{host} belongs to an organisation already.") from error
            ref = tenant.ref()
        audit_on_both_sides(ref, actor, "tenant.host_added", host=host)
    return host


def remove(slug: str, host: str, actor: Actor) -> str:
    """Serve a tenant at `host` no more. Returns the host as it is compared.

    Raises:
        NoSuchTenant: nobody has this slug. NotPossible: it is none of its further hosts.
    """
    host = _normal(host, ours=True)
    with transaction.atomic():
        tenant = locked(slug)
        with public_scope():
            gone, _ = Domain.objects.filter(domain=host, tenant=tenant, is_primary=False).delete()
            if not gone:
                raise NotPossible(f"{host} is none of the further hosts of {slug}.")
            ref = tenant.ref()
        audit_on_both_sides(ref, actor, "tenant.host_removed", host=host)
    return host


def _normal(host: str, *, ours: bool = False) -> str:
    from django.conf import settings

    try:
        host = hosts.normalise(host)
    except hosts.BadHost as error:
        raise NotPossible(f"{host[:100]!r} is no host name. Write it like app.example.com.") from error
    base = str(settings.BASE_DOMAIN)
    if not ours and (host == base or host.endswith(f".{base}") or "." not in host):
        raise NotPossible(f"{host} is not a domain of an organisation's own: names under {base} come with sign-ups.")
    return host
