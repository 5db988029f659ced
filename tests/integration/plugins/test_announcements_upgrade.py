"""Announcements written by the first version, on days and with bare links, mean the same after the upgrade."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test import Client

from plugin_framework.db.migrator import SchemaExecutor, migrate_schema
from plugins.announcements_plugin.models import Announcement, Dismissal
from saas.testing.people import person
from tests.conftest import Tenants

APP = "announcements_plugin"
LIST = "/apps/announcements/"
Row = dict[str, Any]


@pytest.fixture
def first_version(acme: Tenants, switch_on: Callable[..., Any]) -> Any:
    """The models of the first version, whose tables acme has."""
    switch_on("announcements")
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE announcements_plugin_dismissal, announcements_plugin_announcement")
        cursor.execute("DELETE FROM django_migrations WHERE app = %s", [APP])
    executor: MigrationExecutor = SchemaExecutor(frozenset({APP}))
    state = executor.migrate([(APP, "0001_initial")])
    connection.check_constraints()
    return state.apps


def upgraded(old: Any, **written: Any) -> Announcement:
    """What the upgrade makes of an announcement of the first version."""
    pk = old.get_model(APP, "Announcement").objects.create(title="Picnic", **written).pk
    connection.check_constraints()  # as the end of a transaction would
    assert migrate_schema([APP]) == [f"{APP}.0002_moments_and_words_of_links"]
    return Announcement.objects.get(pk=pk)


@pytest.mark.parametrize(
    ("written", "starts_at", "ends_at"),
    [
        ({}, None, None),
        ({"first_day": date(2026, 5, 1)}, datetime(2026, 5, 1, tzinfo=UTC), None),
        (
            {"first_day": date(2026, 5, 1), "last_day": date(2026, 5, 1)},
            datetime(2026, 5, 1, tzinfo=UTC),
            datetime(2026, 5, 2, tzinfo=UTC),
        ),
        ({"last_day": date(2028, 2, 28)}, None, datetime(2028, 2, 29, tzinfo=UTC)),
        ({"last_day": date(2099, 12, 30)}, None, datetime(2099, 12, 31, tzinfo=UTC)),
        ({"last_day": date(2099, 12, 31)}, None, None),
        ({"last_day": date(9999, 12, 31)}, None, None),
    ],
)
def test_it_is_shown_from_the_same_day_to_the_end_of_the_same_day(
    first_version: Any, written: Row, starts_at: datetime | None, ends_at: datetime | None
) -> None:
    found = upgraded(first_version, **written)
    assert (found.starts_at, found.ends_at) == (starts_at, ends_at)


def test_what_is_written_and_who_has_put_it_away_stays(
    first_version: Any, acme: Tenants, client_for: Callable[..., Client]
) -> None:
    reader, writer = person(acme.acme, "member"), person(acme.acme, "admin")
    old = first_version.get_model(APP, "Announcement").objects
    away, off = old.create(title="x" * 120, created_by_id=writer.pk), old.create(title="Off", active=False)
    first_version.get_model(APP, "Dismissal").objects.create(announcement=away, person_id=reader.pk)
    shown = upgraded(first_version, text="Bring cake.", level="success", link="https://picnic.example/")
    assert (shown.text, shown.level, shown.revision) == ("Bring cake.", "success", 1)
    assert (shown.link_url, shown.link_label) == ("https://picnic.example/", "Read more")
    kept = Announcement.objects.get(pk=away.pk)
    assert (kept.title, kept.link_url, kept.link_label, kept.created_by) == ("x" * 120, "", "", writer)
    assert not Announcement.objects.get(pk=off.pk).is_active
    assert (Dismissal.objects.get().announcement, Dismissal.objects.get().user) == (kept, reader)
    titles = [each.title for each in client_for(acme.acme, reader).get("/").context["banners"]]
    assert titles == ["Picnic"]


@pytest.mark.parametrize("link", ["https://ada@picnic.example/", "https://picnic.example/a\\b"])
def test_an_address_that_no_banner_leads_to_any_more_is_kept_in_the_text(
    first_version: Any, acme: Tenants, client_for: Callable[..., Client], link: str
) -> None:
    found = upgraded(first_version, text="Bring cake.", link=link)
    assert (found.text, found.link_url, found.link_label) == (f"Bring cake.\n{link}", "", "")
    (banner,) = client_for(acme.acme, person(acme.acme, "member")).get("/").context["banners"]
    assert link in banner.text
