"""The page on which an organisation's admins invite people, change their roles and remove them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.messages import get_messages
from django.test import Client
from pytest_django import Settings

from plugin_framework.models import AuditEntry
from plugin_framework.tenancy import public_scope, tenant_scope
from saas.site import people_pages
from saas.testing.people import PASSWORD, person
from tenants.accounts.models import Invitation, User
from tenants.models import Tenant
from tests.conftest import Tenants


@pytest.fixture
def staff(tenants: Tenants) -> dict[str, User]:
    """acme's people, one of each role."""
    return {role: person(tenants.acme, role) for role in ("owner", "admin", "member")}


@pytest.fixture
def owner(tenants: Tenants, staff: dict[str, User], client_for: Callable[..., Client]) -> Client:
    return client_for(tenants.acme, staff["owner"])


@pytest.fixture
def admin(tenants: Tenants, staff: dict[str, User], client_for: Callable[..., Client]) -> Client:
    return client_for(tenants.acme, staff["admin"])


@pytest.fixture
def member(tenants: Tenants, staff: dict[str, User], client_for: Callable[..., Client]) -> Client:
    return client_for(tenants.acme, staff["member"])


def role_of(tenants: Tenants, user: User) -> str:
    with tenant_scope(tenants.acme):
        return User.objects.get(pk=user.pk).role


def told(answer: Any) -> str:
    return " ".join(str(each) for each in get_messages(answer.wsgi_request))


def test_the_page_shows_everybody_and_nobody_from_next_door(admin: Client, tenants: Tenants) -> None:
    person(tenants.globex, "owner")
    text = admin.get("/settings/people/").content.decode()
    assert all(f"{role}@acme.example" in text for role in ("owner", "admin", "member"))
    assert "globex.example" not in text


def test_only_owners_are_offered_the_owners_role(owner: Client, admin: Client) -> None:
    def offered(client: Client) -> tuple[set[str], set[str]]:
        context = client.get("/settings/people/").context
        return {value for value, _ in context["roles"]}, {value for value, _ in context["form"].fields["role"].choices}

    assert offered(owner) == ({"owner", "admin", "member"},) * 2
    assert offered(admin) == ({"admin", "member"},) * 2


def test_an_invitation_is_mailed_and_its_link_leads_in(
    admin: Client, tenants: Tenants, client_for: Callable[..., Client], mailoutbox: list[Any]
) -> None:
    answer = admin.post("/settings/people/invite/", {"email": "New@Acme.example", "role": "admin"})
    assert (answer["Location"], told(answer)) == (
        "/settings/people/",
        "An invitation is on its way to New@Acme.example.",
    )
    (mail,) = mailoutbox
    assert (mail.subject, mail.from_email, mail.to) == ("Join Acme", "Acme <no-reply@localhost>", ["New@Acme.example"])
    assert "new@acme.example" in admin.get("/settings/people/").content.decode()
    link = re.search(r"http://acme\.localhost:8000(/register/\?invitation=\S+)", mail.body)
    assert link, mail.body
    newcomer = client_for(tenants.acme)
    assert newcomer.post(link[1], {"password": PASSWORD})["Location"] == "/"
    assert newcomer.get("/settings/people/").status_code == 200
    assert admin.get("/settings/people/").context["invitations"] == []


def test_an_invitation_from_an_organisation_of_any_name_is_one_mail_to_one_person(
    admin: Client, tenants: Tenants, mailoutbox: list[Any]
) -> None:
    with public_scope():
        Tenant.objects.filter(slug="acme").update(name='Ä "Corp", <x@evil.example>\r\nBcc: eve@evil.example')
    admin.post("/settings/people/invite/", {"email": "new@acme.example", "role": "member"})
    sent = mailoutbox[0].message()
    assert [each.addr_spec for each in sent["From"].addresses] == ["no-reply@localhost"]
    assert (sent["To"], sent["Bcc"]) == ("new@acme.example", None)


@pytest.mark.parametrize(
    "form",
    [
        {"email": "nobody", "role": "member"},
        {"email": "", "role": "member"},
        {"email": "new@acme.example", "role": "emperor"},
        {"email": "new@acme.example", "role": "owner"},  # not an admin's to give
        {"email": "MEMBER@acme.example", "role": "admin"},  # is here already
        {"email": "a\x00b@acme.example", "role": "member"},
        {},
    ],
)
def test_an_invitation_that_cannot_be_sent_comes_back(
    admin: Client, tenants: Tenants, mailoutbox: list[Any], form: dict[str, str]
) -> None:
    answer = admin.post("/settings/people/invite/", form)
    assert answer.status_code == 400
    assert answer.context["form"].errors
    assert answer.context["form"]["email"].value() == form.get("email")
    assert mailoutbox == []
    with tenant_scope(tenants.acme):
        assert not Invitation.objects.exists()


def test_if_the_mail_server_does_not_answer_the_admin_gets_the_link(
    admin: Client,
    tenants: Tenants,
    client_for: Callable[..., Client],
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings.MAILERS = {
        "default": {
            "BACKEND": "django.core.mail.backends.smtp.EmailBackend",
            "OPTIONS": {"host": "127.0.0.1", "port": 1, "timeout": 2},  # nobody listens there
        }
    }
    answer = admin.post("/settings/people/invite/", {"email": "new@acme.example", "role": "admin"})
    link = re.search(r"http://acme\.localhost:8000(/register/\?invitation=\S+)", told(answer))
    assert link
    assert "could not be mailed" in caplog.text
    assert client_for(tenants.acme).post(link[1], {"password": PASSWORD})["Location"] == "/"


def test_an_organisation_does_not_become_a_way_to_send_mail_to_strangers(
    admin: Client, tenants: Tenants, mailoutbox: list[Any]
) -> None:
    for number in range(people_pages.INVITATIONS_PER_HOUR):
        admin.post("/settings/people/invite/", {"email": f"p{number}@else.example", "role": "member"})
    answer = admin.post("/settings/people/invite/", {"email": "more@else.example", "role": "member"})
    assert (answer.status_code, answer.context["form"]["email"].value()) == (429, "more@else.example")
    assert len(mailoutbox) == people_pages.INVITATIONS_PER_HOUR


def test_an_invitation_can_be_taken_back(admin: Client, tenants: Tenants) -> None:
    admin.post("/settings/people/invite/", {"email": "new@acme.example", "role": "admin"})
    number = admin.get("/settings/people/").context["invitations"][0].pk
    assert admin.post(f"/settings/people/invitations/{number}/revoke/")["Location"] == "/settings/people/"
    assert admin.post(f"/settings/people/invitations/{number}/revoke/")["Location"] == "/settings/people/"
    with tenant_scope(tenants.acme):
        assert not Invitation.objects.exists()
        assert AuditEntry.objects.filter(action="person.invitation_revoked", actor="admin@acme.example").count() == 1


def test_an_invitation_can_be_sent_again_with_a_new_link(
    admin: Client, tenants: Tenants, client_for: Callable[..., Client], mailoutbox: list[Any]
) -> None:
    admin.post("/settings/people/invite/", {"email": "new@acme.example", "role": "admin"})
    with tenant_scope(tenants.acme):
        Invitation.objects.update(expires_at="2026-01-01T00:00Z")
    assert "expired" in admin.get("/settings/people/").text
    number = admin.get("/settings/people/").context["invitations"][0].pk
    assert "on its way" in told(admin.post(f"/settings/people/invitations/{number}/resend/"))
    old, new = (re.search(r"(/register/\?invitation=\S+)", mail.body) for mail in mailoutbox)
    assert old
    assert new
    assert old[1] != new[1]
    newcomer = client_for(tenants.acme)
    assert newcomer.post(new[1], {"password": PASSWORD})["Location"] == "/"
    assert newcomer.get("/settings/people/").status_code == 200
    assert "used or taken back" in told(admin.post(f"/settings/people/invitations/{number}/resend/"))


def test_an_owners_invitation_is_not_an_admins_to_send(
    admin: Client, owner: Client, tenants: Tenants, mailoutbox: list[Any]
) -> None:
    owner.post("/settings/people/invite/", {"email": "new@acme.example", "role": "owner"})
    number = admin.get("/settings/people/").context["invitations"][0].pk
    assert "Only an owner" in told(admin.post(f"/settings/people/invitations/{number}/resend/"))
    assert len(mailoutbox) == 1


def test_a_role_can_be_changed_and_takes_effect_at_once(
    admin: Client, member: Client, tenants: Tenants, staff: dict[str, User]
) -> None:
    assert member.get("/settings/people/").status_code == 403
    answer = admin.post(f"/settings/people/{staff['member'].pk}/role/", {"role": "admin"})
    assert "member@acme.example is now: Admin." in told(answer)
    assert member.get("/settings/people/").status_code == 200
    with tenant_scope(tenants.acme):
        assert AuditEntry.objects.get(action="person.role_changed").actor == "admin@acme.example"


def test_an_admin_cannot_touch_an_owner(admin: Client, tenants: Tenants, staff: dict[str, User]) -> None:
    owner = staff["owner"]
    for url, form in ((f"{owner.pk}/role/", {"role": "member"}), (f"{owner.pk}/remove/", {})):
        assert "Only an owner" in told(admin.post(f"/settings/people/{url}", form))
    assert "Only an owner" in told(admin.post(f"/settings/people/{staff['admin'].pk}/role/", {"role": "owner"}))
    assert (role_of(tenants, owner), role_of(tenants, staff["admin"])) == ("owner", "admin")


def test_the_last_owner_cannot_leave(owner: Client, tenants: Tenants, staff: dict[str, User]) -> None:
    for url, form in ((f"{staff['owner'].pk}/role/", {"role": "admin"}), (f"{staff['owner'].pk}/remove/", {})):
        assert "last owner" in told(owner.post(f"/settings/people/{url}", form))
    assert role_of(tenants, staff["owner"]) == "owner"


def test_whoever_is_removed_is_signed_out_at_once(
    admin: Client, member: Client, tenants: Tenants, staff: dict[str, User]
) -> None:
    assert member.get("/").status_code == 200
    admin.post(f"/settings/people/{staff['member'].pk}/remove/")
    assert member.get("/")["Location"].startswith("/accounts/login/")
    with tenant_scope(tenants.acme):
        assert not User.objects.filter(role="member").exists()


@pytest.mark.parametrize("url", ["{0}/role/", "{0}/remove/"])
def test_the_neighbours_people_are_out_of_reach(admin: Client, tenants: Tenants, url: str) -> None:
    for _ in range(5):
        theirs = person(tenants.globex, "member", f"p{_}@globex.example")  # ids that acme has not given out yet
    answer = admin.post(f"/settings/people/{url.format(theirs.pk)}", {"role": "admin"})
    assert "no such person" in told(answer)
    with tenant_scope(tenants.globex):
        assert User.objects.get(pk=theirs.pk).role == "member"


@pytest.mark.parametrize("role", ["", "emperor", "x" * 5000, "\x00"])
def test_a_role_of_garbage_changes_nothing(admin: Client, tenants: Tenants, staff: dict[str, User], role: str) -> None:
    assert "There is no role" in told(admin.post(f"/settings/people/{staff['member'].pk}/role/", {"role": role}))
    assert role_of(tenants, staff["member"]) == "member"


@pytest.mark.parametrize("url", ["{0}/role/", "{0}/remove/", "invitations/{0}/revoke/", "invitations/{0}/resend/"])
def test_what_changes_something_is_for_admins_only_and_takes_a_post(
    admin: Client, member: Client, tenants: Tenants, staff: dict[str, User], client_for: Callable[..., Client], url: str
) -> None:
    path = "/settings/people/" + url.format(staff["owner"].pk)
    assert member.post(path, {"role": "member"}).status_code == 403
    assert client_for(tenants.acme).post(path)["Location"].startswith("/accounts/login/")
    assert admin.get(path).status_code == 405
    admin.handler.enforce_csrf_checks = True  # type: ignore[attr-defined]  # Django's test handler
    assert admin.post(path, {"role": "member"}).status_code == 403
    assert role_of(tenants, staff["owner"]) == "owner"


@pytest.mark.parametrize("number", ["0", "9" * 30, "-1", "x"])
def test_a_number_of_garbage_is_no_error_of_ours(admin: Client, number: str) -> None:
    for url in ("{0}/role/", "{0}/remove/", "invitations/{0}/revoke/", "invitations/{0}/resend/"):
        assert admin.post("/settings/people/" + url.format(number), {"role": "admin"}).status_code in (302, 404)


def test_the_settings_that_these_tests_rely_on() -> None:
    assert django_settings.PUBLIC_PORT == 8000
