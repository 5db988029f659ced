"""People and a plan's limit: however many come at once, whichever way, there are never more than it allows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from plugin_framework import quotas
from plugin_framework.audit import Actor
from plugin_framework.models import QuotaUse
from plugin_framework.quotas import Kind, Level
from plugin_framework.tenancy import TenantRef, tenant_scope
from saas.testing.people import PASSWORD, person
from tenants.accounts import people, places
from tenants.accounts.models import Invitation, User
from tests.conftest import Tenants
from tests.support.plans import limit

AT_ONCE = 32
ACTOR = Actor("ada@acme.example")


def at_once(tenant: TenantRef, calls: list[Callable[[], Any]]) -> Counter[str]:
    """How often each kind of answer came, from calls that begin in the same moment, each with a connection of its own."""
    start = Barrier(len(calls))

    def run(call: Callable[[], Any]) -> str:
        try:
            with tenant_scope(tenant):
                connection.ensure_connection()
                start.wait(60)
                return type(call()).__name__
        except (people.EmailTaken, people.InvitationGone, places.NoPlace) as refused:
            return type(refused).__name__
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return Counter(pool.map(run, calls))


def invited(tenant: TenantRef, count: int) -> list[Invitation]:
    with tenant_scope(tenant):
        tokens = [people.invite(f"guest{number}@acme.example", "member", ACTOR) for number in range(count)]
        found = [people.invitation_for(token) for token in tokens]
    return [invitation for invitation in found if invitation is not None]


def registering(number: int) -> Callable[[], Any]:
    return partial(people.register, f"new{number}@acme.example", PASSWORD)


def joining(invitation: Invitation) -> Callable[[], Any]:
    return partial(people.register, invitation.email, PASSWORD, invitation=invitation)


def inviting(number: int) -> Callable[[], Any]:
    return partial(people.invite, f"other{number}@acme.example", "member", ACTOR)


def making(number: int) -> Callable[[], Any]:
    return partial(User.objects.create_user, f"made{number}@acme.example", PASSWORD)


def test_of_many_who_register_at_once_as_many_get_in_as_there_are_places(committed_db: str, tenants: Tenants) -> None:
    limit(tenants.acme, people=7)
    answers = at_once(tenants.acme, [registering(number) for number in range(AT_ONCE)])
    assert answers == {"User": 7, "NoPlace": AT_ONCE - 7}
    with tenant_scope(tenants.acme):
        assert (User.objects.count(), places.used()) == (7, 7)


def test_registering_inviting_joining_and_plugins_share_the_places(committed_db: str, tenants: Tenants) -> None:
    limit(tenants.acme, people=12)
    guests = invited(tenants.acme, 4)
    eight = range(8)
    calls = [*map(registering, eight), *map(inviting, eight), *map(making, eight), *map(joining, guests * 2)]
    assert len(calls) == AT_ONCE
    answers = at_once(tenants.acme, calls)
    with tenant_scope(tenants.acme):
        assert places.used() == 12
        assert set(User.objects.values_list("email", flat=True)) >= {guest.email for guest in guests}
    assert answers["InvitationGone"] == 4, "each invitation was brought twice, and its place was kept for it"
    assert answers["NoPlace"] == AT_ONCE - 4 - 12


def test_a_lowered_limit_lets_in_only_as_many_invited_as_there_is_room_for_people(
    committed_db: str, tenants: Tenants
) -> None:
    guests = invited(tenants.acme, AT_ONCE)
    limit(tenants.acme, people=5)
    answers = at_once(tenants.acme, list(map(joining, guests)))
    assert answers == {"User": 5, "NoPlace": AT_ONCE - 5}
    with tenant_scope(tenants.acme):
        assert User.objects.count() == 5
        assert Invitation.objects.count() == AT_ONCE - 5, "who was refused can use the invitation later"


def test_accounts_that_are_made_active_at_once_take_places_too(committed_db: str, tenants: Tenants) -> None:
    with tenant_scope(tenants.acme):
        for number in range(AT_ONCE):
            User.objects.create_user(f"guest{number}@acme.example", PASSWORD)
        User.objects.update(is_active=False)
        for user in User.objects.all():
            Invitation.objects.create(
                email=user.email, token_hash=user.email, expires_at=timezone.now() + timedelta(days=1)
            )
        guests = list(Invitation.objects.all())
    limit(tenants.acme, people=6)
    assert at_once(tenants.acme, list(map(joining, guests)))["User"] == 6
    with tenant_scope(tenants.acme):
        assert User.objects.filter(is_active=True).count() == 6


def test_nothing_is_refused_without_a_plan_or_where_it_names_no_number(tenants: Tenants) -> None:
    with tenant_scope(tenants.acme):
        people.register("one@acme.example", PASSWORD)
    limit(tenants.acme, deliveries=1)
    with tenant_scope(tenants.acme):
        people.register("two@acme.example", PASSWORD)
        assert quotas.usage(Kind.PEOPLE).level is Level.FINE
    with tenant_scope(tenants.globex):
        people.register("one@globex.example", PASSWORD)


def test_who_is_invited_once_more_takes_no_second_place_and_an_old_invitation_takes_none(tenants: Tenants) -> None:
    limit(tenants.acme, people=1)
    with tenant_scope(tenants.acme):
        for _ in range(2):
            people.invite("guest@acme.example", "member", ACTOR)
        with pytest.raises(places.NoPlace, match="people take 0 of them, and invitations 1"):
            people.invite("other@acme.example", "member", ACTOR)
        Invitation.objects.update(expires_at=timezone.now())
        people.invite("other@acme.example", "member", ACTOR)
        with pytest.raises(places.NoPlace):
            people.invite("guest@acme.example", "member", ACTOR)


def test_who_registers_without_the_invitation_they_have_does_not_count_twice(tenants: Tenants) -> None:
    limit(tenants.acme, people=3)
    with tenant_scope(tenants.acme):
        people.invite("guest@acme.example", "member", ACTOR)
        people.register("guest@acme.example", PASSWORD)
        assert places.used() == 1


def test_a_place_that_is_given_up_can_be_taken(tenants: Tenants) -> None:
    owner = person(tenants.acme, "owner")
    limit(tenants.acme, people=2)
    with tenant_scope(tenants.acme):
        leaving = people.register("ada@acme.example", PASSWORD)
        with pytest.raises(places.NoPlace):
            people.register("eve@acme.example", PASSWORD)
        people.remove_person(leaving.pk, ACTOR, by=owner)
        people.register("eve@acme.example", PASSWORD)


def test_a_lowered_limit_takes_nobody_away(tenants: Tenants) -> None:
    with tenant_scope(tenants.acme):
        for number in range(4):
            people.register(f"p{number}@acme.example", PASSWORD)
    limit(tenants.acme, people=2)
    with tenant_scope(tenants.acme):
        usage = quotas.usage(Kind.PEOPLE)
        assert (usage.used, usage.limit, usage.level, usage.left) == (4, 2, Level.OVER, 0)
        with pytest.raises(places.NoPlace):
            people.register("one.more@acme.example", PASSWORD)


def test_what_was_refused_leaves_nothing_behind_but_the_notice(tenants: Tenants) -> None:
    limit(tenants.acme, people=1)
    person(tenants.acme, "owner")
    with tenant_scope(tenants.acme):
        QuotaUse.objects.all().delete()
        with pytest.raises(places.NoPlace):
            people.register("ada@acme.example", PASSWORD)
        assert User.objects.count() == 1
        assert [(use.kind, use.told, use.told_limit) for use in QuotaUse.objects.all()] == [("people", 100, 1)]
