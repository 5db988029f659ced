"""One person's data in the organisation: all of it in one document, and its erasure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from allauth.account.models import EmailAddress
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from plugin_framework import personal_data, pseudonyms
from plugin_framework.audit import Actor, record
from plugin_framework.personal_data import CannotErase, Part, of_some_plugins
from plugin_framework.sdk import Person
from plugin_framework.tenancy import current_tenant
from tenants.accounts import people
from tenants.accounts.models import Device, Invitation, User, normal
from tenants.accounts.people import NotPossible

__all__ = [
    "CannotErase",
    "Erasure",
    "Held",
    "NotPossible",
    "check",
    "erase",
    "export",
    "held",
    "of_some_plugins",
    "person_at",
    "person_of",
]


@dataclass(frozen=True, slots=True)
class Held:
    """What is held of a person.

    Attributes:
        account: None for somebody who has none.
        ours: what the audit log, the history of settings and the deliveries say. `parts`: what the plugins keep, if they were asked.
        settings_of: plugins in whose settings an admin wrote an address of theirs.
    """

    person: Person
    account: Mapping[str, Any] | None
    addresses: list[dict[str, Any]]
    devices: list[dict[str, Any]]
    invitations: list[dict[str, Any]]
    ours: Mapping[str, list[dict[str, Any]]]
    parts: list[Part]
    settings_of: list[str]

    @property
    def nothing(self) -> bool:
        """Whether nothing is known of them."""
        return not (
            self.account
            or self.invitations
            or any(self.ours.values())
            or any(part.count or not part.asked for part in self.parts)
        )


@dataclass(frozen=True, slots=True)
class Erasure:
    """What came of an erasure: under which name the log knows the person now, rows by plugin, and plugins that could not be asked.

    Attributes:
        settings_of: plugins whose settings name the person as before; so will the history of each save until that is changed.
    """

    pseudonym: str
    rows: Mapping[str, int]
    deliveries: int
    not_asked: tuple[str, ...]
    settings_of: list[str]

    @property
    def total(self) -> int:
        """Rows of all plugins."""
        return sum(self.rows.values())


def person_of(user: User) -> Person:
    """Whoever has this account, with the addresses that they have proved to be theirs."""
    proven = EmailAddress.objects.filter(user=user, verified=True).values_list("email", flat=True)
    others = sorted({normal(email) for email in proven} - {user.email})
    return Person((user.email, *others), user.pk)


def person_at(email: str) -> Person:
    """Whoever has this address: one with an account, or one without."""
    email = normal(email)
    user = User.objects.filter(email=email).first()
    if user is None:
        proven = EmailAddress.objects.filter(email=email, verified=True).select_related("user").first()
        user = proven.user if proven else None
    return Person((email,)) if user is None else person_of(user)


def held(person: Person, *, ask: bool = True) -> Held:
    """All that this organisation keeps of `person`; nothing of another organisation can be among it.

    Args:
        ask: the plugins, which costs a query or more of each of them; else they are only named.
    """
    user = User.objects.filter(pk=person.user_id).first() if person.user_id is not None else None
    return Held(
        person=person,
        account=_account(user) if user else None,
        addresses=list(EmailAddress.objects.filter(user=user).values("email", "verified", "primary")) if user else [],
        devices=_devices(user) if user else [],
        invitations=[
            {"email": each.email, "role": each.role, "invited_at": each.created_at, "expires_at": each.expires_at}
            for each in Invitation.objects.filter(email__in=person.emails)
        ],
        ours=personal_data.of_ours(person),
        parts=personal_data.of_plugins(person, ask=ask),
        settings_of=personal_data.named_in_settings(person),
    )


def export(person: Person, actor: Actor) -> dict[str, Any]:
    """The same as one document, for the person to read; that it was made is audited."""
    with transaction.atomic():
        record(actor, "person.exported", person.emails[0])  # which is among what is known of them
        found = held(person)
    tenant = current_tenant()
    return {
        "format": 1,
        "made_at": timezone.localtime(),
        "organisation": {"name": tenant.name, "host": tenant.host},
        "person": asdict(person),
        "account": found.account,
        "addresses": found.addresses,
        "devices": found.devices,
        "invitations": found.invitations,
        **found.ours,
        "plugins": {part.plugin: part.data for part in found.parts if part.data},
        "could_not_be_asked": {part.plugin: part.problem for part in found.parts if part.problem},
        "named_in_the_settings_of": found.settings_of,
    }


def check(person: Person, *, by: User, confirmation: str) -> None:
    """See that nothing speaks against erasing them, as things stand; pages do so before they ask for a password.

    Raises:
        NotPossible: as of `erase`.
    """
    people.check_leaving(person.user_id, by)
    _check_typed(person, confirmation)


def _check_typed(person: Person, confirmation: str) -> None:
    if normal(confirmation) not in person.emails:
        raise NotPossible(gettext("Type %(email)s to erase what is kept of this person.") % {"email": person.emails[0]})


def erase(person: Person, actor: Actor, *, by: User, confirmation: str) -> Erasure:
    """Delete the account, and all that the organisation and its plugins keep of `person`, in one transaction.

    Args:
        by: whose decision it is: an admin's, for an owner an owner's, or their own.
        confirmation: one of their addresses, typed.

    Raises:
        NotPossible: the confirmation differs, they are the last owner, it is not for `by` to decide, or a plugin needs the account.
        CannotErase: a plugin failed. In each case nothing was erased.
    """
    _check_typed(person, confirmation)
    pseudonym = pseudonyms.new()
    with transaction.atomic():
        people.lock_for_leaving(person.user_id, by)
        done = personal_data.erase(person, pseudonym)
        Invitation.objects.filter(email__in=person.emails).delete()
        for email in person.emails:
            Invitation.objects.filter(invited_by=email).update(invited_by=pseudonym)
        if person.user_id is not None:
            people.delete(User.objects.get(pk=person.user_id))
        own, named = by.pk == person.user_id, personal_data.named_in_settings(person)
        record(
            Actor(pseudonym) if own else actor,
            "person.erased",
            pseudonym,
            rows=sum(done.rows.values()),
            deliveries=done.deliveries,
            **({"not_asked": list(done.not_asked)} if done.not_asked else {}),
            **({"still_in_settings_of": named} if named else {}),
        )
    return Erasure(pseudonym, done.rows, done.deliveries, done.not_asked, named)


def _account(user: User) -> dict[str, Any]:
    return {
        "number": user.pk,
        "email": user.email,
        "name": user.name,
        "role": user.role,
        "language": user.language,
        "may_sign_in": user.is_active,
        "joined": user.date_joined,
        "last_signed_in": user.last_login,
    }


def _devices(user: User) -> list[dict[str, Any]]:
    return [
        {"since": row.started_at, "last_seen": row.last_seen_at, "address": row.address, "user_agent": row.user_agent}
        for row in Device.objects.filter(user=user).order_by("pk")
    ]
