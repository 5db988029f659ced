"""Who may not register is told so on the real page, in the organisation's words, and nothing comes of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.mail import EmailMessage
from django.test import Client

from plugin_framework import configuration, lifecycle
from plugin_framework.audit import SYSTEM, Actor
from plugin_framework.catalog.offers import set_offer
from plugin_framework.models import AuditEntry, Delivery
from plugin_framework.sdk import Veto
from plugin_framework.tenancy import tenant_scope
from plugins.signup_rules_plugin.plugin import SignupRulesPlugin
from saas.testing.people import PASSWORD, person
from tenants.accounts import people
from tenants.accounts.models import Invitation, User
from tests.conftest import Tenants
from tests.support.filled_forms import Page

Make = Callable[..., Any]
RULES = {
    "allowed_domains": ["acme.example", "Bücher.example"],
    "blocked_domains": ["banned.example"],
    "message": "Only Acme's own people & friends, not <b>{{domain}}</b>.",
}
EVE = {"name": "Eve Else", "email": "eve@else.example", "password": PASSWORD}
ADA = {**EVE, "email": "ada@acme.example"}
SAID = "Only Acme's own people & friends, not <b>else.example</b>."
PAGE = "/settings/plugins/signup_rules/"


@pytest.fixture
def visitor(acme: Tenants, switch_on: Make, client_for: Callable[..., Client], mail: Any, hook: Any) -> Client:
    """Somebody at the door of `acme`, which has rules, and plugins that would tell of a newcomer."""
    switch_on("signup_rules", RULES)
    switch_on("email_notifications", {**mail.settings, "sender": "hello@acme.example"}, password="x")
    switch_on("slack_notifications", {}, webhook_url=hook.url)
    return client_for(acme.acme)


def send_json(client: Client, body: dict[str, str], query: str = "") -> Any:
    return client.post(f"/register/{query}", json.dumps(body), content_type="application/json")


def nothing_came_of_it(mails: list[EmailMessage]) -> bool:
    made = (User.objects.exists(), Delivery.objects.filter(hook="user_registered").exists())
    return (*made, AuditEntry.objects.filter(action="person.registered").exists(), bool(mails)) == (False,) * 4


def test_on_the_page_it_is_an_error_that_names_the_reason_and_keeps_what_was_typed(
    visitor: Client, mailoutbox: list[EmailMessage]
) -> None:
    answer = visitor.post("/register/", EVE)
    page = Page(answer.content.decode())
    assert answer.status_code == 400
    assert answer.context["form"].non_field_errors() == [SAID]
    assert SAID in page.text  # as text, not as markup
    assert ("b", {}) not in page.elements
    assert any(attributes.get("role") == "alert" for _, attributes in page.elements)
    assert (page.attributes_of("name")["value"], page.attributes_of("email")["value"]) == (
        "Eve Else",
        "eve@else.example",
    )
    assert PASSWORD not in answer.content.decode()
    assert nothing_came_of_it(mailoutbox)
    assert visitor.get("/").status_code == 302


def test_put_right_the_same_form_goes_through(visitor: Client, mailoutbox: list[EmailMessage]) -> None:
    page = Page(visitor.post("/register/", EVE).content.decode())
    answer = visitor.post("/register/", page.submit(email="eve@acme.example", password=PASSWORD).dict())
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/confirm-email/")
    assert User.objects.get().email == "eve@acme.example"
    told = Delivery.objects.filter(hook="user_registered").values_list("plugin", flat=True)
    assert sorted(told) == ["email_notifications", "slack_notifications"]
    assert [mail.to for mail in mailoutbox] == [["eve@acme.example"]]


def test_a_program_gets_400_with_the_reason(visitor: Client, mailoutbox: list[EmailMessage]) -> None:
    answer = send_json(visitor, EVE)
    assert (answer.status_code, answer.json()) == (400, {"errors": {"__all__": [SAID]}})
    assert nothing_came_of_it(mailoutbox)
    assert send_json(visitor, ADA).status_code == 201


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("x@ACME.Example", 201),
        ("x@xn--bcher-kva.example", 201),
        ("x@bücher.example", 201),
        ("x@BÜCHER.example", 201),
        ("x@berlin.acme.example", 400),
        ("x@notacme.example", 400),
        ("x@acme.example.evil.example", 400),
        ("x@banned.example", 400),
        ("acme.example", 400),
        ('"a@acme.example"@evil.example', 400),
        ("x@[127.0.0.1]", 400),
        ("x@localhost", 400),
    ],
)
def test_the_domain_decides_however_it_is_spelt(visitor: Client, address: str, status: int) -> None:
    assert send_json(visitor, {**ADA, "email": address}).status_code == status
    assert User.objects.exists() is (status == 201)


def test_subdomains_and_single_people_come_in_when_the_settings_say_so(visitor: Client, switch_on: Make) -> None:
    configuration.configure(
        "signup_rules", SYSTEM, {**RULES, "allow_subdomains": True, "allowed_addresses": ["Guest@banned.example"]}
    )
    found = {
        address: send_json(visitor, {**ADA, "email": address}).status_code
        for address in ("x@berlin.acme.example", "guest@banned.example", "other@banned.example")
    }
    assert list(found.values()) == [201, 201, 400]


def test_somebody_invited_from_elsewhere_is_asked_too_and_keeps_the_invitation(
    visitor: Client, mailoutbox: list[EmailMessage]
) -> None:
    token = people.invite(EVE["email"], "admin", Actor("boss@acme.example"))
    link = f"/register/?invitation={token}"
    for refused in (visitor.post(link, EVE), send_json(visitor, EVE, f"?invitation={token}")):
        assert refused.status_code == 400
    assert nothing_came_of_it(mailoutbox)
    assert Invitation.objects.count() == 1
    configuration.configure("signup_rules", SYSTEM, {**RULES, "allowed_addresses": [EVE["email"]]})
    assert visitor.post(link, EVE)["Location"] == "/"
    assert (User.objects.get().role, Invitation.objects.exists()) == ("admin", False)


def test_whoever_has_an_account_signs_in_as_before(visitor: Client) -> None:
    user = people.add("old@else.example", PASSWORD, role="member", actor=SYSTEM, verified=True)
    answer = visitor.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    assert (answer.status_code, visitor.get("/").status_code) == (302, 200)


def test_a_refusal_tells_nothing_about_who_is_here(visitor: Client) -> None:
    people.add(EVE["email"], PASSWORD, role="member", actor=SYSTEM, verified=True)
    there, absent = send_json(visitor, EVE), send_json(visitor, {**EVE, "email": "nobody@else.example"})
    assert (there.status_code, there.json()) == (absent.status_code, absent.json())


def test_the_organisation_next_door_has_its_own_rules_or_none(
    visitor: Client, acme: Tenants, client_for: Callable[..., Client]
) -> None:
    assert send_json(client_for(acme.globex), EVE).status_code == 201
    assert send_json(visitor, EVE).status_code == 400
    with tenant_scope(acme.globex):
        assert User.objects.get().email == EVE["email"]


@pytest.mark.parametrize("reason", ["disabled", "withdrawn"])
def test_while_it_does_not_run_everybody_can_register(visitor: Client, reason: str) -> None:
    assert send_json(visitor, EVE).status_code == 400
    if reason == "disabled":
        lifecycle.disable("signup_rules", SYSTEM)
    else:
        set_offer("signup_rules", "withdrawn", message="Recalled.")
    assert send_json(visitor, EVE).status_code == 201


def test_an_admin_makes_the_rules_on_the_plugins_page(acme: Tenants, client_for: Callable[..., Client]) -> None:
    admin, door = client_for(acme.acme, person(acme.acme, "admin")), client_for(acme.acme)
    admin.post(f"{PAGE}enable/")
    assert lifecycle.status("signup_rules").decision.reason == "needs_setup"

    def save(**changes: Any) -> Any:
        return admin.post(f"{PAGE}configure/", Page(admin.get(PAGE).content.decode()).submit(**changes).dict())

    empty = save()
    assert empty.status_code == 422
    assert "Enter at least one domain" in empty.content.decode()
    wrong = save(**{"allowed_domains.0": "https://acme.example"})
    assert wrong.status_code == 422
    assert "“https://acme.example” is not a domain" in wrong.content.decode()
    assert 'value="https://acme.example"' in wrong.content.decode()
    assert save(**{"allowed_domains.0": "BÜCHER.example"}).status_code == 302
    assert send_json(door, EVE).json()["errors"]["__all__"] == [
        "Nobody can register here with an address at else.example. Use the address your organisation gave you."
    ]
    assert send_json(door, {**ADA, "email": "x@bücher.example"}).status_code == 201


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"allowed_domains": "acme.example"},
        {"allowed_domains": [5]},
        {"allowed_domains": [""]},
        {"allowed_domains": ["a.example"], "message": ""},
        {"allowed_domains": ["a.example"], "allowed_addresses": ["nobody"]},
        {"allowed_domains": [f"d{number}.example" for number in range(201)]},
    ],
)
def test_settings_that_make_no_sense_are_not_saved(visitor: Client, config: dict[str, Any]) -> None:
    with pytest.raises(configuration.Invalid):
        configuration.configure("signup_rules", SYSTEM, config)
    assert send_json(visitor, EVE).json() == {"errors": {"__all__": [SAID]}}


def test_as_many_domains_as_the_form_takes_are_all_judged(acme: Tenants, switch_on: Make) -> None:
    many = [f"{'ü' * 9}{number}.example" for number in range(200)]
    plugin: SignupRulesPlugin = switch_on("signup_rules", {"allowed_domains": many, "allow_subdomains": True})
    for domain in many:
        plugin.judge_address(f"x@deep.below.{domain.upper()}")
    with pytest.raises(Veto):
        plugin.judge_address(f"x@{'ü' * 9}200.example")
