"""Signs an organisation up: organisation, owner and the token that carries the owner over, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from plugin_framework.audit import person
from plugin_framework.tenancy import TenantRef, tenant_scope
from tenants.accounts import people
from tenants.accounts.models import Role, normal
from tenants.accounts.tokens import issue_handoff
from tenants.provisioning import create_tenant


@dataclass(frozen=True, slots=True)
class SignedUp:
    """A new organisation and the single-use token that signs its owner in."""

    tenant: TenantRef
    token: str


def sign_up(*, organisation: str, slug: str, name: str, email: str, password: str) -> SignedUp:
    """Make an organisation with its owner; all of it or nothing.

    Raises:
        SlugTaken, SlugRefused: the address cannot be had.
    """
    actor = person(normal(email))
    with transaction.atomic():
        tenant = create_tenant(slug, organisation, actor)
        with tenant_scope(tenant):
            owner = people.add(email, password, name=name, role=Role.OWNER, actor=actor, verified=False)
            return SignedUp(tenant, issue_handoff(owner))
