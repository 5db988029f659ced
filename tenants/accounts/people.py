"""What happens to people: they register, are invited, change their role, leave. Each is one transaction, audited."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.sessions.models import Session
from django.db import IntegrityError, transaction
from django.db.models import ProtectedError, RestrictedError
from django.utils import timezone
from django.utils.translation import gettext

from plugin_framework import hooks
from plugin_framework.audit import Actor, person, record
from plugin_framework.tenancy import tenant_or_none
from tenants.accounts import places
from tenants.accounts.models import Device, Invitation, Role, User, normal
from tenants.accounts.tokens import hash_of, new_token

INVITED_FOR = timedelta(days=7)


class EmailTaken(ValueError):
    """Somebody in this organisation already uses this address. Sign in, or reset the password."""


class InvitationGone(ValueError):
    """This invitation has been used, taken back or replaced by a newer one. Ask for a new one, or register without it."""


class NotPossible(ValueError):
    """This cannot be done to this person; the text says why."""


def register(
    email: str, password: str, *, name: str = "", invitation: Invitation | None = None, language: str = ""
) -> User:
    """Make an account for somebody who came by themselves, and tell the plugins, all in one transaction.

    Args:
        invitation: gives the role, and proves the address: its link was sent there.
        language: of the page they came by: the welcome that plugins send is in it.

    Raises:
        Veto: a plugin does not want them; its text says why. EmailTaken: there is such an account.
        InvitationGone: it was used or taken back a moment ago. NoPlace: the plan has no place left; the admins are told.
    """
    actor = person(normal(email))
    with places.told_of_refusals(), transaction.atomic():
        hooks.call_hook("user_registering", normal(email))
        if invitation is None:
            return add(email, password, name=name, role=Role.MEMBER, actor=actor, verified=False, language=language)
        places.lock()  # before the invitation's row: whoever invites anew takes them in this order
        role = _use_up(invitation)
        unproven = _unproven_account(invitation.email)
        if unproven is not None:
            return _take_over(unproven, password, name=name, role=role, actor=actor, language=language)
        return add(
            invitation.email,
            password,
            name=name,
            role=role,
            actor=actor,
            verified=True,
            invited=True,
            language=language,
        )


def add(
    email: str,
    password: str | None,
    *,
    name: str = "",
    role: str,
    actor: Actor,
    verified: bool,
    invited: bool = False,
    language: str = "",
) -> User:
    """Make an account and tell the plugins that handle `user_registered`, in one transaction.

    Args:
        invited: an invitation of theirs, used up in this transaction, has kept a place for them.

    Raises:
        EmailTaken: there is such an account. NoPlace: the plan has no place left.
    """
    with transaction.atomic():
        try:
            with transaction.atomic():
                user = User.objects.create_user(
                    email, password, name=name, role=role, invited=invited, language=language
                )
                if _is_proven(user.email):  # as another person's second address
                    raise EmailTaken(_taken())
        except IntegrityError as error:
            raise EmailTaken(_taken()) from error
        return _announced(user, actor, verified=verified)


def add_first(email: str, password_hash: str, *, name: str, actor: Actor, language: str = "") -> User:
    """Make the owner's account in an organisation that has just been made, and tell the plugins, in the caller's transaction.

    Args:
        password_hash: as `make_password` gives it, which takes its time and needs no transaction.
    """
    user = User(email=normal(email), name=name, role=Role.OWNER, password=password_hash, language=language)
    user.save(force_insert=True)
    return _announced(user, actor, verified=False)


def _announced(user: User, actor: Actor, *, verified: bool) -> User:
    EmailAddress.objects.create(user=user, email=user.email, verified=verified, primary=True)
    record(actor, "person.registered", user.email, role=user.role)
    hooks.emit("user_registered", user)
    return user


def _taken() -> str:
    return gettext("Somebody in this organisation already uses this address. Sign in, or reset the password.")


def _is_proven(email: str) -> bool:
    return bool(EmailAddress.objects.filter(email=email, verified=True).exists())


def _use_up(invitation: Invitation) -> str:
    """The role it gives, once: of two that come with the same link, the second waits for the first and finds nothing."""
    found = Invitation.objects.select_for_update().filter(
        pk=invitation.pk, token_hash=invitation.token_hash, expires_at__gt=timezone.now()
    )
    current = found.first()
    if current is None:
        raise InvitationGone(
            gettext(
                "This invitation has been used, taken back or replaced by a newer one. Ask for a new one, or register without it."
            )
        )
    current.delete()
    return current.role


def _unproven_account(email: str) -> User | None:
    """An account that somebody made with this address without ever proving that it is theirs, nor signing in."""
    accounts = User.objects.select_for_update().filter(email=normal(email), last_login=None)
    return accounts.exclude(pk__in=EmailAddress.objects.filter(verified=True).values("user_id")).first()


def _take_over(user: User, password: str, *, name: str, role: str, actor: Actor, language: str) -> User:
    """Give it to who has proved the address by the invitation's link. It was announced when it was made."""
    if not user.is_active:
        places.take(invited=True)
    user.name, user.role, user.is_active, user.language = name, role, True, language or user.language
    user.set_password(password)
    user.save()
    EmailAddress.objects.filter(user=user).delete()
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    record(actor, "person.joined", user.email, role=role)
    return user


def invite(email: str, role: str, actor: Actor, *, by: User | None = None) -> str:
    """Invite somebody; an earlier invitation of theirs is replaced.

    Args:
        by: whose decision it is, if it is one of the organisation's people: only owners invite owners.

    Returns:
        The token for the link. It is not stored, and cannot be shown again.

    Raises:
        EmailTaken: they are here already. NotPossible: there is no such role, or it is not theirs to give.
        NoPlace: the plan has no place left for them.
    """
    _known(role)
    if role == Role.OWNER and by is not None and by.role != Role.OWNER:
        raise NotPossible(gettext("Only an owner can invite an owner. Ask one, or choose another role."))
    token, digest = new_token()
    with places.told_of_refusals(), transaction.atomic():
        places.lock()
        if User.objects.filter(email=normal(email)).exists() or _is_proven(normal(email)):
            raise EmailTaken(gettext("%(email)s is here already, so nobody was invited.") % {"email": normal(email)})
        if not Invitation.objects.filter(email=normal(email), expires_at__gt=timezone.now()).exists():
            places.take()  # an open one keeps its place
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
    """Give somebody another role; nothing is noted where it is the one they have.

    Args:
        by: whose decision it is: only owners make or unmake owners.

    Raises:
        NotPossible: there is no such person or role, they are the last owner, or it is not for `by` to decide.
    """
    _known(role)
    with transaction.atomic():
        user, decides = _locked(user_id, by)
        if Role.OWNER in (role, user.role) and decides.role != Role.OWNER:
            raise NotPossible(
                gettext("Only an owner can make somebody an owner, or change an owner’s role. Ask one of them.")
            )
        if user.role == role:
            return user
        if user.role == Role.OWNER:
            _keep_an_owner(user)
        before, user.role = user.role, role
        user.save(update_fields=["role"])
        record(actor, "person.role_changed", user.email, before=before, after=role)
        return user


def remove_person(user_id: int, actor: Actor, *, by: User) -> str:
    """Remove somebody's account; their sessions end with it. Returns the address.

    Raises:
        NotPossible: there is no such person, they are the last owner, it is not for `by` to decide, or a plugin's data needs them.
    """
    with transaction.atomic():
        user, decides = _locked(user_id, by)
        if user.role == Role.OWNER:
            if decides.role != Role.OWNER:
                raise NotPossible(gettext("Only an owner can remove an owner. Ask one of them."))
            _keep_an_owner(user)
        record(actor, "person.removed", user.email, role=user.role)
        delete(user)
        return user.email


def lock_for_leaving(user_id: int | None, by: User) -> None:
    """Make sure, until the end of the transaction, that `by` may let this person go: an admin anybody, for an owner an owner, and
    each their own; of somebody without an account an admin.

    Raises:
        NotPossible: it is not theirs to decide, there is no such person any more, or they are the last owner.
    """
    user, decides = _locked_rows(by.pk if user_id is None else user_id, by)
    if not decides.is_admin and (user_id is None or decides.pk != user.pk):
        raise NotPossible(
            gettext("You are not an admin of this organisation any more. If that is a mistake, ask one of its owners.")
        )
    if user_id is not None and user.role == Role.OWNER:
        if decides.role != Role.OWNER:
            raise NotPossible(gettext("Only an owner can remove an owner. Ask one of them."))
        _keep_an_owner(user)


def check_leaving(user_id: int | None, by: User) -> None:
    """See that `by` may let this person go as things stand; pages do so before they ask for anything else. Arguments and errors as of
    `lock_for_leaving`.
    """
    with transaction.atomic():
        lock_for_leaving(user_id, by)


def is_last_owner(user: User) -> bool:
    """Whether nobody else is an owner who can sign in."""
    if user.role != Role.OWNER:
        return False
    return not User.objects.filter(role=Role.OWNER, is_active=True).exclude(pk=user.pk).exists()


def delete(user: User) -> None:
    """Delete an account in the caller's transaction, and the sessions that are known to be theirs.

    Raises:
        NotPossible: a plugin's rows would be left without it.
    """
    keys = list(Device.objects.filter(user=user).values_list("session_key", flat=True))
    Session.objects.filter(session_key__in=keys).delete()
    email = user.email
    try:
        user.delete()
    except (ProtectedError, RestrictedError) as error:
        raise NotPossible(
            gettext(
                "%(email)s cannot be removed, for plugins keep rows that belong to them: %(what)s. "
                "Delete those first, or what the plugin has stored."
            )
            % {"email": email, "what": _needed_by(error)}
        ) from error


def rename(user: User, name: str) -> None:
    """Give oneself another name."""
    with transaction.atomic():
        current = User.objects.select_for_update().get(pk=user.pk)
        if current.name == name:
            return
        current.name = name
        current.save(update_fields=["name"])
        record(person(current.email), "person.renamed", current.email)


def resend_invitation(number: int, actor: Actor, *, by: User) -> tuple[str, str]:
    """Make an invitation good for seven more days, with a new link; the old one does not work any more.

    Returns:
        Its address, and the token for the new link.

    Raises:
        NotPossible: it was used or taken back, or is for an owner and not an admin's to send. NoPlace: it had expired, and its place is
            taken. EmailTaken: they are here already.
    """
    with places.told_of_refusals(), transaction.atomic():
        places.lock()
        found = Invitation.objects.select_for_update().filter(pk=number).first()
        if found is None:
            raise NotPossible(gettext("This invitation was used or taken back."))
        return found.email, invite(found.email, found.role, actor, by=by)


def announce_sign_in(sender: object, user: User, **kwargs: Any) -> None:
    """Tell the plugins that somebody signed in (a receiver of Django's signal)."""
    if tenant_or_none() is not None:
        hooks.emit("user_logged_in", user)


def _known(role: str) -> None:
    if role not in Role.values:
        raise NotPossible(
            gettext("There is no role “%(role)s”. Choose one of %(roles)s.")
            % {"role": role[:20], "roles": ", ".join(Role.values)}
        )


def _locked(user_id: int, by: User) -> tuple[User, User]:
    """The person and who decides, as they are once every owner's row is locked.

    Of two owners who remove each other, one waits, and then sees what came of it: that they are not an owner any more, or the last.
    """
    user, decides = _locked_rows(user_id, by)
    if not decides.is_admin:
        raise NotPossible(
            gettext("You are not an admin of this organisation any more. If that is a mistake, ask one of its owners.")
        )
    return user, decides


def _locked_rows(user_id: int, by: User) -> tuple[User, User]:
    list(User.objects.select_for_update().filter(role=Role.OWNER).order_by("pk"))
    found = {user.pk: user for user in User.objects.select_for_update().filter(pk__in={user_id, by.pk}).order_by("pk")}
    if user_id not in found:
        raise NotPossible(
            gettext("There is no such person any more. Somebody else may have removed them; reload the page.")
        )
    if by.pk not in found:
        raise NotPossible(
            gettext("You are not an admin of this organisation any more. If that is a mistake, ask one of its owners.")
        )
    return found[user_id], found[by.pk]


def _keep_an_owner(leaving: User) -> None:
    if is_last_owner(leaving):
        raise NotPossible(gettext("The last owner stays an owner. Make somebody else an owner first."))


def _needed_by(error: ProtectedError | RestrictedError) -> str:
    rows = error.protected_objects if isinstance(error, ProtectedError) else error.restricted_objects
    return ", ".join(sorted({str(row._meta.verbose_name_plural) for row in rows}))
