"""Announcements above the pages: of now, of this organisation, and until each person has dismissed them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from plugin_framework import configuration
from plugin_framework.audit import SYSTEM
from plugins.announcements_plugin import services
from plugins.announcements_plugin.models import Announcement, Dismissal, Level
from plugins.announcements_plugin.services import AnnouncementInput
from tests.conftest import Tenants

Make = Callable[..., Any]
LIST = "/apps/announcements/"
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def page(acme: Tenants, switch_on: Make, ada: Make, client_for: Callable[..., Client]) -> Client:
    """Ada, a member of `acme`, which has enabled announcements."""
    switch_on("announcements")
    return client_for(acme.acme, ada())


def announce(title: str = "Office closed", **more: Any) -> Announcement:
    return services.create(AnnouncementInput(title, **more), None)


def shown(client: Client, path: str = "/") -> list[str]:
    """The titles of the banners of a page, in order."""
    answer = client.get(path)
    assert answer.status_code == 200
    return [banner.title for banner in answer.context["banners"]]


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("starts", "ends", "active", "seen"),
    [
        (None, None, True, True),
        (None, None, False, False),
        (-HOUR, None, True, True),
        (HOUR, None, True, False),
        (None, HOUR, True, True),
        (None, -HOUR, True, False),
        (-HOUR, HOUR, True, True),
        (-HOUR, HOUR, False, False),
        (HOUR, 2 * HOUR, True, False),
        (-2 * HOUR, -HOUR, True, False),
    ],
)
def test_it_is_seen_from_its_first_moment_until_its_last(
    page: Client, starts: timedelta | None, ends: timedelta | None, active: bool, seen: bool
) -> None:
    now = timezone.now()
    announce(
        starts_at=now + starts if starts is not None else None,
        ends_at=now + ends if ends is not None else None,
        is_active=active,
    )
    assert shown(page) == (["Office closed"] if seen else [])
    assert ("<h2>Office closed</h2>" in page.get(LIST).content.decode()) is seen


def test_the_most_pressing_come_first_and_no_more_than_the_settings_say(page: Client) -> None:
    for level in (Level.WARNING, Level.INFO, Level.ERROR, Level.SUCCESS):
        announce(f"An old {level}", level=level)
        announce(f"A new {level}", level=level)
    assert shown(page) == ["A new error", "An old error", "A new warning"]
    configuration.configure("announcements", SYSTEM, {"at_once": 5})
    assert shown(page)[3:] == ["An old warning", "A new success"]


def test_htmx_is_told_to_take_the_banner_away_and_nothing_else(page: Client) -> None:
    announcement = announce()
    form = page.get("/").content.decode()
    assert f'hx-post="{LIST}{announcement.pk}/dismiss/" hx-target="closest .banner" hx-swap="delete"' in form
    answer = page.post(f"{LIST}{announcement.pk}/dismiss/", {"next": "/"}, headers={"hx-request": "true"})
    assert (answer.status_code, answer.content) == (200, b"")
    assert shown(page) == []


def test_dismissing_takes_a_post_with_the_forms_token_from_somebody_signed_in(
    page: Client, acme: Tenants, ada: Make, client_for: Callable[..., Client]
) -> None:
    url = f"{LIST}{announce().pk}/dismiss/"
    assert page.get(url).status_code == 405
    strict = client_for(acme.acme, ada("bob@acme.example"), enforce_csrf_checks=True)
    assert strict.post(url).status_code == 403
    assert "/accounts/login/" in client_for(acme.acme).post(url)["Location"]
    assert not Dismissal.objects.exists()
    form = strict.get("/").content.decode().partition(f'action="{url}"')[2].partition("</form>")[0]
    (token,) = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', form)
    assert strict.post(url, {"csrfmiddlewaretoken": token}).status_code == 302
    assert Dismissal.objects.count() == 1


@pytest.mark.parametrize("number", ["0", "999", "9" * 30])
def test_what_is_not_there_cannot_be_dismissed(page: Client, number: str) -> None:
    announce()
    assert page.post(f"{LIST}{number}/dismiss/").status_code == 404
    assert not Dismissal.objects.exists()


def test_what_is_still_to_come_cannot_be_dismissed_but_what_has_just_ended_can(page: Client) -> None:
    now = timezone.now()
    planned, over, off = announce(starts_at=now + HOUR), announce(ends_at=now - HOUR), announce(is_active=False)
    statuses = [page.post(f"{LIST}{each.pk}/dismiss/").status_code for each in (planned, over, off)]
    assert statuses == [404, 302, 302]


def test_what_was_deleted_meanwhile_is_a_404_and_no_broken_row(page: Client, ada: Make) -> None:
    announcement, bob = announce(), ada("bob@acme.example")
    pk = announcement.pk
    announcement.delete()
    with pytest.raises(Announcement.DoesNotExist, match="not there any more"):
        services.dismiss(pk, bob)
    assert not Dismissal.objects.exists()
