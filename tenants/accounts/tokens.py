"""Single-use tokens: shown once, stored as hashes, good only in the tenant whose schema holds them."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from allauth.account.models import EmailAddress
from django.contrib.auth import tokens
from django.utils import timezone

from plugin_framework.tenancy import current_tenant
from tenants.accounts.models import HandoffToken, User

HANDOFF = timedelta(minutes=2)  # from the sign-up's answer to the first request on the new host


def new_token() -> tuple[str, str]:
    """A token, and the hash under which it is stored."""
    token = secrets.token_urlsafe(32)
    return token, hash_of(token)


def hash_of(token: str) -> str:
    """What is stored of `token`: tokens are random, so a plain hash tells nothing about them."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def issue_handoff(user: User) -> str:
    """A token that signs `user` in once, within two minutes."""
    token, digest = new_token()
    keep_handoff(user, digest)
    return token


def keep_handoff(user: User, digest: str) -> None:
    """Let the token with this hash, which somebody has in hand already, sign `user` in once within two minutes from now."""
    HandoffToken.objects.create(user=user, token_hash=digest, expires_at=timezone.now() + HANDOFF)


def redeem_handoff(token: str) -> User | None:
    """Whoever `token` signs in, once: of two that come at the same time, the second finds nothing."""
    found = HandoffToken.objects.filter(token_hash=hash_of(token)).select_related("user").first()
    if found is None or not HandoffToken.objects.filter(pk=found.pk).delete()[0]:
        return None
    return found.user if found.expires_at > timezone.now() and found.user.is_active else None


class PasswordResetTokenGenerator(tokens.PasswordResetTokenGenerator):
    """As Django's, and bound to the tenant: equal ids, addresses and password hashes in two tenants make different tokens.

    Bound to all addresses of the person too, as allauth's own is: one that they give up takes its mailed links with it.
    """

    def _make_hash_value(self, user: User, timestamp: int) -> str:
        addresses = EmailAddress.objects.filter(user_id=user.pk).order_by("email").values_list("email", flat=True)
        return "|".join([current_tenant().schema, super()._make_hash_value(user, timestamp), *addresses])
