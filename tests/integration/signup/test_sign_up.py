"""An organisation signs up on the public host, and its owner lands in it, signed in."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from plugin_framework.models import AuditEntry
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from saas.testing.people import PASSWORD
from tenants import directory
from tenants.accounts.models import HandoffToken, User
from tenants.models import Tenant
from tests.conftest import Tenants

INITECH = {
    "organisation": "Initech",
    "slug": "initech",
    "name": "Bill Lumbergh",
    "email": "bill@initech.example",
    "password": PASSWORD,
}


@pytest.fixture
def visitor(tenants: Tenants, client_for: Callable[..., Client]) -> Client:
    """Somebody on the public host."""
    return client_for()


def post(client: Client, **changes: str) -> Any:
    return client.post("/signup/", {**INITECH, **changes})


def made(slug: str) -> TenantRef:
    entry = directory.by_slug(slug)
    assert entry is not None
    return entry.ref


def organisations() -> set[str]:
    with public_scope():
        return set(Tenant.objects.values_list("slug", flat=True)) - {"acme", "globex", "admin"}


def errors(answer: Any) -> dict[str, str]:
    assert answer.status_code == 400
    return {name: " ".join(found) for name, found in answer.context["form"].errors.items()}


def test_a_visitor_signs_up_and_lands_on_the_dashboard_as_owner(visitor: Client) -> None:
    assert b"/signup/" in visitor.get("/").content
    assert visitor.get("/signup/").status_code == 200
    answer = post(visitor)
    assert (answer.status_code, urlsplit(answer["Location"]).netloc) == (302, "initech.localhost:8000")
    page = Client().get(answer["Location"], follow=True, headers={"host": "initech.localhost"})
    assert page.redirect_chain == [("/", 302)]
    assert "Initech" in page.content.decode()
    assert (page.context["user"].email, page.context["user"].role) == ("bill@initech.example", "owner")
    assert "token" not in page.request["QUERY_STRING"]


def test_the_owner_is_the_only_one_there_and_it_is_recorded(visitor: Client) -> None:
    post(visitor, email="Bill@Initech.Example")
    with tenant_scope(made("initech")):
        user = User.objects.get()
        assert (user.email, user.name, user.role) == ("bill@initech.example", "Bill Lumbergh", "owner")
        assert user.check_password(PASSWORD)
        actions = AuditEntry.objects.order_by("pk").values_list("actor", "action")
        assert list(actions) == [
            ("bill@initech.example", "tenant.created"),
            ("bill@initech.example", "person.registered"),
        ]


def test_nobody_is_signed_in_on_the_public_host_and_it_sets_no_session(visitor: Client) -> None:
    assert django_settings.SESSION_COOKIE_NAME not in post(visitor).cookies


def test_an_address_left_empty_is_made_from_the_name(visitor: Client) -> None:
    post(visitor, slug="", organisation="Söhne & Töchter, 3rd")
    assert organisations() == {"sohne-tochter-3rd"}
    post(visitor, slug="", organisation="Söhne & Töchter, 3rd")
    assert organisations() == {"sohne-tochter-3rd", "sohne-tochter-3rd-org"}


@pytest.mark.parametrize(
    ("slug", "said", "advice"),
    [
        ("acme", "acme is taken", "acme-org"),
        ("ACME ", "acme is taken", "acme-org"),
        ("admin", "reserved", "admin-org"),
        ("l0gin", "reserved", "l0gin-org"),
        ("ad-min", "reserved", "ad-min-org"),
        ("аcme", "letters of other alphabets", "cme"),  # a Cyrillic a
        ("in it ech!", "3 to 32", "in-it-ech"),
        ("xn--acme", "3 to 32", "xn-acme"),
        ("-", "3 to 32", ""),
        ("a" * 33, "at most 32", ""),
        ("a\x00b", "NUL", ""),
    ],
)
def test_an_address_that_cannot_be_had_comes_back_with_advice(
    visitor: Client, slug: str, said: str, advice: str
) -> None:
    answer = post(visitor, slug=slug)
    found = errors(answer)
    assert set(found) == {"slug"}
    assert said in found["slug"]
    assert f"How about {advice}" in found["slug"] or not advice
    assert organisations() == set()


def test_what_is_advised_can_be_had(visitor: Client) -> None:
    advised = re.search(r"How about (\S+)\?", errors(post(visitor, slug="acme"))["slug"])
    assert advised
    assert post(visitor, slug=advised[1]).status_code == 302


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"organisation": ""}, {"organisation"}),
        ({"organisation": "x" * 101}, {"organisation"}),
        ({"organisation": "Evil\r\nBcc: a@b.example"}, {"organisation"}),
        ({"name": ""}, {"name"}),
        ({"email": "bill"}, {"email"}),
        ({"email": "b" * 250 + "@x.example"}, {"email"}),
        ({"password": "12345"}, {"password"}),
        ({"password": "bill@initech.example"}, {"password"}),
        ({"password": "Bill Lumbergh"}, {"password"}),
        (
            {"organisation": "", "name": "", "email": "", "password": "", "slug": ""},
            {"organisation", "name", "email", "password"},
        ),
    ],
)
def test_bad_input_loses_nothing_but_the_password(visitor: Client, changes: dict[str, str], wrong: set[str]) -> None:
    answer = post(visitor, **changes)
    assert set(errors(answer)) == wrong
    typed = {**INITECH, **changes}
    form = answer.context["form"]
    assert {name: form[name].value() for name in typed} == typed
    assert f'value="{PASSWORD}"' not in answer.content.decode()
    assert ("Type it again" in answer.content.decode()) is ("password" not in wrong)
    assert organisations() == set()


def test_the_form_shows_where_the_organisation_will_be(visitor: Client, settings: Settings) -> None:
    assert "<span>.localhost:8000</span>" in visitor.get("/signup/").content.decode()
    settings.HTTPS, settings.PUBLIC_PORT = True, 443
    assert "<span>.localhost</span>" in visitor.get("/signup/").content.decode()


def test_a_second_submit_makes_no_second_organisation(visitor: Client) -> None:
    assert post(visitor).status_code == 302
    assert "initech is taken" in errors(post(visitor))["slug"]
    assert organisations() == {"initech"}


def test_a_form_from_elsewhere_signs_nobody_up(visitor: Client) -> None:
    visitor.handler.enforce_csrf_checks = True  # type: ignore[attr-defined]  # Django's test handler
    assert post(visitor).status_code == 403
    assert organisations() == set()


def token_of(answer: Any) -> str:
    return str(urlsplit(answer["Location"]).query)


def welcome(host: str, query: str, client: Client | None = None) -> Any:
    return (client or Client()).get(f"/welcome/?{query}", headers={"host": host})


def test_the_token_signs_in_once(visitor: Client) -> None:
    token = token_of(post(visitor))
    owner = Client()
    assert welcome("initech.localhost", token, owner)["Location"] == "/"
    assert welcome("initech.localhost", token, owner)["Location"] == "/"  # loaded again by the same person
    stranger = Client()
    refused = welcome("initech.localhost", token, stranger)
    assert refused["Location"] == "/accounts/login/"
    page = stranger.get("/accounts/login/", headers={"host": "initech.localhost"})
    assert "used already, or has expired" in page.content.decode()
    assert stranger.get("/", headers={"host": "initech.localhost"}).status_code == 302


def test_the_token_is_nobodys_elsewhere(visitor: Client, tenants: Tenants) -> None:
    token = token_of(post(visitor))
    with tenant_scope(tenants.acme):
        User.objects.create_user("bill@initech.example", PASSWORD)
    for host in (tenants.acme.host, "admin.localhost", "localhost"):
        assert welcome(host, token)["Location" if host == tenants.acme.host else "Content-Type"] in (
            "/accounts/login/",
            "text/html; charset=utf-8",
        )
    assert welcome("initech.localhost", token)["Location"] == "/"  # none of these has used it up


def test_the_token_expires(visitor: Client) -> None:
    token = token_of(post(visitor))
    with tenant_scope(made("initech")):
        HandoffToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert welcome("initech.localhost", token)["Location"] == "/accounts/login/"


@pytest.mark.parametrize(
    "query", ["", "token=", "token=x", "token=%00", "token=%ED%A0%80", "token=" + "x" * 5000, "token=a&token=b"]
)
def test_a_token_of_garbage_is_a_used_one(tenants: Tenants, query: str) -> None:
    assert welcome(tenants.acme.host, query)["Location"] == "/accounts/login/"


def test_the_token_is_not_stored(visitor: Client) -> None:
    token = token_of(post(visitor)).removeprefix("token=")
    with tenant_scope(made("initech")):
        assert len(token) > 40
        assert HandoffToken.objects.get().token_hash != token


@pytest.mark.parametrize(
    ("limit", "other"),
    [
        ("SIGNUPS_PER_HOUR_AND_ADDRESS", {"REMOTE_ADDR": "203.0.113.9"}),
        ("SIGNUPS_PER_HOUR_AND_MAIL_DOMAIN", {"email": "bill@elsewhere.example"}),
    ],
)
def test_sign_ups_are_limited_by_address_and_by_mail_domain(
    visitor: Client, settings: Settings, limit: str, other: dict[str, str]
) -> None:
    setattr(settings, limit, 2)
    assert [post(visitor, slug=f"firm-{letter}x").status_code for letter in "ab"] == [302, 302]
    refused = post(visitor, slug="firm-cx")
    assert (refused.status_code, refused["Retry-After"]) == (429, "3600")
    page = refused.content.decode()
    assert "send the form again in an hour" in page
    assert [f'value="{INITECH[name]}"' in page for name in ("organisation", "name", "email")] == [True] * 3
    assert ('value="firm-cx"' in page, PASSWORD in page, "Type it again" in page) == (True, False, True)
    email = other.pop("email", INITECH["email"])
    answer = visitor.post("/signup/", {**INITECH, "slug": "firm-dx", "email": email}, **other)  # type: ignore[arg-type]  # WSGI names
    assert answer.status_code == 302
    assert organisations() == {"firm-ax", "firm-bx", "firm-dx"}


def test_a_form_that_comes_back_does_not_count(visitor: Client, settings: Settings) -> None:
    settings.SIGNUPS_PER_HOUR_AND_ADDRESS = 1
    for _ in range(3):
        post(visitor, password="short")
    assert post(visitor).status_code == 302


@pytest.mark.parametrize(
    "path", ["/register/", "/settings/plugins/", "/accounts/login/", "/welcome/", "/signup", "/nothing/"]
)
def test_an_organisations_pages_are_not_on_the_public_host(visitor: Client, path: str) -> None:
    assert visitor.get(path).status_code == (301 if path == "/signup" else 404)


def test_signing_up_is_not_on_an_organisations_host(tenants: Tenants, client_for: Callable[..., Client]) -> None:
    assert client_for(tenants.acme).get("/signup/").status_code == 404


def test_the_inbox_is_the_demos_alone(visitor: Client) -> None:
    assert visitor.get("/inbox/").status_code == 404
