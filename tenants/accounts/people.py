"""What happens to people: they register, are invited, change their role, leave. Each is one transaction, audited."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction
from django.utils import timezone

from plugin_framework import hooks
from plugin_framework.audit import Actor, person, record
from plugin_framework.tenancy import tenant_or_none
from tenants.accounts.models import Invitation, Role, User, normal
from tenants.accounts.tokens import hash_of, new_token

INVITED_FOR = timedelta(days=7)


class EmailTaken(ValueError):
    """Somebody in this organisation already uses this address. Sign in, or reset the password."""


class NotPossible(ValueError):
    """This cannot be done to this person; the text says why."""


def register(email: str, password: str, *, name: str = "", invitation: Invitation | None = None) -> User:
    """Make an account for somebody who came by themselves, and tell the plugins, all in one transaction.

    Args:
        invitation: gives the role, and proves the address: its link was sent there.

    Raises:
        Veto: a plugin does not want them; its text says why. EmailTaken: there is such an account.
    """
    with transaction.atomic():
        hooks.call_hook("user_registering", normal(email))
        if invitation is not None:
            Invitation.objects.filter(pk=invitation.pk).delete()
        role = invitation.role if invitation else Role.MEMBER
        return add(email, password, name=name, role=role, actor=person(email), verified=invitation is not None)


def add(email: str, password: str | None, *, name: str = "", role: str, actor: Actor, verified: bool) -> User:
    """Make an account and tell the plugins that handle `user_registered`, in one transaction.

    Raises:
        EmailTaken: there is such an account.
    """
    with transaction.atomic():
        try:
            with transaction.atomic():
                user = User.objects.create_user(email, password, name=name, role=role)
        except IntegrityError as error:
            raise EmailTaken(EmailTaken.__doc__) from error
        EmailAddress.objects.create(user=user, email=user.email, verified=verified, primary=True)
        record(actor, "person.registered", user.email, role=role)
        hooks.emit("user_registered", user)
        return user


def invite(email: str, role: str, actor: Actor) -> str:
    """Invite somebody; an earlier invitation of theirs is replaced.

    Returns:
        The token for the link. It is not stored, and cannot be shown again.

    Raises:
        EmailTaken: they are here already. NotPossible: there is no such role.
    """
    if role not in Role.values:
        raise NotPossible(f"There is no role {role!r}. Choose one of {', '.join(Role.values)}.")
    token, digest = new_token()
    with transaction.atomic():
        if User.objects.filter(email=normal(email)).exists():
            raise EmailTaken(f"{normal(email)} is here already.")
        fresh = {"role": role, "token_hash": digest, "invited_by": str(actor)[:200], "created_at": timezone.now()}
        Invitation.objects.update_or_create(
            email=normal(email), defaults={**fresh, "expires_at": timezone.now() + INVITED_FOR}
        )
        record(actor, "person.invited", normal(email), role=role)
    return token


def invitation_for(token: str) -> Invitation | None:
    """The invitation of a link, unless it was used, revoked or has expired."""
    return Invitation.objects.filter(token_hash=hash_of(token), expires_at__gt=timezone.now()).first()


def revoke_invitation(number: int, actor: Actor) -> None:
    """Make an invitation's link worthless; nothing happens if it was used meanwhile."""
    with transaction.atomic():
        found = Invitation.objects.select_for_update().filter(pk=number).first()
        if found is not None:
            record(actor, "person.invitation_revoked", found.email)
            found.delete()


def change_role(user_id: int, role: str, actor: Actor, *, by: User) -> User:
    """Give somebody another role.

    Args:
        by: whose decision it is: only owners make or unmake owners.

    Raises:
        NotPossible: there is no such person or role, or they are the last owner.
    """
    if role not in Role.values:
        raise NotPossible(f"There is no role {role!r}. Choose one of {', '.join(Role.values)}.")
    with transaction.atomic():
        user = _locked(user_id)
        if Role.OWNER in (role, user.role) and by.role != Role.OWNER:
            raise NotPossible("Only an owner can make somebody an owner, or change an owner's role.")
        if user.role == Role.OWNER != role:
            _keep_an_owner(user)
        before, user.role = user.role, role
        user.save(update_fields=["role"])
        record(actor, "person.role_changed", user.email, before=before, after=role)
        return user


def remove_person(user_id: int, actor: Actor, *, by: User) -> str:
    """Remove somebody's account; their sessions end with it. Returns the address.

    Raises:
        NotPossible: there is no such person, or they are the last owner.
    """
    with transaction.atomic():
        user = _locked(user_id)
        if user.role == Role.OWNER:
            if by.role != Role.OWNER:
                raise NotPossible("Only an owner can remove an owner.")
            _keep_an_owner(user)
        record(actor, "person.removed", user.email)
        user.delete()
        return user.email


def announce_sign_in(sender: object, user: User, **kwargs: Any) -> None:
    """Tell the plugins that somebody signed in (a receiver of Django's signal)."""
    if tenant_or_none() is not None:
        hooks.emit("user_logged_in", user)


def _locked(user_id: int) -> User:
    """The person, after every owner's row was locked: of two owners who remove each other, one waits and sees what came of it."""
    list(User.objects.select_for_update().filter(role=Role.OWNER).order_by("pk"))
    user = User.objects.select_for_update().filter(pk=user_id).first()
    if user is None:
        raise NotPossible("There is no such person any more.")
    return user


def _keep_an_owner(leaving: User) -> None:
    if not User.objects.filter(role=Role.OWNER, is_active=True).exclude(pk=leaving.pk).exists():
        raise NotPossible("The last owner stays an owner. Make somebody else an owner first.")
