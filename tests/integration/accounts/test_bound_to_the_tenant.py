"""What proves who somebody is in one organisation proves nothing in another, even where every row is the same in both."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.sessions.models import Session
from django.test import Client

from plugin_framework.sdk import NoTenant
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from saas.testing.people import PASSWORD
from tenants.accounts.models import User
from tests.conftest import Tenants

COOKIE = django_settings.SESSION_COOKIE_NAME


@pytest.fixture
def twin(tenants: Tenants) -> User:
    """One person with the same id, address and password hash in both organisations."""
    with tenant_scope(tenants.acme):
        user = User.objects.create_user("ada@twins.example", PASSWORD, role="owner")
        user.emailaddress_set.create(email=user.email, verified=True, primary=True)
    with tenant_scope(tenants.globex):
        same = User.objects.create(
            pk=user.pk, email=user.email, password=user.password, role=user.role, date_joined=user.date_joined
        )
        same.emailaddress_set.create(email=same.email, verified=True, primary=True)
    return user


def copy_sessions(tenants: Tenants) -> None:
    """acme's rows, into globex's schema."""
    with tenant_scope(tenants.acme):
        rows = list(Session.objects.all())
    with tenant_scope(tenants.globex):
        Session.objects.bulk_create(rows)


def test_a_session_copied_into_the_neighbours_schema_does_not_sign_in(
    twin: User, tenants: Tenants, acme: Client, globex: Client
) -> None:
    with tenant_scope(tenants.acme):
        acme.force_login(twin)
    copy_sessions(tenants)
    globex.cookies[COOKIE] = acme.cookies[COOKIE].value
    assert acme.get("/").status_code == 200
    assert globex.get("/")["Location"].startswith("/accounts/login/")


def test_a_session_without_the_tenants_mark_would_have_signed_in(
    twin: User, tenants: Tenants, acme: Client, globex: Client
) -> None:
    """Shows that the test above tries what it says: with globex's own hash in the copied row, the row is good."""
    with tenant_scope(tenants.acme):
        acme.force_login(twin)
        session = acme.session
        assert session["_auth_user_id"] == str(twin.pk)  # reads it from acme's table
    with tenant_scope(tenants.globex):
        session["_auth_user_hash"] = User.objects.get().get_session_auth_hash()
        session.save(must_create=True)
    globex.cookies[COOKIE] = acme.cookies[COOKIE].value
    assert globex.get("/").status_code == 200


def reset_link(client: Client, email: str, mailoutbox: list[Any]) -> str:
    client.post("/accounts/password/reset/", {"email": email})
    found = re.search(r"http://[^/]+(/accounts/password/reset/key/\S+)", mailoutbox[-1].body)
    assert found, mailoutbox[-1].body
    return found[1]


def opens(client: Client, link: str) -> bool:
    """Whether the link leads to the form for a new password."""
    return not client.get(link, follow=True).context.get("token_fail", False)


def set_password(client: Client, link: str, password: str) -> int:
    """Follow the link, send the form, and return the answer's status."""
    page = client.get(link, follow=True)
    answer = client.post(page.request["PATH_INFO"], {"password1": password, "password2": password})
    return int(answer.status_code)


def has_password(ref: TenantRef, password: str) -> bool:
    with tenant_scope(ref):
        return User.objects.get().check_password(password)


def test_a_password_reset_link_opens_nothing_in_another_organisation(
    twin: User, tenants: Tenants, acme: Client, globex: Client, mailoutbox: list[Any]
) -> None:
    link = reset_link(acme, twin.email, mailoutbox)
    assert not opens(globex, link)
    set_password(globex, link, "an intruders pass phrase")
    acme.get(link)  # keeps the key in acme's session, and sends on to an address that is the same for everybody
    globex.cookies[COOKIE] = acme.cookies[COOKIE].value
    copy_sessions(tenants)
    set_password(globex, acme.get(link)["Location"], "an intruders pass phrase")
    assert has_password(tenants.globex, PASSWORD)
    assert opens(acme, link)


def test_a_password_reset_link_works_once_and_ends_the_other_sessions(
    twin: User, tenants: Tenants, acme: Client, client_for: Any, mailoutbox: list[Any]
) -> None:
    elsewhere = client_for(tenants.acme, twin)
    link = reset_link(acme, twin.email, mailoutbox)
    assert set_password(acme, link, "a fresh pass phrase 9") == 302
    assert elsewhere.get("/").status_code == 302
    assert not opens(client_for(tenants.acme), link)
    assert has_password(tenants.acme, "a fresh pass phrase 9")
    assert has_password(tenants.globex, PASSWORD)


def test_a_reset_link_dies_with_any_address_that_is_given_up(
    twin: User, tenants: Tenants, acme: Client, mailoutbox: list[Any]
) -> None:
    with tenant_scope(tenants.acme):
        User.objects.get().emailaddress_set.create(email="old@twins.example", verified=True)
    link = reset_link(acme, "old@twins.example", mailoutbox)
    with tenant_scope(tenants.acme):
        User.objects.get().emailaddress_set.get(email="old@twins.example").delete()
    assert not opens(acme, link)


def test_outside_of_a_tenant_there_is_no_session_hash(twin: User) -> None:
    with public_scope(), pytest.raises(NoTenant):
        twin.get_session_auth_hash()


def sign_in(client: Client, password: str = PASSWORD, email: str = "ada@twins.example", **extra: str) -> Any:
    return client.post("/accounts/login/", {"login": email, "password": password, **extra})


def test_signing_in_and_out(twin: User, acme: Client) -> None:
    assert sign_in(acme, email="ADA@Twins.example")["Location"] == "/"
    assert acme.get("/").status_code == 200
    acme.post("/accounts/logout/")
    assert acme.get("/").status_code == 302


@pytest.mark.parametrize(
    "where", ["http://globex.localhost/", "//evil.example/", "https://evil.example", "javascript:alert(1)"]
)
def test_after_signing_in_nobody_is_sent_to_another_host(twin: User, acme: Client, where: str) -> None:
    assert sign_in(acme, next=where)["Location"] == "/"


def test_after_signing_in_one_is_where_one_wanted_to_be(twin: User, acme: Client) -> None:
    assert sign_in(acme, next="/settings/plugins/?q=x")["Location"] == "/settings/plugins/?q=x"


def test_guessing_in_one_organisation_locks_nobody_out_of_another(
    twin: User, tenants: Tenants, acme: Client, globex: Client
) -> None:
    answers = [sign_in(acme, "wrong") for _ in range(12)]
    assert "Too many" in answers[-1].content.decode()
    assert sign_in(acme).status_code != 302
    assert sign_in(globex)["Location"] == "/"


def test_a_wrong_password_a_stranger_and_one_who_is_locked_out_look_the_same(
    twin: User, tenants: Tenants, acme: Client
) -> None:
    def shown(answer: Any) -> list[str]:
        return [str(each) for each in answer.context["form"].non_field_errors()]

    wrong = shown(sign_in(acme, "wrong"))
    assert wrong
    assert shown(sign_in(acme, email="nobody@acme.example")) == wrong


def test_whoever_is_locked_out_does_not_come_in(twin: User, tenants: Tenants, acme: Client, client_for: Any) -> None:
    inside = client_for(tenants.acme, twin)
    with tenant_scope(tenants.acme):
        User.objects.update(is_active=False)
    assert inside.get("/").status_code == 302
    sign_in(acme)
    assert acme.get("/").status_code == 302
