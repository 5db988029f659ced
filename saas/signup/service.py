"""Signs an organisation up: organisation, owner and the token that carries the owner over, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from django.contrib.auth.hashers import make_password
from django.db import transaction

from plugin_framework.audit import Actor, person
from plugin_framework.delivery.failpoints import failpoint
from plugin_framework.tenancy import TenantRef
from tenants import waiting
from tenants.accounts import people
from tenants.accounts.models import normal
from tenants.accounts.tokens import keep_handoff, new_token
from tenants.provisioning import create_at_once


@dataclass(frozen=True, slots=True)
class SignedUp:
    """A new organisation and the single-use token that signs its owner in.

    Without a spare schema it is still being made; its host says so until the token is good.
    """

    tenant: TenantRef
    token: str


def sign_up(*, organisation: str, slug: str, name: str, email: str, password: str, language: str = "") -> SignedUp:
    """Make an organisation with its owner, or put down all that is needed to make it; all of it or nothing.

    Args:
        language: of the page they came by. An owner whose account waits is known to speak it once they have arrived.

    Raises:
        SlugTaken, SlugRefused: the address cannot be had.
    """
    actor, (token, digest) = person(normal(email)), new_token()
    hashed = make_password(password)  # before the transaction, in which others may wait for us
    add = partial(_add_owner, email, hashed, name, digest, actor, language)
    with transaction.atomic():
        tenant = create_at_once(slug, organisation, actor, add)
        if tenant is None:
            tenant = waiting.put_down(
                slug, organisation, actor, email=normal(email), password_hash=hashed, owner=name, token_hash=digest
            )
    return SignedUp(tenant, token)


def _add_owner(email: str, password_hash: str, name: str, digest: str, actor: Actor, language: str) -> None:
    owner = people.add_first(email, password_hash, name=name, actor=actor, language=language)
    keep_handoff(owner, digest)
    failpoint("owner_added")
