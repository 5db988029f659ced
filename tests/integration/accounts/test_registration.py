"""Registering with an organisation: the form, JSON, invitations, and what the plugins hear of it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.test import Client
from pytest_django import Settings

from plugin_framework.audit import Actor
from plugin_framework.models import Delivery
from plugin_framework.tenancy import tenant_scope
from saas.testing.people import PASSWORD
from tenants.accounts import people
from tenants.accounts.models import Invitation, User
from tests.conftest import Tenants

ADA = {"name": "Ada", "email": "ada@acme.example", "password": PASSWORD}
pytestmark = pytest.mark.usefixtures("doorkeeper")


def send_json(client: Client, body: object, query: str = "", **extra: Any) -> Any:
    data = body if isinstance(body, str | bytes) else json.dumps(body)
    return client.post(f"/register/{query}", data, content_type="application/json", **extra)


def here(tenants: Tenants) -> list[tuple[str, str]]:
    with tenant_scope(tenants.acme):
        return list(User.objects.values_list("email", "role"))


def heard(tenants: Tenants, hook: str = "user_registered") -> int:
    with tenant_scope(tenants.acme):
        return Delivery.objects.filter(hook=hook).count()


def signed_in(client: Client) -> bool:
    return client.get("/").status_code == 200


def code_in(mail: EmailMessage) -> str:
    found = re.search(r"^\s*([A-Z0-9]{3,4}-?[A-Z0-9]{3,4})\s*$", str(mail.body), re.MULTILINE)
    assert found, mail.body
    return found[1]


def test_somebody_registers_proves_the_address_by_code_and_is_in(
    acme: Client, tenants: Tenants, mailoutbox: list[EmailMessage]
) -> None:
    answer = acme.post("/register/", ADA)
    assert answer["Location"] == "/accounts/confirm-email/"
    assert (here(tenants), heard(tenants), signed_in(acme)) == ([("ada@acme.example", "member")], 1, False)
    (mail,) = mailoutbox
    assert (mail.to, mail.from_email) == (["ada@acme.example"], "Acme <no-reply@localhost>")
    wrong = acme.post("/accounts/confirm-email/", {"code": "WRONG1"})
    assert (wrong.status_code, signed_in(acme)) == (200, False)
    assert acme.post("/accounts/confirm-email/", {"code": code_in(mail)})["Location"] == "/"
    assert signed_in(acme)
    assert heard(tenants, "user_logged_in") == 1


def test_whoever_waits_for_the_code_in_vain_has_another_sent_and_the_first_is_void(
    acme: Client, tenants: Tenants, mailoutbox: list[EmailMessage]
) -> None:
    acme.post("/register/", ADA)
    page = acme.get("/accounts/confirm-email/").content.decode()
    assert '<button class="button" type="submit">Send a new code</button>' in page
    with tenant_scope(tenants.acme):
        cache.clear()  # the limit of one code in ten seconds
    acme.post("/accounts/confirm-email/", {"action": "resend"})
    first, second = mailoutbox
    assert (second.to, code_in(second) == code_in(first)) == (first.to, False)
    acme.post("/accounts/confirm-email/", {"code": code_in(first)})
    assert not signed_in(acme)
    acme.post("/accounts/confirm-email/", {"code": code_in(second)})
    assert signed_in(acme)


def test_whoever_wants_another_code_at_once_is_told_on_the_same_page_that_one_is_on_its_way(
    acme: Client, mailoutbox: list[EmailMessage]
) -> None:
    acme.post("/register/", ADA)
    answer = acme.post("/accounts/confirm-email/?next=/settings/", {"action": "resend"}, follow=True)
    assert (answer.status_code, answer.redirect_chain) == (200, [("/accounts/confirm-email/?next=%2Fsettings%2F", 302)])
    assert "A code was sent a moment ago; wait a few seconds and look into your mail." in answer.text
    (mail,) = mailoutbox
    acme.post("/accounts/confirm-email/", {"code": code_in(mail)})  # it is as good as before
    assert signed_in(acme)


def test_a_code_is_good_for_the_organisation_it_was_mailed_for_only(
    acme: Client, globex: Client, mailoutbox: list[EmailMessage]
) -> None:
    acme.post("/register/", ADA)
    globex.post("/register/", ADA)
    ours = code_in(mailoutbox[0])
    globex.post("/accounts/confirm-email/", {"code": ours})
    assert not signed_in(globex)
    globex.cookies = acme.cookies  # and not with the other's cookie either
    assert globex.post("/accounts/confirm-email/", {"code": ours})["Location"] != "/"
    assert not signed_in(globex)


def test_the_organisation_next_door_hears_nothing(globex: Client, tenants: Tenants) -> None:
    globex.post("/register/", ADA)
    assert (here(tenants), heard(tenants)) == ([], 0)
    with tenant_scope(tenants.globex):
        assert not Delivery.objects.exists()
        assert User.objects.get().email == "ada@acme.example"


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"email": "nobody"}, "email"),
        ({"email": ""}, "email"),
        ({"password": "tinyone"}, "password"),
        ({"password": "ada@acme.example"}, "password"),
        ({"name": "x" * 151}, "name"),
        ({"name": "a\x00b"}, "name"),
    ],
)
def test_bad_input_comes_back_with_what_was_typed_but_the_password(
    acme: Client, tenants: Tenants, changes: dict[str, str], wrong: str
) -> None:
    answer = acme.post("/register/", {**ADA, **changes})
    assert (answer.status_code, set(answer.context["form"].errors)) == (400, {wrong})
    typed = {name: answer.context["form"][name].value() for name in ADA}
    assert typed == {**ADA, **changes}
    assert 'value="Ada"' in answer.content.decode() or wrong == "name"
    assert typed["password"] not in answer.content.decode().replace("ada@acme.example", "")
    assert (here(tenants), heard(tenants)) == ([], 0)


def test_a_plugins_veto_is_an_error_of_the_form(acme: Client, tenants: Tenants) -> None:
    answer = acme.post("/register/", {**ADA, "email": "eve@banned.example"})
    assert answer.status_code == 400
    assert "We do not serve banned.example here." in answer.content.decode()
    assert (here(tenants), heard(tenants)) == ([], 0)


def test_the_form_does_not_tell_who_is_here(
    acme: Client, tenants: Tenants, client_for: Any, mailoutbox: list[Any]
) -> None:
    new = acme.post("/register/", ADA)
    again = client_for(tenants.acme)
    with tenant_scope(tenants.acme):
        cache.clear()  # minutes later: an address gets few mails in a row, whoever asks for them
    known = again.post("/register/", {**ADA, "password": "another pass phrase"})
    assert (known.status_code, known["Location"]) == (new.status_code, new["Location"])
    pages = [client.get(new["Location"]).content.decode() for client in (acme, again)]
    assert len({re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page) for page in pages}) == 1
    assert [mail.to for mail in mailoutbox] == [["ada@acme.example"]] * 2
    assert "This address has an account" in mailoutbox[1].body
    with tenant_scope(tenants.acme):
        assert User.objects.get().check_password(PASSWORD)


def test_a_form_from_another_site_registers_nobody(acme: Client, tenants: Tenants) -> None:
    acme.handler.enforce_csrf_checks = True  # type: ignore[attr-defined]  # Django's test handler
    acme.get("/register/")
    assert acme.post("/register/", ADA, headers={"origin": "http://evil.example"}).status_code == 403
    wanting_json = {"origin": "http://evil.example", "accept": "application/json"}
    assert acme.post("/register/", ADA, headers=wanting_json).status_code == 403
    assert here(tenants) == []


def test_the_page_with_its_token_registers_under_csrf_checks(acme: Client, tenants: Tenants) -> None:
    acme.handler.enforce_csrf_checks = True  # type: ignore[attr-defined]  # Django's test handler
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', acme.get("/register/").content.decode())
    assert token
    assert acme.post("/register/", {**ADA, "csrfmiddlewaretoken": token[1]}).status_code == 302
    assert len(here(tenants)) == 1


def test_somebody_who_is_signed_in_needs_no_account(acme: Client, tenants: Tenants) -> None:
    with tenant_scope(tenants.acme):
        acme.force_login(User.objects.create_user("x@acme.example", PASSWORD))
    assert acme.get("/register/")["Location"] == "/"
    assert acme.post("/register/", ADA)["Location"] == "/"
    assert here(tenants) == [("x@acme.example", "member")]


def test_a_program_registers_somebody_with_json(acme: Client, tenants: Tenants) -> None:
    acme.handler.enforce_csrf_checks = True  # type: ignore[attr-defined]  # Django's test handler
    answer = send_json(acme, ADA)
    assert answer.status_code == 201
    with tenant_scope(tenants.acme):
        assert answer.json() == {"user_id": User.objects.get().pk, "status": "created"}
    assert heard(tenants) == 1
    assert not signed_in(acme)
    assert "sessionid" not in answer.cookies


def test_a_program_may_send_a_form_and_ask_for_json(acme: Client, tenants: Tenants) -> None:
    acme.handler.enforce_csrf_checks = True  # type: ignore[attr-defined]  # Django's test handler
    answer = acme.post("/register/", ADA, headers={"accept": "application/json"})
    assert (answer.status_code, answer.json()["status"]) == (201, "created")
    wrong = acme.post("/register/", {**ADA, "email": "x"}, headers={"accept": "application/json"})
    assert (wrong.status_code, list(wrong.json()["errors"])) == (400, ["email"])


def test_a_program_is_told_what_is_wrong_by_field(acme: Client, tenants: Tenants) -> None:
    answer = send_json(acme, {"email": "nobody", "password": "short"})
    assert answer.status_code == 400
    errors = answer.json()["errors"]
    assert set(errors) == {"email", "password"}
    assert errors["email"] == ["Must be an e-mail address, like ada@example.com."]
    assert all(isinstance(each, str) and each for found in errors.values() for each in found)
    veto = send_json(acme, {**ADA, "email": "eve@banned.example"})
    assert (veto.status_code, veto.json()) == (400, {"errors": {"__all__": ["We do not serve banned.example here."]}})
    assert here(tenants) == []


def test_a_program_is_told_that_an_address_is_taken(acme: Client, tenants: Tenants) -> None:
    send_json(acme, ADA)
    answer = send_json(acme, {**ADA, "email": "ADA@acme.example"})
    assert (answer.status_code, list(answer.json()["errors"])) == (409, ["email"])
    assert heard(tenants) == 1


@pytest.mark.parametrize(
    "body",
    [
        " ", "{", "[]", "null", "7", '"text"', "[" * 100_000, b"\xff\xfe", "9" * 10_000, "{}", '{"email": null}', "NaN",
        '{"email": 5, "password": "a long pass phrase 7"}', '{"email": ["ada@acme.example"], "password": {}}',
        '{"email": "ada@acme.example", "password": true}', '{"email": "a@\\udcff.example", "password": "a long pass phrase 7"}',
        '{"email": "ada@acme.example", "name": "\\ud800", "password": "a long pass phrase 7"}',
        '{"email": "ada@acme.example", "password": "a long pass phrase \\ud800"}',
        '{"email": "ada@acme.example\\u0000", "password": "a long pass phrase 7"}',
    ],
)  # fmt: skip
def test_garbage_is_the_senders_error(acme: Client, tenants: Tenants, body: str | bytes) -> None:
    answer = send_json(acme, body)
    assert answer.status_code == 400
    assert answer.json()["errors"]
    assert here(tenants) == []


def test_what_the_form_does_not_know_is_ignored(acme: Client, tenants: Tenants) -> None:
    assert send_json(acme, {**ADA, "role": "owner", "is_active": False, "username": 7}).status_code == 201
    assert here(tenants) == [("ada@acme.example", "member")]


def test_registrations_are_limited_per_address_and_organisation(
    acme: Client, globex: Client, tenants: Tenants, settings: Settings
) -> None:
    settings.REGISTRATIONS_PER_HOUR_AND_ADDRESS = 2
    people_ = [{**ADA, "email": f"p{number}@acme.example"} for number in range(4)]
    assert [send_json(acme, each).status_code for each in people_] == [201, 201, 429, 429]
    page = acme.post("/register/", people_[2])
    assert (page.status_code, page["Retry-After"]) == (429, "3600")
    assert "Try again in an hour" in page.content.decode()
    assert send_json(globex, ADA).status_code == 201
    assert send_json(acme, people_[2], REMOTE_ADDR="203.0.113.9").status_code == 201
    assert len(here(tenants)) == 3


def invited(tenants: Tenants, role: str = "admin") -> str:
    with tenant_scope(tenants.acme):
        return people.invite("ada@acme.example", role, Actor("boss@acme.example"))


def test_an_invitations_link_leads_straight_in(acme: Client, tenants: Tenants, mailoutbox: list[Any]) -> None:
    link = f"/register/?invitation={invited(tenants)}"
    page = acme.get(link)
    assert page.context["invitation"].email == "ada@acme.example"
    assert "boss@acme.example" in page.content.decode()
    assert acme.post(link, {**ADA, "email": "somebody@else.example"})["Location"] == "/"
    assert here(tenants) == [("ada@acme.example", "admin")]
    assert (signed_in(acme), heard(tenants), mailoutbox) == (True, 1, [])


def test_a_program_may_bring_an_invitation_too(acme: Client, tenants: Tenants) -> None:
    assert send_json(acme, {"password": PASSWORD}, f"?invitation={invited(tenants)}").status_code == 201
    assert here(tenants) == [("ada@acme.example", "admin")]


@pytest.mark.parametrize("token", ["", "x", "%00", "%ED%A0%80", "x" * 5000])
def test_a_worthless_invitation_is_said_and_gives_no_role(acme: Client, tenants: Tenants, token: str) -> None:
    page = acme.get(f"/register/?invitation={token}")
    assert "has been used or taken back" in page.content.decode()
    acme.post(f"/register/?invitation={token}", ADA)
    assert here(tenants) == [("ada@acme.example", "member")]


def test_a_neighbours_invitation_gives_no_role_here(acme: Client, globex: Client, tenants: Tenants) -> None:
    token = invited(tenants, "owner")
    globex.post(f"/register/?invitation={token}", ADA)
    with tenant_scope(tenants.globex):
        assert User.objects.get().role == "member"
    with tenant_scope(tenants.acme):
        assert Invitation.objects.count() == 1


def test_whoever_has_an_account_already_is_told_so_by_their_invitation(acme: Client, tenants: Tenants) -> None:
    token = invited(tenants)
    with tenant_scope(tenants.acme):
        people.register("ada@acme.example", PASSWORD).emailaddress_set.update(verified=True)
    answer = acme.post(f"/register/?invitation={token}", ADA)
    assert (answer.status_code, signed_in(acme)) == (400, False)
    assert "already uses this address" in answer.content.decode()


def test_wrong_methods_are_refused(acme: Client) -> None:
    assert acme.put("/register/").status_code == 405
    assert acme.delete("/register/").status_code == 405
