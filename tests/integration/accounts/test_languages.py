"""Whoever gets a mail reads it in their own language, with times of the organisation's zone; nobody knows it: in the organisation's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.db import connection
from django.test import Client

from plugin_framework import languages, quotas
from plugin_framework.audit import SYSTEM
from plugin_framework.delivery import breaker, house
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from saas.testing.people import PASSWORD, person
from tenants import deletion, profile
from tenants.accounts import preferences
from tenants.accounts.models import User
from tests.conftest import Tenants
from tests.support.plans import limit
from tests.support.queue import work_off

GERMAN = {"accept-language": "de-AT,de;q=0.9,en;q=0.5"}
ENGLISH = {"accept-language": "en"}


def speaks(tenant: TenantRef, role: str, name: str, language: str = "") -> User:
    user: User = person(tenant, role, f"{name}@acme.example")
    with tenant_scope(tenant):
        preferences.speak(user, language)
    return user


def spoken_by(tenant: TenantRef, email: str) -> str:
    with tenant_scope(tenant):
        return User.objects.get(email=email).language


def by_recipient() -> dict[str, Any]:
    return {to: message for message in mail.outbox for to in message.to}


def test_the_language_of_the_page_at_which_somebody_signs_in_is_theirs(
    tenants: Tenants, client_for: Callable[..., Client]
) -> None:
    user = person(tenants.acme, "member")
    with tenant_scope(tenants.acme):
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    form = {"login": user.email, "password": PASSWORD}
    client_for(tenants.acme).post("/accounts/login/", form)
    assert spoken_by(tenants.acme, user.email) == ""  # a program that asks for no language has chosen none
    client_for(tenants.acme).post("/accounts/login/", form, headers=GERMAN)
    assert spoken_by(tenants.acme, user.email) == "de"
    client_for(tenants.acme).post("/accounts/login/", form, headers=ENGLISH)
    assert spoken_by(tenants.acme, user.email) == "en"


def test_the_language_that_somebody_chooses_is_theirs_and_nobody_elses(
    tenants: Tenants, client_for: Callable[..., Client]
) -> None:
    user, other = person(tenants.acme, "member"), person(tenants.acme, "admin")
    client = client_for(tenants.acme, user)
    for sent in ("xx", "de", ""):
        assert client.post("/language/", {"language": sent}).status_code == 302
    assert client_for(tenants.acme).post("/language/", {"language": "en"}).status_code == 302
    assert client_for().post("/language/", {"language": "de"}).status_code == 302
    assert [spoken_by(tenants.acme, each.email) for each in (user, other)] == ["de", ""]


def test_whoever_registers_is_known_to_speak_the_language_of_the_form(
    tenants: Tenants, client_for: Callable[..., Client]
) -> None:
    form = {"name": "Rita", "email": "rita@example.com", "password": PASSWORD}
    client_for(tenants.acme).post("/register/", form, headers=GERMAN)
    assert spoken_by(tenants.acme, "rita@example.com") == "de"
    (message,) = mail.outbox
    assert message.subject == "Ihr Code zum Bestätigen dieser Adresse"


def test_an_organisation_speaks_as_whoever_has_owned_it_longest_and_is_known_to_speak(tenants: Tenants) -> None:
    with tenant_scope(tenants.acme):
        assert languages.of() == "en"
        speaks(tenants.acme, "admin", "adam", "de")
        assert preferences.organisations_language() == ""
        speaks(tenants.acme, "owner", "olaf")
        speaks(tenants.acme, "owner", "otto", "de")
        speaks(tenants.acme, "owner", "owen", "en")
        assert preferences.organisations_language() == "de"
        assert languages.of(User(language="en")) == "en"
        assert languages.of(User(language="xx")) == languages.of(User()) == languages.of() == "de"
    with tenant_scope(tenants.globex):
        assert languages.of() == "en"


@pytest.mark.usefixtures("committed_db")
def test_each_admin_is_told_of_a_deletion_in_their_language_and_the_organisations_time(tenants: Tenants) -> None:
    for role, name, language in (("owner", "olga", "de"), ("owner", "owen", "en"), ("admin", "ada", "")):
        speaks(tenants.acme, role, name, language)
    with tenant_scope(tenants.acme):
        profile.change(profile.Profile("Acme", "Asia/Kolkata"), SYSTEM)
    until = deletion.delete("acme", SYSTEM, confirmation="acme")
    work_off()
    mails = by_recipient()
    assert {to: message.subject for to, message in mails.items()} == {
        "olga@acme.example": "Acme wurde gelöscht",
        "ada@acme.example": "Acme wurde gelöscht",  # the organisation's: that of whoever has owned it longest
        "owen@acme.example": "Acme has been deleted",
    }
    there = until.astimezone(ZoneInfo("Asia/Kolkata"))
    assert f"{there:%d.%m.%Y, %H:%M} IST" in mails["olga@acme.example"].body
    assert f"{there.day} {there:%b %Y, %H:%M} IST" in mails["owen@acme.example"].body
    mail.outbox.clear()
    deletion.undelete("acme", SYSTEM)
    work_off()
    assert by_recipient()["olga@acme.example"].subject == "Acme wurde zurückgeholt"
    assert by_recipient()["owen@acme.example"].subject == "Acme has been brought back"


@pytest.mark.usefixtures("committed_db")
def test_what_is_the_matter_with_deliveries_is_told_in_it_down_to_the_last_word(tenants: Tenants) -> None:
    for name, language in (("olga", "de"), ("owen", "en")):
        speaks(tenants.acme, "owner", name, language)
    why = "could not connect to smtp.acme.example port 587: connection refused"
    with tenant_scope(tenants.acme):
        with public_scope():
            _open_the_breaker(tenants.acme, why)
        house.owe(breaker.NOTICE, "email_notifications", why)
    work_off()
    mails = by_recipient()
    assert mails["olga@acme.example"].subject == "E-Mail-Benachrichtigungen: Die Zustellungen ruhen"
    assert "Verbindung abgelehnt" in mails["olga@acme.example"].body
    assert "connection refused" not in mails["olga@acme.example"].body
    assert why in mails["owen@acme.example"].body


@pytest.mark.usefixtures("committed_db")
def test_what_is_used_of_the_plan_is_told_in_it_with_its_numbers(tenants: Tenants) -> None:
    for name, language in (("olga", "de"), ("owen", "en")):
        speaks(tenants.acme, "owner", name, language)
    limit(tenants.acme, people=2)
    with tenant_scope(tenants.acme):
        usage = quotas.usage(quotas.Kind.PEOPLE)
        quotas.tell(usage)
    work_off()
    mails = by_recipient()
    assert mails["olga@acme.example"].subject == "Personen: Die Grenze ist erreicht"
    assert "2 von 2" in mails["olga@acme.example"].body
    assert "2 of 2" in mails["owen@acme.example"].body


def test_an_invitation_is_in_the_organisations_language_whoever_sends_it(
    tenants: Tenants, client_for: Callable[..., Client]
) -> None:
    speaks(tenants.acme, "owner", "olga", "de")
    admin = speaks(tenants.acme, "admin", "ada", "en")
    sent = {"email": "new@example.com", "role": "member"}
    page = client_for(tenants.acme, admin).post("/settings/people/invite/", sent, headers=ENGLISH, follow=True)
    assert "An invitation is on its way" in page.content.decode()
    (message,) = mail.outbox
    assert (message.subject, "hat Sie zu Acme eingeladen" in message.body) == ("Acme beitreten", True)


def test_a_new_password_is_mailed_in_the_language_of_whose_it_is_whatever_the_page_speaks(
    tenants: Tenants, client_for: Callable[..., Client]
) -> None:
    user = speaks(tenants.acme, "member", "mia", "de")
    client_for(tenants.acme).post("/accounts/password/reset/", {"email": user.email}, headers=ENGLISH)
    client_for(tenants.acme).post("/accounts/password/reset/", {"email": "nobody@example.com"}, headers=ENGLISH)
    (theirs, unknown) = mail.outbox
    assert ("Neues Passwort wählen" in theirs.subject, "Guten Tag" in theirs.body) == (True, True)
    assert "This address has no account" in unknown.subject


def _open_the_breaker(tenant: TenantRef, trouble: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO delivery_lane (tenant_schema, plugin, open_since, paused_until, trouble, opened)"
            " VALUES (%s, 'email_notifications', now(), now() + interval '1 hour', %s, 1)",
            [tenant.schema, trouble],
        )
