"""Where somebody is signed in: they see it, and sign out where they are not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from plugin_framework.models import AuditEntry
from plugin_framework.tenancy import tenant_scope
from saas.testing.people import PASSWORD, person
from tenants.accounts import devices
from tenants.accounts.models import Device, User
from tests.conftest import Tenants

PAGE = "/account/sessions/"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1"


@pytest.fixture
def ada(tenants: Tenants) -> User:
    return person(tenants.acme, "member", "ada@acme.example")


@pytest.fixture
def laptop(tenants: Tenants, ada: User, client_for: Callable[..., Client]) -> Client:
    client = client_for(tenants.acme, ada)
    client.get(PAGE, headers={"user-agent": FIREFOX})
    return client


@pytest.fixture
def phone(tenants: Tenants, ada: User, client_for: Callable[..., Client]) -> Client:
    client = client_for(tenants.acme, ada)
    client.get(PAGE, headers={"user-agent": PHONE})
    return client


def test_each_browser_is_listed_and_ones_own_is_marked(laptop: Client, phone: Client) -> None:
    found = laptop.get(PAGE, headers={"user-agent": FIREFOX}).context["devices"]
    assert {(each.title, each.current) for each in found} == {("Firefox on Windows", True), ("Safari on iPhone", False)}


def test_one_can_be_signed_out_from_another(laptop: Client, phone: Client, tenants: Tenants) -> None:
    (other,) = [each for each in laptop.get(PAGE).context["devices"] if not each.current]
    assert laptop.post(f"{PAGE}{other.device.pk}/end/")["Location"] == PAGE
    assert phone.get("/")["Location"].startswith("/accounts/login/")
    assert laptop.get("/").status_code == 200
    with tenant_scope(tenants.acme):
        assert AuditEntry.objects.get(action="person.signed_out").detail == {"devices": 1}


def test_all_others_can_be_signed_out_at_once(
    laptop: Client, phone: Client, tenants: Tenants, ada: User, client_for: Callable[..., Client]
) -> None:
    third = client_for(tenants.acme, ada)
    third.get("/")
    laptop.post(f"{PAGE}end-others/")
    assert [client.get("/").status_code for client in (laptop, phone, third)] == [200, 302, 302]
    assert "You are signed in nowhere else." in laptop.get(PAGE).text


def test_nobody_ends_somebody_elses(laptop: Client, tenants: Tenants, client_for: Callable[..., Client]) -> None:
    for ref in (tenants.acme, tenants.globex):
        for number in range(3):
            client_for(ref, person(ref, "owner", f"o{number}@x.example")).get("/")
    for ref in (tenants.acme, tenants.globex):
        with tenant_scope(ref):
            numbers = list(Device.objects.exclude(user__email="ada@acme.example").values_list("pk", flat=True))
        assert len(numbers) == 3
        for number in numbers:
            laptop.post(f"{PAGE}{number}/end/")
        with tenant_scope(ref):
            assert Device.objects.exclude(user__email="ada@acme.example").count() == 3


def test_signing_out_takes_it_off_the_list(laptop: Client, phone: Client, tenants: Tenants) -> None:
    phone.post("/accounts/logout/")
    assert len(laptop.get(PAGE).context["devices"]) == 1
    with tenant_scope(tenants.acme):
        assert Device.objects.count() == 1


def test_a_new_password_keeps_this_browser_one_and_ends_the_others(laptop: Client, phone: Client) -> None:
    form = {"oldpassword": PASSWORD, "password1": "a new one of many words", "password2": "a new one of many words"}
    assert laptop.post("/accounts/password/change/", form).status_code == 302
    assert phone.get("/").status_code == 302
    found = laptop.get(PAGE).context["devices"]
    assert [each.current for each in found if each.current] == [True]


def test_a_request_costs_nothing_for_it_but_once_in_a_while(laptop: Client, tenants: Tenants) -> None:
    laptop.get("/account/")
    with CaptureQueriesContext(connection) as few:
        laptop.get("/account/")
    assert not [query for query in few.captured_queries if "accounts_device" in query["sql"]]
    long_ago = timezone.now() - timedelta(hours=1)
    session = laptop.session
    with tenant_scope(tenants.acme):
        Device.objects.update(last_seen_at=long_ago)
        session["tenantry.device"] = {**session["tenantry.device"], "at": long_ago.timestamp()}
        session.save()
    laptop.get("/account/")
    with tenant_scope(tenants.acme):
        assert Device.objects.get().last_seen_at > long_ago + timedelta(minutes=50)


@pytest.mark.parametrize(
    ("user_agent", "said"),
    [
        ("", ""),
        ("curl/8.1", ""),
        (FIREFOX, "Firefox on Windows"),
        (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36",
            "Chrome on Linux",
        ),
        ("Mozilla/5.0 (Macintosh) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on macOS"),
        (
            "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 SamsungBrowser/27.0 Chrome/125.0 Safari",
            "Samsung Internet on Android",
        ),
    ],
)
def test_a_browser_is_named_as_people_name_it(user_agent: str, said: str) -> None:
    assert devices.words(user_agent) == said


@pytest.mark.parametrize("user_agent", ["x" * 5000, "\x00\u202e<script>", "ä"])
def test_a_browser_that_calls_itself_garbage_is_no_error_of_ours(
    tenants: Tenants, ada: User, client_for: Callable[..., Client], user_agent: str
) -> None:
    client = client_for(tenants.acme, ada)
    assert client.get(PAGE, HTTP_USER_AGENT=user_agent).status_code == 200
    assert "<script>" not in client.get(PAGE).text.replace("<script src", "")


def test_a_name_can_be_changed_and_is_checked(laptop: Client, tenants: Tenants, ada: User) -> None:
    assert laptop.post("/account/", {"name": "Ada L."})["Location"] == "/account/"
    assert laptop.post("/account/", {"name": "a\nb"}).status_code == 400
    assert laptop.post("/account/", {"name": "x" * 151}).status_code == 400
    with tenant_scope(tenants.acme):
        assert User.objects.get(pk=ada.pk).name == "Ada L."
