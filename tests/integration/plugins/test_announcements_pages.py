"""The announcements' pages: admins write, members read; bad input keeps what was typed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from plugins.announcements_plugin import services
from plugins.announcements_plugin.models import Announcement
from plugins.announcements_plugin.services import AnnouncementInput
from plugins.announcements_plugin.views import PAGE
from saas.testing.people import person
from tests.conftest import Tenants

Make = Callable[..., Any]
LIST = "/apps/announcements/"
GOOD = {
    "title": "Maintenance",
    "text": "Saturday morning",
    "level": "warning",
    "link_url": "https://status.example/plan",
    "link_label": "Details",
    "starts_at": "2030-01-02T08:00",
    "ends_at": "2030-01-02T10:30",
    "is_active": "on",
    "revision": "1",
}


@pytest.fixture
def admin(acme: Tenants, switch_on: Make, client_for: Callable[..., Client]) -> Client:
    """The admin of `acme`, which has enabled announcements."""
    switch_on("announcements")
    return client_for(acme.acme, person(acme.acme, "admin"))


@pytest.fixture
def member(admin: Client, acme: Tenants, client_for: Callable[..., Client]) -> Client:
    """A member of it."""
    return client_for(acme.acme, person(acme.acme, "member"))


def announce(title: str = "Office closed", **more: Any) -> Announcement:
    return services.create(AnnouncementInput(title, **more), None)


def test_an_empty_list_says_what_to_do(admin: Client, member: Client) -> None:
    assert f'href="{LIST}new/"' in admin.get(LIST).content.decode().partition("There are no announcements yet")[2]
    text = member.get(LIST).content.decode()
    assert "There are no announcements now" in text
    assert f"{LIST}new/" not in text


def test_an_admin_writes_one_from_its_form(admin: Client) -> None:
    answer = admin.post(f"{LIST}new/", GOOD, follow=True)
    assert "“Maintenance” was saved." in answer.content.decode()
    found = Announcement.objects.get()
    assert (found.title, found.text, found.level, found.is_active) == (
        "Maintenance",
        "Saturday morning",
        "warning",
        True,
    )
    assert (found.link_url, found.link_label) == ("https://status.example/plan", "Details")
    assert found.starts_at == datetime(2030, 1, 2, 8, 0, tzinfo=UTC)
    assert found.ends_at == datetime(2030, 1, 2, 10, 30, tzinfo=UTC)
    assert found.created_by.email == "admin@acme.example"  # type: ignore[union-attr]  # it was written by somebody


def test_a_title_alone_is_enough_and_shown_at_once(admin: Client, member: Client) -> None:
    admin.post(f"{LIST}new/", {"title": "Hello", "level": "info", "is_active": "on"})
    assert [banner.title for banner in member.get("/").context["banners"]] == ["Hello"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"title": ""}, "Required."),
        ({"title": "  "}, "Required."),
        ({"title": "x" * 121}, "at most 120 characters"),
        ({"title": "a\x00b"}, "Holds a NUL character"),
        ({"text": "x" * 1001}, "at most 1,000 characters"),
        ({"level": "loud"}, "Choose one of the options"),
        ({"level": ""}, "Required."),
        ({"link_url": "javascript:alert(1)"}, "begins with / or to an address with http:// or https://"),
        ({"link_url": " JavaScript:alert(1)"}, "begins with / or to an address"),
        ({"link_url": "data:text/html,x"}, "begins with / or to an address"),
        ({"link_url": "//evil.example/"}, "begins with / or to an address"),
        ({"link_url": "status.example"}, "begins with / or to an address"),
        ({"link_url": "https://" + "x" * 500}, "at most 500 characters"),
        ({"link_url": ""}, "give both, or neither"),
        ({"link_label": ""}, "give both, or neither"),
        ({"link_label": "x" * 61}, "at most 60 characters"),
        ({"ends_at": "2030-01-02T07:59"}, "It would be over before it begins"),
        ({"ends_at": "2030-01-02T08:00"}, "It would be over before it begins"),
        ({"starts_at": "yesterday"}, "Must be a date and time"),
        ({"starts_at": "2030-02-30T08:00"}, "Must be a date and time"),
        ({"starts_at": "0001-01-01T00:00+14:00"}, "between the years 2000 and 2099"),
        ({"ends_at": "9999-12-31T23:59-12:00"}, "between the years 2000 and 2099"),
    ],
)
def test_bad_input_comes_back_with_its_error_and_all_that_was_typed(
    admin: Client, change: dict[str, str], words: str
) -> None:
    before = announce("Before")
    for path in ("new/", f"{before.pk}/edit/"):
        answer = admin.post(f"{LIST}{path}", GOOD | change)
        text = answer.content.decode()
        assert answer.status_code == 422
        about_a_field = words not in answer.context["form"].non_field_errors().as_text()
        assert text.count(words) == 1 + about_a_field, "in the list above the form, and beside its field"
        for name in ("title", "text", "link_url", "link_label", "starts_at", "ends_at"):
            assert name in change or GOOD[name] in text
    assert [each.title for each in Announcement.objects.all()] == ["Before"]


def test_a_change_is_saved_and_a_stale_form_loses_nothing(admin: Client) -> None:
    announcement = announce(starts_at=datetime(2030, 1, 2, 8, 0, tzinfo=UTC))
    form = admin.get(f"{LIST}{announcement.pk}/edit/").content.decode()
    for value in ('value="Office closed"', 'value="2030-01-02T08:00"', 'name="revision" value="1"'):
        assert value in form
    assert admin.post(f"{LIST}{announcement.pk}/edit/", GOOD).status_code == 302
    for revision in ("1", "", "x", "-1", "9" * 30):
        stale = admin.post(f"{LIST}{announcement.pk}/edit/", GOOD | {"revision": revision, "title": "Mine"})
        assert b"Somebody else has changed this announcement" in stale.content
        assert b'value="Mine"' in stale.content
    announcement.refresh_from_db()
    assert (announcement.title, announcement.revision) == ("Maintenance", 2)
    off = {name: value for name, value in GOOD.items() if name != "is_active"} | {"revision": "2"}
    assert admin.post(f"{LIST}{announcement.pk}/edit/", off).status_code == 302
    announcement.refresh_from_db()
    assert not announcement.is_active


def test_one_is_deleted_by_post_with_its_dismissals(admin: Client, member: Client) -> None:
    gone, stays = announce(), announce("Party")
    member.post(f"{LIST}{gone.pk}/dismiss/")
    assert admin.get(f"{LIST}{gone.pk}/delete/").status_code == 405
    answer = admin.post(f"{LIST}{gone.pk}/delete/", follow=True)
    assert "“Office closed” was deleted." in answer.content.decode()
    assert list(Announcement.objects.all()) == [stays]


def test_the_list_says_how_each_stands_and_how_many_have_dismissed_it(
    admin: Client, member: Client, acme: Tenants
) -> None:
    now, hour = timezone.now(), timedelta(hours=1)
    announce("Planned one", starts_at=now + hour)
    announce("Over one", ends_at=now - hour)
    announce("Off one", is_active=False)
    shown = announce("Shown one", starts_at=now - hour, ends_at=now + hour)
    member.post(f"{LIST}{shown.pk}/dismiss/")
    admin.post(f"{LIST}{shown.pk}/dismiss/")
    found = {each.title: (each.state, each.dismissed) for each in admin.get(LIST).context["page"]}
    assert found == {
        "Planned one": ("planned", 0),
        "Over one": ("over", 0),
        "Off one": ("off", 0),
        "Shown one": ("shown", 2),
    }
    assert '<td class="num">2</td>' in admin.get(LIST).content.decode()


def test_a_member_cannot_write_and_sees_neither_plans_nor_numbers(member: Client) -> None:
    announcement = announce("Secret plan", starts_at=timezone.now() + timedelta(hours=1))
    for path in ("new/", f"{announcement.pk}/edit/", f"{announcement.pk}/delete/", "999/edit/"):
        assert member.get(f"{LIST}{path}").status_code == 403
        assert member.post(f"{LIST}{path}", GOOD).status_code == 403
    assert [each.title for each in Announcement.objects.all()] == ["Secret plan"]
    text = member.get(LIST).content.decode()
    assert "Secret plan" not in text
    assert "Dismissed by" not in text


def test_nobody_gets_in_without_signing_in(admin: Client, acme: Tenants, client_for: Callable[..., Client]) -> None:
    announcement = announce()
    stranger = client_for(acme.acme)
    for path in ("", "new/", f"{announcement.pk}/edit/"):
        assert "/accounts/login/" in stranger.get(f"{LIST}{path}")["Location"]
    assert stranger.post(f"{LIST}{announcement.pk}/delete/").status_code == 302
    assert Announcement.objects.exists()


@pytest.mark.parametrize("number", ["0", "999", "9" * 30])
def test_an_announcement_that_is_not_there_is_a_404(admin: Client, number: str) -> None:
    announce()
    assert admin.get(f"{LIST}{number}/edit/").status_code == 404
    for path in ("edit/", "delete/"):
        assert admin.post(f"{LIST}{number}/{path}", GOOD).status_code == 404


def test_one_that_is_deleted_between_two_looks_is_a_404(admin: Client, acme: Tenants) -> None:
    announcement = announce()
    pk = announcement.pk
    services.delete(pk, None)
    with pytest.raises(Announcement.DoesNotExist):
        services.delete(pk, None)
    with pytest.raises(Announcement.DoesNotExist):
        services.update(pk, AnnouncementInput("x"), None, seen_revision=1)


@pytest.mark.parametrize("page", ["-1", "x", "9" * 50, "\x00"])
def test_an_odd_page_is_answered(admin: Client, member: Client, page: str) -> None:
    announce()
    assert admin.get(LIST, {"page": page}).status_code == member.get(LIST, {"page": page}).status_code == 200


def test_a_long_list_has_pages(admin: Client, member: Client) -> None:
    for number in range(PAGE + 1):
        announce(f"News {number:02}")
    for client in (admin, member):
        assert "News 00" not in client.get(LIST).content.decode()
        assert "page=2" in client.get(LIST).content.decode()
        assert "News 00" in client.get(LIST, {"page": "2"}).content.decode()


def test_what_was_written_is_escaped_on_the_admins_pages(admin: Client) -> None:
    evil = "<script>alert(1)</script>"
    announcement = announce(evil, text=f"</textarea>{evil}", link_url='/"><i>', link_label=evil)
    paths = (LIST, f"{LIST}{announcement.pk}/edit/")
    texts = [admin.get(path).content.decode() for path in paths]
    texts.append(admin.post(f"{LIST}{announcement.pk}/delete/", follow=True).content.decode())
    for text in texts:
        assert "<script>alert" not in text
        assert "<i>" not in text
        assert "&lt;script&gt;" in text


def test_the_navigation_leads_to_the_list(admin: Client, member: Client) -> None:
    for client in (admin, member):
        assert f'href="{LIST}"' in client.get("/").content.decode()
