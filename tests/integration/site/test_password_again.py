"""Nobody exports or erases a person's data, or exports or deletes an organisation, without typing their password once more."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from plugin_framework.models import AuditEntry
from plugin_framework.tenancy import TenantRef, tenant_scope
from saas.testing.people import PASSWORD, confirmed, person
from tenants.accounts.models import User
from tenants.provisioning import ensure_platform
from tests.conftest import Tenants
from tests.support.filled_forms import Page
from tests.support.matrix import table

WHO, PASSWORD_FIELD = "who@acme.example", "confirm-password"


@dataclass(frozen=True)
class Way:
    """An address that asks: who may send to it, what they send, and what the audit log calls it when it was done."""

    host: str
    route: str
    role: str
    action: str
    sent: dict[str, str] = field(default_factory=dict)
    file: bool = False

    @property
    def path(self) -> str:
        return self.route.replace("<slug:slug>", "acme")


WAYS = [
    Way("tenant", "/account/data/export/", "member", "person.exported", file=True),
    Way("tenant", "/account/data/erase/", "member", "person.erased", {"confirmation": "me@acme.example"}),
    Way("tenant", "/settings/people/data/export/", "admin", "person.exported", {"email": WHO}, file=True),
    Way("tenant", "/settings/people/data/erase/", "admin", "person.erased", {"email": WHO, "confirmation": WHO}),
    Way("tenant", "/settings/organisation/export/", "owner", "tenant.exported", file=True),
    Way("tenant", "/settings/organisation/delete/", "owner", "tenant.deleted", {"confirmation": "acme"}),
    Way("platform", "/account/data/export/", "member", "person.exported", file=True),
    Way("platform", "/account/data/erase/", "member", "person.erased", {"confirmation": "me@acme.example"}),
    Way("platform", "/tenants/<slug:slug>/export/", "admin", "tenant.exported", file=True),
    Way("platform", "/tenants/<slug:slug>/delete/", "admin", "tenant.deleted", {"confirmation": "acme"}),
]
every_way = pytest.mark.parametrize("way", WAYS, ids=[f"{way.host}{way.route}" for way in WAYS])


@dataclass(frozen=True)
class Actor:
    """Somebody who may go a way, and where they are signed in."""

    client: Client
    user: User
    ref: TenantRef

    def log(self, way: Way) -> list[str]:
        """Who has done it, as the audit log of their place has it."""
        with tenant_scope(self.ref):
            return list(AuditEntry.objects.filter(action=way.action).values_list("actor", flat=True))


@pytest.fixture
def actor(tenants: Tenants, client_for: Callable[..., Client]) -> Callable[[Way], Actor]:
    """Whoever may go that way and no more, signed in; beside them an owner, and somebody whom it may be about."""

    def make(way: Way) -> Actor:
        ref = tenants.acme if way.host == "tenant" else ensure_platform()
        user = person(ref, way.role, "me@acme.example")
        if way.role != "owner":
            person(ref, "owner", "owner@acme.example")
        person(tenants.acme, "member", WHO)
        return Actor(client_for(ref, user), user, ref)

    return make


def is_file(answer: Any) -> bool:
    return str(answer.headers.get("Content-Disposition", "")).startswith("attachment")


def received(answer: Any) -> bytes:
    """The file that was sent, to its end."""
    assert is_file(answer)
    return b"".join(answer.streaming_content) if answer.streaming else bytes(answer.content)


def page_of(answer: Any) -> Page:
    """The form between the page's own."""
    text = answer.content.decode().partition("<main")[2].partition("</main>")[0]
    return Page(text.partition("<h1")[2])


def test_every_way_by_which_data_leaves_or_is_deleted_is_tried_here() -> None:
    ends = ("/export/", "/erase/", "/organisation/delete/", "/tenants/<slug:slug>/delete/")
    assert {(row.host, row.route) for row in table().values() if row.route.endswith(ends)} == {
        (way.host, way.route) for way in WAYS
    }


@every_way
def test_without_the_password_it_is_asked_for_and_nothing_is_done_or_lost(way: Way, actor: Any) -> None:
    who = actor(way)
    answer = who.client.post(way.path, way.sent)
    assert (answer.status_code, is_file(answer)) == (200, False)
    assert "Confirm that it is you" in answer.text
    sent = page_of(answer).submit()
    assert {name: sent[name] for name in way.sent} == way.sent
    about = "acme" if "<slug" in way.route else way.sent.get("email", "")
    assert (f"about <strong>{about}</strong>" in answer.text) == bool(about)
    assert who.log(way) == []
    again = who.client.post(way.path, way.sent)  # having been asked is no answer
    assert ("Confirm that it is you" in again.text, who.log(way)) == (True, [])


@every_way
@pytest.mark.parametrize("typed", ["", "wrong", PASSWORD.upper(), "x" * 5000, "nul\x00"])
def test_a_wrong_password_does_nothing(way: Way, actor: Any, typed: str) -> None:
    who = actor(way)
    answer = who.client.post(way.path, {**way.sent, PASSWORD_FIELD: typed})
    assert (answer.status_code, is_file(answer), who.log(way)) == (422, False, [])
    assert answer.context["form"].errors.keys() == {"password"}
    sent = page_of(answer).submit()
    assert {name: sent[name] for name in way.sent} == way.sent
    assert not typed or typed not in answer.text


@every_way
def test_with_the_password_it_is_done_with_what_was_sent_before(way: Way, actor: Any) -> None:
    who = actor(way)
    asked = page_of(who.client.post(way.path, way.sent))
    answer = who.client.post(way.path, asked.submit(**{PASSWORD_FIELD: PASSWORD}))
    if way.file:  # the browser would stay on the question: another button fetches it
        assert ("Thank you" in answer.text, who.log(way)) == (True, [])
        ready = page_of(answer).submit()
        assert PASSWORD_FIELD not in ready
        answer = who.client.post(way.path, ready)
        assert received(answer)
    assert len(who.log(way)) == 1
    assert PASSWORD not in str(who.log(way))


@every_way
def test_it_holds_for_some_minutes_in_that_session_alone(
    way: Way, actor: Any, client_for: Callable[..., Client]
) -> None:
    who = actor(way)
    elsewhere = client_for(who.ref, who.user)
    confirmed(elsewhere)
    assert "Confirm that it is you" in who.client.post(way.path, way.sent).text
    session = elsewhere.session
    with tenant_scope(who.ref):
        records = session["account_authentication_methods"]
        records[-1]["at"] = time.time() - 60 * settings.CONFIRMED_FOR_MINUTES - 1
        session.save()
    assert "Confirm that it is you" in elsewhere.post(way.path, way.sent).text
    assert who.log(way) == []
    confirmed(elsewhere)
    answer = elsewhere.post(way.path, way.sent)
    assert received(answer) if way.file else "Confirm that it is you" not in answer.text
    assert len(who.log(way)) == 1


@every_way
def test_what_was_confirmed_next_door_counts_for_nothing_here(
    way: Way, actor: Any, tenants: Tenants, client_for: Callable[..., Client]
) -> None:
    who = actor(way)
    namesake = confirmed(client_for(tenants.globex, person(tenants.globex, "owner", who.user.email)))
    assert "Confirm that it is you" in who.client.post(way.path, way.sent).text
    namesake.defaults["HTTP_HOST"] = who.ref.host
    answer: Any = namesake.post(way.path, {**way.sent, PASSWORD_FIELD: PASSWORD})
    assert (answer.status_code, answer.headers["Location"].startswith("/accounts/login/")) == (302, True)
    assert who.log(way) == []


@every_way
def test_who_has_no_password_is_not_let_through_but_told_how_to_get_one(way: Way, actor: Any) -> None:
    who = actor(way)
    with tenant_scope(who.ref):
        who.user.set_unusable_password()
        who.user.save()
        who.client.force_login(who.user)
    for sent in (way.sent, {**way.sent, PASSWORD_FIELD: ""}, {**way.sent, PASSWORD_FIELD: PASSWORD}):
        answer = who.client.post(way.path, sent)
        assert (answer.status_code, is_file(answer), who.log(way)) == (200, False, [])
        assert "/accounts/password/reset/" in answer.text


def test_nobody_is_asked_who_may_not_do_it_anyway(
    actor: Any, tenants: Tenants, client_for: Callable[..., Client]
) -> None:
    member = confirmed(client_for(tenants.acme, person(tenants.acme, "member")))
    for way in WAYS:
        if way.host == "tenant" and way.role != "member":
            assert member.post(way.path, {**way.sent, PASSWORD_FIELD: PASSWORD}).status_code == 403


def test_signing_in_again_does_not_keep_what_was_confirmed_before(actor: Any) -> None:
    who = actor(WAYS[0])
    confirmed(who.client)
    assert is_file(who.client.post(WAYS[0].path))
    who.client.post("/accounts/logout/")
    with tenant_scope(who.ref):
        who.client.force_login(who.user)
    assert "Confirm that it is you" in who.client.post(WAYS[0].path).text


def test_a_password_cannot_be_guessed_for_long(actor: Any) -> None:
    who = actor(WAYS[1])
    guesses = ({**WAYS[1].sent, PASSWORD_FIELD: f"guess {number}"} for number in range(12))
    found = [who.client.post(WAYS[1].path, sent).status_code for sent in guesses]
    assert found[:10] == [422] * 10
    assert found[-1] == 429
    answer = who.client.post(WAYS[1].path, {**WAYS[1].sent, PASSWORD_FIELD: PASSWORD})
    assert (answer.status_code, who.log(WAYS[1])) == (429, [])


@pytest.mark.parametrize(
    "way", [way for way in WAYS if "confirmation" in way.sent], ids=lambda way: f"{way.host}{way.route}"
)
def test_a_name_typed_wrong_is_said_before_anybody_is_asked_for_their_password(way: Way, actor: Any) -> None:
    who = actor(way)
    for typed in ({**way.sent, "confirmation": "acme inc"}, {**way.sent, "confirmation": "", PASSWORD_FIELD: PASSWORD}):
        answer = who.client.post(way.path, typed)
        assert (answer.status_code, who.log(way)) == (409, [])
        assert f"Type {way.sent['confirmation']} to erase" in answer.text or "Type its short name, acme," in answer.text
        assert "Confirm that it is you" not in answer.text


@pytest.mark.parametrize("host", ["tenant", "platform"])
def test_the_last_owner_reads_what_to_do_before_a_password_is_asked_for(
    host: str, tenants: Tenants, client_for: Callable[..., Client]
) -> None:
    ref = tenants.acme if host == "tenant" else ensure_platform()
    last = person(ref, "owner", "last@acme.example")
    client, sent = client_for(ref, last), {"email": "last@acme.example", "confirmation": "last@acme.example"}
    page = client.get("/account/data/").text
    assert ("You are the last owner of" in page, 'name="confirmation"' in page) == (True, False)
    for path in ("/account/data/erase/", *(["/settings/people/data/erase/"] if host == "tenant" else [])):
        refused = client.post(path, sent)
        assert (refused.status_code, "Make somebody else an owner first" in refused.text) == (409, True)
        assert "Confirm that it is you" not in refused.text
    person(ref, "owner", "next@acme.example")
    assert 'name="confirmation"' in client.get("/account/data/").text
    assert "Confirm that it is you" in client.post("/account/data/erase/", sent).text


def test_an_admin_is_told_whose_an_owners_data_is_before_a_password_is_asked_for(actor: Any) -> None:
    who = actor(WAYS[3])
    sent = {"email": "owner@acme.example", "confirmation": "owner@acme.example"}
    refused = who.client.post(WAYS[3].path, sent)
    assert (refused.status_code, "Only an owner can remove an owner" in refused.text) == (409, True)
    assert "Confirm that it is you" not in refused.text


def test_one_goes_back_to_the_page_of_the_person_it_was_about(actor: Any) -> None:
    who = actor(WAYS[2])
    assert 'href="/settings/people/data/?email=who%40acme.example"' in who.client.post(WAYS[2].path, WAYS[2].sent).text


def test_addresses_are_not_changed_without_it_either(actor: Any, tenants: Tenants) -> None:
    who = actor(WAYS[0])
    thief = {"action_add": "", "email": "thief@evil.example"}
    answer = who.client.post("/accounts/email/", thief)
    assert answer.headers["Location"].startswith("/accounts/reauthenticate/")
    with tenant_scope(tenants.acme):
        assert not who.user.emailaddress_set.filter(email="thief@evil.example").exists()
