"""allauth's pages look and lead as ours do, and nothing lies between somebody and the field they type in."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.core.mail import EmailMessage
from django.test import Client

from saas.testing.people import PASSWORD, person
from tests.conftest import Tenants

LABELS = {
    "/accounts/login/": ["E-mail address", "Password", "Stay signed in"],
    "/accounts/password/reset/": ["E-mail address"],
    "/accounts/password/change/": ["Current password", "New password", "New password, once more"],
    "/accounts/reauthenticate/": ["Password"],
}


def form_of(page: str) -> str:
    """The page's own form; the one that changes the language is below it."""
    return page.partition("<main")[2].partition("</main>")[0]


@pytest.mark.parametrize("path", LABELS)
def test_labels_are_like_ours_and_no_placeholder_stands_for_them(
    path: str, tenants: Tenants, client_for: Callable[..., Client]
) -> None:
    signed_in = path in ("/accounts/password/change/", "/accounts/reauthenticate/")
    client = client_for(tenants.acme, person(tenants.acme, "member")) if signed_in else client_for(tenants.acme)
    form = form_of(client.get(path).text)
    assert re.findall(r"<label[^>]*>([^<]*?)\s*</label>", form) == LABELS[path]
    assert "placeholder" not in form


@pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/password/change/"])
def test_the_way_to_a_new_password_comes_after_the_fields(
    path: str, tenants: Tenants, client_for: Callable[..., Client]
) -> None:
    client = client_for(tenants.acme, person(tenants.acme, "member")) if "change" in path else client_for(tenants.acme)
    form = form_of(client.get(path).text)
    assert form.rindex("<input") < form.index("Forgot your password?")


def test_whoever_has_confirmed_another_address_is_back_among_their_addresses(
    tenants: Tenants, client_for: Callable[..., Client], mailoutbox: list[EmailMessage]
) -> None:
    client = client_for(tenants.acme, person(tenants.acme, "member"))
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    client.post("/accounts/email/", {"action_add": "", "email": "second@acme.example"})
    (code,) = re.findall(r"^[A-Z0-9]{4}-[A-Z0-9]{4}$", str(mailoutbox[-1].body), re.MULTILINE)
    assert client.post("/accounts/confirm-email/", {"code": code})["Location"] == "/accounts/email/"


def test_an_account_that_is_locked_leads_back_to_signing_in(
    tenants: Tenants, client_for: Callable[..., Client]
) -> None:
    page = client_for(tenants.acme).get("/accounts/inactive/").text
    assert 'href="/accounts/login/"' in form_of(page)
