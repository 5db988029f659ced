"""The webhooks' pages: for admins alone, with a clear answer to every wrong input, and the secret shown once."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings
from standardwebhooks import Webhook

from plugin_framework import lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.sdk import unseal
from plugin_framework.tenancy import tenant_scope
from plugins.webhooks_plugin import services
from plugins.webhooks_plugin.models import Attempt, Endpoint, Waiting
from saas.testing.people import person
from saas.testing.receivers import WebhookServer
from tests.conftest import Tenants

Make = Callable[..., Any]
LIST, NEW = "/apps/webhooks/", "/apps/webhooks/new/"
ACTIONS = ("secret", "rotate", "test", "switch-on", "switch-off", "delete")
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def admin(acme: Tenants, switch_on: Make, client_for: Callable[..., Client]) -> Client:
    """acme's admin; the plugin runs."""
    switch_on("webhooks")
    return client_for(acme.acme, person(acme.acme, "admin"))


def add(admin: Client, url: str, **more: Any) -> Endpoint:
    answer = admin.post(NEW, {"url": url, "every_event": "on", **more})
    assert answer.status_code == 302, answer.context["form"].errors
    row = Endpoint.objects.latest("pk")
    assert answer["Location"] == f"{LIST}{row.pk}/"
    return row


def text_of(client: Client, path: str) -> str:
    return client.get(path).content.decode()


def words(text: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def test_the_empty_list_says_what_to_do_next(admin: Client) -> None:
    text = text_of(admin, LIST)
    assert "Nobody is told yet" in text
    assert f'href="{NEW}"' in text


def test_what_an_admin_enters_is_saved_and_shown(admin: Client, hook: WebhookServer) -> None:
    chosen = ["user.registered", "order.confirmed"]
    row = add(admin, hook.url, description=f"Our {EVIL} till", every_event="", events=chosen)
    assert (row.url, row.every_event, row.events, row.active) == (hook.url, False, chosen, True)
    for path in (LIST, f"{LIST}{row.pk}/", f"{LIST}{row.pk}/edit/"):
        text = text_of(admin, path)
        assert EVIL not in text
        assert "till" in text
    assert "2 events" in text_of(admin, LIST)
    assert "Somebody registers · An order is confirmed" in text_of(admin, f"{LIST}{row.pk}/")
    admin.post(f"{LIST}{row.pk}/edit/", {"url": hook.url, "description": "Till", "every_event": "on"})
    row.refresh_from_db()
    assert (row.description, row.every_event) == ("Till", True)


@pytest.mark.parametrize(
    ("sent", "field", "said"),
    [
        ({}, "url", "Required."),
        ({"url": "not a url"}, "url", "blanks"),
        ({"url": "example.com/hook"}, "url", "must start with https"),
        ({"url": "ftp://8.8.8.8/"}, "url", "must start with https"),
        ({"url": "http://8.8.8.8:81/"}, "url", "Port 81 is not allowed"),
        ({"url": "https://user:pass@8.8.8.8/"}, "url", "user name or password"),
        ({"url": "https://10.0.0.7/"}, "url", "a private address"),
        ({"url": "https://169.254.169.254/latest/"}, "url", "metadata"),
        ({"url": "https://[::ffff:10.0.0.1]/"}, "url", "not allowed"),
        ({"url": "https://2130706433/"}, "url", "not a host name"),
        ({"url": "https://8.8.8.8/" + "x" * 2000}, "url", "at most 2,000"),
        ({"url": "https://8.8.8.8/\x00"}, "url", "Holds a NUL character"),
        ({"url": "https://8.8.8.8/", "description": "x" * 201}, "description", "at most 200"),
        ({"url": "https://8.8.8.8/", "every_event": ""}, "events", "at least one event"),
        ({"url": "https://8.8.8.8/", "every_event": "", "events": ["nonesuch"]}, "events", "Choose one of the options"),
    ],
)
def test_wrong_input_is_told_and_nothing_is_saved_or_lost(
    admin: Client, sent: dict[str, Any], field: str, said: str
) -> None:
    whole = {"every_event": "on", "description": "kept as typed", **sent}
    row = add(admin, "https://8.8.8.8/", description="before")
    for path in (NEW, f"{LIST}{row.pk}/edit/"):
        answer = admin.post(path, whole)
        assert answer.status_code == 422
        assert said in str(answer.context["form"].errors[field]), answer.context["form"].errors
        assert list(answer.context["form"].errors) == [field]
        if field != "description":
            assert "kept as typed" in answer.content.decode()
    assert list(Endpoint.objects.values_list("url", "description")) == [("https://8.8.8.8/", "before")]


def test_loopback_is_taken_only_where_the_platform_allows_it(
    admin: Client, hook: WebhookServer, settings: Settings
) -> None:
    settings.PLUGIN_ALLOW_LOOPBACK = False
    answer = admin.post(NEW, {"url": hook.url, "every_event": "on"})
    assert "must start with https" in str(answer.context["form"].errors["url"])
    answer = admin.post(NEW, {"url": "https://127.0.0.1/", "every_event": "on"})
    assert "this machine itself" in str(answer.context["form"].errors["url"])
    assert Endpoint.objects.count() == 0


def test_the_secret_is_shown_once_and_signs(admin: Client, hook: WebhookServer) -> None:
    row = add(admin, hook.url)
    page = f"{LIST}{row.pk}/"
    assert "whsec_" not in text_of(admin, page)
    answer = admin.post(f"{page}secret/")
    key = re.search(r"whsec_[A-Za-z0-9+/=]+", answer.content.decode())
    assert key
    assert "no-store" in answer["Cache-Control"]
    again = admin.post(f"{page}secret/", follow=True).content.decode()
    assert "whsec_" not in again + text_of(admin, page) + text_of(admin, LIST) + text_of(admin, f"{page}edit/")
    assert "was shown already" in again
    admin.post(f"{page}test/")
    assert Webhook(key[0]).verify(hook.posts[0].raw, hook.posts[0].headers)["type"] == "webhook.test"


def test_a_new_secret_is_shown_once_too_and_the_page_says_how_long_the_old_one_signs(
    admin: Client, hook: WebhookServer
) -> None:
    row = add(admin, hook.url)
    page = f"{LIST}{row.pk}/"
    first = services.reveal_secret(row.pk, row.created_by)
    assert admin.post(f"{page}rotate/")["Location"] == page
    assert "The old one signs too" in text_of(admin, page)
    second = admin.post(f"{page}secret/").content.decode()
    assert "whsec_" in second
    assert first
    assert first not in second


@pytest.mark.parametrize(("status", "said"), [(204, "the answer was 204"), (500, "answered 500"), (302, "redirect")])
def test_a_test_event_is_sent_at_once_and_noted(admin: Client, hook: WebhookServer, status: int, said: str) -> None:
    hook.status, hook.answer = status, b""
    row = add(admin, hook.url, every_event="", events=["order.confirmed"])
    text = admin.post(f"{LIST}{row.pk}/test/", follow=True).content.decode()
    assert said in text
    assert [post.body["type"] for post in hook.posts] == ["webhook.test"]
    assert Attempt.objects.get().status == status
    row.refresh_from_db()
    assert (row.failing_since, row.active) == (None, True)


def test_a_test_event_that_is_answered_with_410_switches_the_endpoint_off_and_the_page_says_why(
    admin: Client, hook: WebhookServer
) -> None:
    hook.status = 410
    row = add(admin, hook.url)
    text = words(admin.post(f"{LIST}{row.pk}/test/", follow=True).content.decode())
    assert "Nothing is sent to this endpoint. It was switched off. It answered 410 (Gone)" in text
    admin.post(f"{LIST}{row.pk}/switch-on/")
    assert "Nothing is sent to this endpoint" not in text_of(admin, f"{LIST}{row.pk}/")


def test_a_test_event_that_arrives_lets_what_waits_follow(admin: Client, hook: WebhookServer) -> None:
    row = add(admin, hook.url)
    Endpoint.objects.update(failing_since=timezone.now(), failures=3, probe="msg_a")
    Waiting.objects.create(endpoint=row, message="msg_b", event="user.registered", body="{}")
    page = f"{LIST}{row.pk}/"
    assert "1 message waits until one arrives" in words(text_of(admin, page))
    assert "1 waiting" in text_of(admin, LIST)
    admin.post(f"{page}test/")
    assert Waiting.objects.count() == 0
    assert "does not answer" not in text_of(admin, page)


def test_switching_off_and_on_and_deleting(admin: Client, hook: WebhookServer) -> None:
    row = add(admin, hook.url)
    page = f"{LIST}{row.pk}/"
    for _twice in range(2):
        assert admin.post(f"{page}switch-off/")["Location"] == page
    assert "Somebody has switched it off" in text_of(admin, page)
    assert admin.post(f"{page}switch-on/")["Location"] == page
    row.refresh_from_db()
    assert row.active
    assert admin.post(f"{page}delete/")["Location"] == LIST
    assert Endpoint.objects.count() == 0
    assert admin.post(f"{page}delete/").status_code == 404


def test_the_fifty_first_is_refused_and_keeps_what_was_typed(
    admin: Client, hook: WebhookServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert services.MOST == 50
    monkeypatch.setattr(services, "MOST", 2)
    for _ in range(2):
        add(admin, hook.url)
    answer = admin.post(NEW, {"url": hook.url, "every_event": "on", "description": "the third"})
    assert answer.status_code == 422
    assert "Delete one that is not needed" in answer.content.decode()
    assert "the third" in answer.content.decode()
    assert Endpoint.objects.count() == 2
    assert f'href="{NEW}"' not in text_of(admin, LIST)


def test_a_member_sees_nothing_of_it(
    admin: Client, hook: WebhookServer, acme: Tenants, client_for: Callable[..., Client]
) -> None:
    row = add(admin, hook.url)
    member = client_for(acme.acme, person(acme.acme, "member"))
    for path in (LIST, NEW, f"{LIST}{row.pk}/", f"{LIST}{row.pk}/edit/"):
        assert (member.get(path).status_code, member.post(path, {}).status_code) == (403, 403)
    for action in ACTIONS:
        assert member.post(f"{LIST}{row.pk}/{action}/").status_code == 403
    assert LIST not in text_of(member, "/")
    assert LIST in text_of(admin, "/")
    row.refresh_from_db()
    assert (row.active, row.secret_unseen, hook.posts) == (True, True, [])


def test_another_organisations_endpoint_is_not_there(
    admin: Client, hook: WebhookServer, acme: Tenants, client_for: Callable[..., Client]
) -> None:
    row = add(admin, hook.url, description="acme’s own")
    with tenant_scope(acme.globex):
        lifecycle.enable("webhooks", SYSTEM)
        stranger = client_for(acme.globex, person(acme.globex, "owner"))
    assert "acme" not in words(text_of(stranger, LIST))
    for path in ("", "edit/"):
        assert stranger.get(f"{LIST}{row.pk}/{path}").status_code == 404
    for action in ACTIONS:
        assert stranger.post(f"{LIST}{row.pk}/{action}/").status_code == 404
    assert hook.posts == []


def test_where_the_plugin_is_disabled_no_page_answers(admin: Client, hook: WebhookServer) -> None:
    row = add(admin, hook.url)
    lifecycle.disable("webhooks", SYSTEM)
    for path in (LIST, NEW, f"{LIST}{row.pk}/"):
        assert admin.get(path).status_code == 404
    assert admin.post(f"{LIST}{row.pk}/test/").status_code == 404
    assert hook.posts == []


def test_a_secret_that_no_key_opens_is_said_and_a_new_one_mends_it(admin: Client, hook: WebhookServer) -> None:
    row = add(admin, hook.url)
    Endpoint.objects.update(secret="v1:deadbeef:x")
    for action in ("test", "secret"):
        assert "cannot be opened" in admin.post(f"{LIST}{row.pk}/{action}/", follow=True).content.decode()
    assert hook.posts == []
    admin.post(f"{LIST}{row.pk}/rotate/")
    admin.post(f"{LIST}{row.pk}/test/")
    row.refresh_from_db()
    key = unseal("webhooks", "signing", row.secret)
    assert Webhook(key).verify(hook.posts[0].raw, hook.posts[0].headers)


def test_connection_tests_ask_every_endpoint_that_is_switched_on(
    admin: Client, hook: WebhookServer, switch_on: Make
) -> None:
    plugin = switch_on("webhooks")
    assert "No endpoint" in plugin.check({}).message
    first, second = add(admin, hook.url), add(admin, hook.url)
    assert plugin.check({}).ok
    assert len(hook.posts) == 2
    services.switch_off(first.pk, second.created_by)
    hook.status = 500
    result = plugin.check({})
    assert (result.ok, len(hook.posts)) == (False, 3)
    assert "500" in result.message
