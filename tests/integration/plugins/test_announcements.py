"""Announcements: above every page until each person has put them away, written by admins alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from plugin_framework import lifecycle, purge
from plugin_framework.audit import SYSTEM
from plugin_framework.tenancy import tenant_scope
from plugins.announcements_plugin.models import Announcement, Dismissal
from plugins.announcements_plugin.plugin import AnnouncementsPlugin
from saas.testing.people import person
from tests.conftest import Tenants

Make = Callable[..., Any]
LIST, NEW = "/apps/announcements/", "/apps/announcements/new/"
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def admin(acme: Tenants, switch_on: Make, client_for: Callable[..., Client]) -> Client:
    """acme's admin; the plugin runs."""
    switch_on("announcements")
    return client_for(acme.acme, person(acme.acme, "admin"))


@pytest.fixture
def member(admin: Client, acme: Tenants, client_for: Callable[..., Client]) -> Client:
    """A member of acme."""
    return client_for(acme.acme, person(acme.acme, "member"))


def announce(admin: Client, title: str = "Picnic on Friday", **more: str) -> Announcement:
    sent = {"title": title, "level": "info", "is_active": "on", **more}
    assert admin.post(NEW, sent)["Location"] == LIST
    return Announcement.objects.latest("pk")


def banners(client: Client, page: str = "/") -> list[str]:
    return [each.title for each in client.get(page).context["banners"]]


def day(offset: int) -> str:
    """The first minute of a day, counted from today."""
    return f"{timezone.localdate() + timedelta(days=offset)}T00:00"


def test_what_an_admin_announces_stands_above_every_page_of_everybody(admin: Client, member: Client) -> None:
    link = {"link_url": "https://picnic.example/", "link_label": "Where it is"}
    announce(admin, text="Bring cake.\nAnd plates.", level="warning", **link)
    parts = ("Picnic on Friday", "Bring cake.<br>And plates.", 'example/">Where it is</a>', "alert-warning banner")
    pages = ((member, "/"), (member, "/accounts/email/"), (admin, "/settings/plugins/"), (member, LIST), (admin, NEW))
    for client, page in pages:
        text = client.get(page).content.decode()
        for part in parts:
            assert part in text, (page, part)


def test_nobody_sees_one_who_is_not_signed_in(admin: Client, acme: Tenants, client_for: Callable[..., Client]) -> None:
    announce(admin)
    assert "Picnic" not in client_for(acme.acme).get("/accounts/login/").content.decode()


def test_each_person_puts_it_away_for_themselves_and_comes_back_to_their_page(admin: Client, member: Client) -> None:
    pk = announce(admin).pk
    party = announce(admin, "Party").pk
    for _twice in range(2):  # a second press, from an older page, is no error
        answer = member.post(f"{LIST}{pk}/dismiss/", {"next": "/apps/announcements/?page=1"})
        assert (answer.status_code, answer["Location"]) == (302, "/apps/announcements/?page=1")
    assert (banners(member), banners(admin)) == (["Party"], ["Party", "Picnic on Friday"])
    assert "<h2>Picnic on Friday</h2>" in member.get(LIST).content.decode()  # to be read again
    assert {each.pk: each.dismissed for each in admin.get(LIST).context["page"]} == {pk: 1, party: 0}


@pytest.mark.parametrize(
    "back",
    [
        "",
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil",
        "/\t/evil.example",
        "javascript:alert(1)",
        "\x00",
        "x" * 9999,
    ],
)
def test_nobody_is_led_elsewhere(admin: Client, back: str) -> None:
    answer = admin.post(f"{LIST}{announce(admin).pk}/dismiss/", {"next": back})
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert Dismissal.objects.count() == 1


def test_where_they_cannot_be_put_away_they_stay(admin: Client, member: Client, switch_on: Make) -> None:
    pk = announce(admin).pk
    member.post(f"{LIST}{pk}/dismiss/")
    switch_on("announcements", {"dismissible": False})
    assert banners(member) == ["Picnic on Friday"]
    assert f"{pk}/dismiss/" not in member.get("/").content.decode()


@pytest.mark.parametrize(
    ("first", "last", "shown"),
    [(-1, 1, True), (0, 1, True), (1, 2, False), (-2, -1, False), (None, 0, False), (None, 1, True), (1, None, False)],
)
def test_it_is_shown_from_its_first_day_to_its_last(
    admin: Client, member: Client, first: int | None, last: int | None, shown: bool
) -> None:
    days = {name: day(offset) for name, offset in (("starts_at", first), ("ends_at", last)) if offset is not None}
    announce(admin, **days)
    assert bool(banners(admin)) is shown
    assert ("<h2>Picnic on Friday</h2>" in member.get(LIST).content.decode()) is shown


def test_one_that_is_taken_down_is_kept_and_not_shown(admin: Client, member: Client) -> None:
    pk = announce(admin).pk
    admin.post(f"{LIST}{pk}/edit/", {"title": "Picnic on Friday", "level": "info", "revision": "1"})
    assert banners(member) == []
    assert "Picnic" not in member.get(LIST).content.decode()
    assert "Off" in admin.get(LIST).content.decode()


def test_only_the_newest_are_shown_at_once(admin: Client) -> None:
    for number in range(4):
        announce(admin, f"Number {number}")
    assert banners(admin) == ["Number 3", "Number 2", "Number 1"]


@pytest.mark.parametrize(
    "sent",
    [
        {"title": ""},
        {"title": "x" * 121},
        {"text": "x" * 1001},
        {"level": "loud"},
        {"link_url": "javascript:alert(1)", "link_label": "There"},
        {"link_url": "ftp://files.example/", "link_label": "There"},
        {"link_url": "https://files.example/"},
        {"starts_at": "2026-05-02T08:00", "ends_at": "2026-05-01T08:00"},
        {"starts_at": "tomorrow"},
        {"title": "\x00"},
    ],
)
def test_what_makes_no_sense_is_refused_and_what_was_typed_stays(admin: Client, sent: dict[str, str]) -> None:
    answer = admin.post(NEW, {"title": "Picnic", "level": "info", "text": "typed before", **sent})
    assert answer.status_code == 422
    assert not Announcement.objects.exists()
    if "text" not in sent:
        assert "typed before" in answer.content.decode()


def test_what_somebody_writes_is_text_and_nothing_else(admin: Client) -> None:
    announce(admin, EVIL, text=f"{EVIL}\n<b>", link_url='/?"><script>', link_label=EVIL)
    for page in ("/", LIST):
        text = admin.get(page).content.decode()
        assert "<script>" not in text
        assert "<b>" not in text
        assert "&lt;script&gt;alert(1)" in text
    assert 'href="/?&quot;&gt;&lt;script&gt;"' in admin.get("/").content.decode()


def test_members_read_and_do_not_write(admin: Client, member: Client) -> None:
    pk = announce(admin).pk
    for page in (NEW, f"{LIST}{pk}/edit/", f"{LIST}{pk}/delete/"):
        assert {member.get(page).status_code, member.post(page, {"title": "Mine"}).status_code} <= {403, 405}
    assert Announcement.objects.get().title == "Picnic on Friday"
    assert "New announcement" not in member.get(LIST).content.decode()


def test_deleting_one_takes_along_who_has_put_it_away(admin: Client, member: Client) -> None:
    pk = announce(admin).pk
    member.post(f"{LIST}{pk}/dismiss/")
    admin.post(f"{LIST}{pk}/delete/")
    assert (Announcement.objects.count(), Dismissal.objects.count()) == (0, 0)


@pytest.mark.parametrize("pk", ["999999", "9" * 30])
def test_one_that_is_not_there_is_not_found(admin: Client, pk: str) -> None:
    pages = [f"{LIST}{pk}/{what}/" for what in ("edit", "delete", "dismiss")]
    assert {admin.post(page, {"title": "x"}).status_code for page in pages} == {404}


def test_an_organisation_never_sees_anothers(
    admin: Client, member: Client, acme: Tenants, switch_on: Make, client_for: Callable[..., Client]
) -> None:
    mine = [announce(admin, f"Mine {number}").pk for number in range(2)]
    with tenant_scope(acme.globex):
        switch_on("announcements")
        theirs = client_for(acme.globex, person(acme.globex, "admin"))
        own = announce(theirs, "Theirs").pk
    assert (banners(theirs), banners(admin)) == (["Theirs"], ["Mine 1", "Mine 0"])
    for path in ("edit/", "delete/", "dismiss/"):
        assert theirs.post(f"{LIST}{mine[1]}/{path}").status_code == 404
    lonely = client_for(acme.globex, person(acme.globex, "member"))
    assert "Mine" not in lonely.get(LIST).content.decode()
    assert mine[0] == own  # the same number in both: dismissing theirs leaves ours
    theirs.post(f"{LIST}{own}/dismiss/")
    assert (banners(theirs), len(banners(admin)), len(banners(member))) == ([], 2, 2)


def test_where_it_does_not_run_nothing_is_shown_and_no_page_answers(admin: Client, member: Client) -> None:
    pk = announce(admin).pk
    lifecycle.disable("announcements", SYSTEM)
    assert banners(member) == []
    assert member.get(LIST).status_code == 404
    assert member.post(f"{LIST}{pk}/dismiss/").status_code == 404
    lifecycle.enable("announcements", SYSTEM)
    assert banners(member) == ["Picnic on Friday"]


@pytest.mark.parametrize("page", ["/accounts/email/", "/"])
def test_it_costs_one_query_a_page(admin: Client, member: Client, page: str, switch_on: Make) -> None:
    switch_on("orders")  # its panel on the dashboard is a template of its own, with a context of its own

    def queries() -> int:
        member.get(page)  # what is remembered between requests is
        with CaptureQueriesContext(connection) as found:
            member.get(page)
        return len([each for each in found if "SAVEPOINT" not in each["sql"]])  # the dashboard's, around each panel

    with_none = queries()
    for number in range(5):
        announce(admin, f"News {number}")
    assert queries() == with_none
    lifecycle.disable("announcements", SYSTEM)
    assert queries() == with_none - 1


def test_a_plugin_whose_banners_fail_breaks_no_page(
    admin: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(self: AnnouncementsPlugin, request: object) -> None:
        raise RuntimeError("planned")

    monkeypatch.setattr(AnnouncementsPlugin, "banners", fail)
    assert admin.get("/").status_code == 200
    assert "The banners of announcements could not be made" in caplog.text


def test_people_can_be_deleted_where_it_is_installed_and_where_it_is_not(
    admin: Client, member: Client, acme: Tenants
) -> None:
    member.post(f"{LIST}{announce(admin).pk}/dismiss/")
    get_user_model().objects.all().delete()
    assert (Announcement.objects.get().created_by, Dismissal.objects.count()) == (None, 0)
    with tenant_scope(acme.globex):
        person(acme.globex, "member")
        get_user_model().objects.all().delete()


def test_purging_it_takes_its_tables(admin: Client, member: Client) -> None:
    announce(admin)
    lifecycle.disable("announcements", SYSTEM)
    gone = purge.purge("announcements", SYSTEM, confirmation="announcements")
    assert gone.tables == {"announcements_plugin_announcement": 1, "announcements_plugin_dismissal": 0}
    assert banners(member) == []
    get_user_model().objects.filter(email__startswith="member").delete()  # without looking into tables that are gone
    lifecycle.enable("announcements", SYSTEM)
    assert not Announcement.objects.exists()
