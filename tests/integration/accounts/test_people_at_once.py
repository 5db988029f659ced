"""People changed by several at the same time, in separate transactions that really commit."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from plugin_framework.audit import Actor
from plugin_framework.tenancy import tenant_scope
from saas.testing.people import PASSWORD, person
from tenants.accounts import people
from tenants.accounts.models import HandoffToken, Invitation, Role, User
from tenants.accounts.tokens import issue_handoff, redeem_handoff
from tests.conftest import Tenants

ROUNDS = 8  # each from the start: whoever comes first differs
pytestmark = pytest.mark.usefixtures("committed_db")


def at_once(tenants: Tenants, *calls: Callable[[], Any]) -> list[Any]:
    """What each call returned or raised, begun at the same moment in a thread of its own."""
    start = Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        try:
            with tenant_scope(tenants.acme):
                connection.ensure_connection()
                start.wait(30)
                return call()
        except (people.NotPossible, people.EmailTaken, people.InvitationGone) as refused:
            return refused
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


@pytest.mark.parametrize("change", ["demote", "remove", "step down"])
def test_of_two_owners_who_go_for_each_other_one_stays(tenants: Tenants, change: str) -> None:
    act = Actor("x")
    for round_ in range(ROUNDS):
        one, two = (person(tenants.acme, "owner", f"{name}{round_}@acme.example") for name in ("one", "two"))
        calls: dict[str, list[Callable[[], Any]]] = {
            "demote": [
                partial(people.change_role, two.pk, "member", act, by=one),
                partial(people.change_role, one.pk, "member", act, by=two),
            ],
            "remove": [
                partial(people.remove_person, two.pk, act, by=one),
                partial(people.remove_person, one.pk, act, by=two),
            ],
            "step down": [
                partial(people.change_role, one.pk, "member", act, by=one),
                partial(people.change_role, two.pk, "member", act, by=two),
            ],
        }
        outcomes = at_once(tenants, *calls[change])
        assert [isinstance(each, people.NotPossible) for each in outcomes].count(True) == 1, outcomes
        with tenant_scope(tenants.acme):
            assert User.objects.filter(role=Role.OWNER).count() == 1
            User.objects.all().delete()


def test_of_many_who_register_one_address_one_gets_it(tenants: Tenants) -> None:
    outcomes = at_once(tenants, *[partial(people.register, "ada@acme.example", PASSWORD)] * 6)
    assert sum(isinstance(each, User) for each in outcomes) == 1
    assert sum(isinstance(each, people.EmailTaken) for each in outcomes) == 5


def test_of_two_who_come_with_one_invitation_one_gets_in(tenants: Tenants) -> None:
    for round_ in range(ROUNDS):
        with tenant_scope(tenants.acme):
            email = f"ada{round_}@acme.example"
            invitation = people.invitation_for(people.invite(email, "admin", Actor("x")))
        outcomes = at_once(tenants, *[partial(people.register, email, PASSWORD, invitation=invitation)] * 2)
        assert sorted(type(each).__name__ for each in outcomes) == ["InvitationGone", "User"]
    with tenant_scope(tenants.acme):
        assert not Invitation.objects.exists()


def test_a_hand_off_token_signs_in_once_however_many_bring_it(tenants: Tenants) -> None:
    user = person(tenants.acme, "owner")
    for _ in range(ROUNDS):
        with tenant_scope(tenants.acme):
            token = issue_handoff(user)
        outcomes = at_once(tenants, *[partial(redeem_handoff, token)] * 4)
        assert sorted(each is not None for each in outcomes) == [False, False, False, True]
    with tenant_scope(tenants.acme):
        assert not HandoffToken.objects.exists()
