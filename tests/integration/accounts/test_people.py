"""What may happen to people, and what must not: roles, invitations, the last owner."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from plugin_framework.audit import Actor
from plugin_framework.models import AuditEntry, Delivery
from plugin_framework.sdk import Veto
from plugin_framework.tenancy import tenant_scope
from saas.testing.people import PASSWORD, person
from tenants.accounts import people
from tenants.accounts.models import Invitation, Role, User
from tests.conftest import Tenants

BOSS = Actor("boss@acme.example")


@pytest.fixture(autouse=True)
def inside(tenants: Tenants, doorkeeper: None) -> Iterator[None]:
    """The tests work inside acme, where the doorkeeper runs."""
    with tenant_scope(tenants.acme):
        yield


@pytest.fixture
def owner(tenants: Tenants, inside: None) -> User:
    return person(tenants.acme, "owner")  # type: ignore[no-any-return]  # the helper does not name the model


@pytest.fixture
def admin(tenants: Tenants, inside: None) -> User:
    return person(tenants.acme, "admin")  # type: ignore[no-any-return]  # the same


@pytest.fixture
def member(tenants: Tenants, inside: None) -> User:
    return person(tenants.acme, "member")  # type: ignore[no-any-return]  # the same


def deliveries(hook: str) -> list[Any]:
    return list(Delivery.objects.filter(hook=hook).values_list("plugin", "payload"))


def audit(action: str) -> list[tuple[str, str, dict[str, Any]]]:
    return list(AuditEntry.objects.filter(action=action).values_list("actor", "target", "detail"))


def test_registering_makes_a_member_tells_the_plugins_and_is_recorded() -> None:
    user = people.register(" Ada@Acme.Example ", PASSWORD, name="Ada")
    assert (user.email, user.name, user.role, user.is_active) == ("ada@acme.example", "Ada", "member", True)
    assert user.check_password(PASSWORD)
    assert deliveries("user_registered") == [("doorkeeper", [{"$model": "accounts.User", "pk": user.pk}])]
    assert audit("person.registered") == [("ada@acme.example", "ada@acme.example", {"role": "member"})]
    assert list(user.emailaddress_set.values_list("email", "verified", "primary")) == [
        ("ada@acme.example", False, True)
    ]


def test_an_address_is_one_persons_however_it_is_spelt() -> None:
    people.register("ada@acme.example", PASSWORD)
    with pytest.raises(people.EmailTaken):
        people.register("ADA@acme.example", PASSWORD)
    assert User.objects.count() == len(deliveries("user_registered")) == len(audit("person.registered")) == 1


def test_a_second_address_that_somebody_has_proved_is_theirs_too() -> None:
    people.register("ada@acme.example", PASSWORD).emailaddress_set.create(email="lovelace@acme.example", verified=True)
    with pytest.raises(people.EmailTaken):
        people.register("Lovelace@acme.example", PASSWORD)
    with pytest.raises(people.EmailTaken):
        people.invite("lovelace@acme.example", "member", BOSS)
    assert User.objects.count() == len(deliveries("user_registered")) == 1


def test_the_database_itself_refuses_a_second_spelling_and_an_unknown_role() -> None:
    people.register("ada@acme.example", PASSWORD)
    for wrong in ({"email": "ADA@acme.example"}, {"email": "b@acme.example", "role": "emperor"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            User.objects.create(**wrong)


def test_the_same_address_in_another_organisation_is_another_account(tenants: Tenants) -> None:
    here = people.register("ada@acme.example", PASSWORD)
    with tenant_scope(tenants.globex):
        there = people.register("ada@acme.example", PASSWORD)
        assert User.objects.get().email == here.email
        assert not Delivery.objects.exists()
    assert not User.objects.filter(pk=there.pk).exclude(pk=here.pk).exists()


def test_a_plugin_can_turn_somebody_away_and_nothing_remains() -> None:
    with pytest.raises(Veto, match="We do not serve"):
        people.register("Eve@Banned.example", PASSWORD)
    assert not User.objects.exists()
    assert not Delivery.objects.exists()
    assert audit("person.registered") == []


def test_a_registration_that_is_rolled_back_leaves_no_user_no_delivery_and_no_wake_up(committed_db: str) -> None:
    with pytest.raises(RuntimeError, match="planned"), transaction.atomic():
        people.register("ada@acme.example", PASSWORD)
        assert len(deliveries("user_registered")) == 1
        raise RuntimeError("planned")
    assert (User.objects.count(), Delivery.objects.count(), audit("person.registered")) == (0, 0, [])
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM public.delivery_wake")
        assert cursor.fetchone()[0] == 0


def test_an_invitation_brings_somebody_in_with_its_role_and_a_proven_address() -> None:
    token = people.invite("Ada@Acme.Example", "admin", BOSS)
    invitation = people.invitation_for(token)
    assert invitation is not None
    user = people.register("somebody@else.example", PASSWORD, name="Ada", invitation=invitation)
    assert (user.email, user.role) == ("ada@acme.example", "admin")
    assert user.emailaddress_set.get().verified
    assert audit("person.invited") == [("boss@acme.example", "ada@acme.example", {"role": "admin"})]
    assert people.invitation_for(token) is None
    with pytest.raises(people.InvitationGone):
        people.register("ada@acme.example", PASSWORD, invitation=invitation)


def test_the_token_is_not_stored(tenants: Tenants) -> None:
    token = people.invite("ada@acme.example", "member", BOSS)
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(i)::text FROM accounts_invitation i")
        assert token not in cursor.fetchone()[0]


def test_an_invitation_is_good_in_its_own_organisation_only(tenants: Tenants) -> None:
    token = people.invite("ada@acme.example", "admin", BOSS)
    with tenant_scope(tenants.globex):
        assert people.invitation_for(token) is None


def test_an_expired_invitation_is_worthless() -> None:
    token = people.invite("ada@acme.example", "admin", BOSS)
    invitation = people.invitation_for(token)
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert people.invitation_for(token) is None
    with pytest.raises(people.InvitationGone):
        people.register("ada@acme.example", PASSWORD, invitation=invitation)


def test_an_invitation_taken_back_while_the_form_was_open_is_worthless() -> None:
    invitation = people.invitation_for(people.invite("ada@acme.example", "admin", BOSS))
    assert invitation is not None
    people.revoke_invitation(invitation.pk, BOSS)
    with pytest.raises(people.InvitationGone):
        people.register("ada@acme.example", PASSWORD, invitation=invitation)
    assert not User.objects.exists()
    assert audit("person.invitation_revoked") == [("boss@acme.example", "ada@acme.example", {})]
    people.revoke_invitation(invitation.pk, BOSS)


def test_a_newer_invitation_replaces_the_older() -> None:
    old = people.invite("ada@acme.example", "admin", BOSS)
    before = people.invitation_for(old)
    new = people.invite("ADA@acme.example", "member", BOSS)
    assert people.invitation_for(old) is None
    with pytest.raises(people.InvitationGone):
        people.register("ada@acme.example", PASSWORD, invitation=before)
    assert people.register("ada@acme.example", PASSWORD, invitation=people.invitation_for(new)).role == "member"


def test_whoever_was_here_first_without_proving_the_address_does_not_keep_the_invited_out() -> None:
    token = people.invite("ada@acme.example", "admin", BOSS)
    squatter = people.register("ada@acme.example", "a squatters pass phrase", name="Eve")
    user = people.register("ada@acme.example", PASSWORD, name="Ada", invitation=people.invitation_for(token))
    assert (user.pk, user.name, user.role) == (squatter.pk, "Ada", "admin")
    assert user.check_password(PASSWORD)
    assert user.emailaddress_set.get().verified
    assert len(deliveries("user_registered")) == 1


@pytest.mark.parametrize("proof", ["code", "sign-in"])
def test_an_account_that_somebody_uses_is_not_taken_over_by_an_invitation(proof: str) -> None:
    token = people.invite("ada@acme.example", "admin", BOSS)
    user = people.register("ada@acme.example", PASSWORD)
    if proof == "code":
        user.emailaddress_set.update(verified=True)
    else:
        User.objects.update(last_login=timezone.now())
    with pytest.raises(people.EmailTaken):
        people.register("ada@acme.example", "another pass phrase", invitation=people.invitation_for(token))
    user.refresh_from_db()
    assert user.check_password(PASSWORD)
    assert user.role == "member"


def test_nobody_is_invited_twice_into_the_same_account(member: User) -> None:
    with pytest.raises(people.EmailTaken):
        people.invite(member.email.upper(), "admin", BOSS)


def test_only_owners_make_owners(owner: User, admin: User, member: User) -> None:
    refused = pytest.raises(people.NotPossible, match="Only an owner")
    with refused:
        people.invite("x@acme.example", "owner", BOSS, by=admin)
    with refused:
        people.change_role(member.pk, "owner", BOSS, by=admin)
    with refused:
        people.change_role(owner.pk, "member", BOSS, by=admin)
    with refused:
        people.remove_person(owner.pk, BOSS, by=admin)
    assert people.change_role(member.pk, "owner", BOSS, by=owner).is_admin
    assert audit("person.role_changed") == [("boss@acme.example", member.email, {"before": "member", "after": "owner"})]


def test_somebody_who_was_an_owner_until_a_moment_ago_decides_nothing_any_more(owner: User, member: User) -> None:
    as_the_page_saw_them = User.objects.get(pk=owner.pk)
    User.objects.filter(pk=owner.pk).update(role=Role.MEMBER)
    for change in (
        lambda: people.change_role(member.pk, "owner", BOSS, by=as_the_page_saw_them),
        lambda: people.remove_person(member.pk, BOSS, by=as_the_page_saw_them),
    ):
        with pytest.raises(people.NotPossible, match="not an admin"):
            change()


def test_the_last_owner_stays(owner: User, admin: User) -> None:
    for attempt in (
        lambda: people.change_role(owner.pk, "admin", BOSS, by=owner),
        lambda: people.remove_person(owner.pk, BOSS, by=owner),
    ):
        with pytest.raises(people.NotPossible, match="last owner"):
            attempt()
    owner.refresh_from_db()
    assert owner.role == Role.OWNER
    people.change_role(admin.pk, "owner", BOSS, by=owner)
    people.remove_person(owner.pk, BOSS, by=admin)
    assert User.objects.get(role=Role.OWNER).pk == admin.pk


def test_the_role_that_somebody_has_is_no_change(owner: User, admin: User) -> None:
    assert people.change_role(owner.pk, "owner", BOSS, by=owner).role == Role.OWNER
    assert people.change_role(admin.pk, "admin", BOSS, by=owner).role == Role.ADMIN
    assert not AuditEntry.objects.filter(action="person.role_changed").exists()


def test_an_owner_who_is_locked_out_does_not_count(owner: User, admin: User) -> None:
    people.change_role(admin.pk, "owner", BOSS, by=owner)
    User.objects.filter(pk=admin.pk).update(is_active=False)
    with pytest.raises(people.NotPossible, match="last owner"):
        people.remove_person(owner.pk, BOSS, by=owner)


@pytest.mark.parametrize("role", ["", "Owner", "superuser", "owner ", "x" * 5000, "\x00"])
def test_there_are_three_roles_and_no_other(owner: User, member: User, role: str) -> None:
    with pytest.raises(people.NotPossible, match="There is no role"):
        people.change_role(member.pk, role, BOSS, by=owner)
    with pytest.raises(people.NotPossible, match="There is no role"):
        people.invite("x@acme.example", role, BOSS)


@pytest.mark.parametrize("number", [0, 999_999, 10**30])
def test_somebody_who_is_not_there_can_neither_be_changed_nor_removed(owner: User, number: int) -> None:
    with pytest.raises(people.NotPossible, match="no such person"):
        people.change_role(number, "member", BOSS, by=owner)
    with pytest.raises(people.NotPossible, match="no such person"):
        people.remove_person(number, BOSS, by=owner)


def test_whoever_is_removed_is_gone_with_their_addresses_and_may_come_again(owner: User) -> None:
    user = people.register("ada@acme.example", PASSWORD)
    assert people.remove_person(user.pk, BOSS, by=owner) == "ada@acme.example"
    assert audit("person.removed") == [("boss@acme.example", "ada@acme.example", {"role": "member"})]
    assert people.register("ada@acme.example", PASSWORD).pk != user.pk
