"""The console's pages of the queue and its workers, and of the platform's settings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from pytest_django import Settings

from plugin_framework import lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.catalog.offers import set_standing
from plugin_framework.delivery import breaker, schedule, workers
from plugin_framework.delivery.house import HOUSE
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from saas.console.platform_page import GROUPS
from tests.conftest import Tenants
from tests.integration.console.test_fleet import _give_up

pytestmark = pytest.mark.usefixtures("plugins")
ROOT = Path(__file__).resolve().parents[3]


def _lane(schema: str, plugin: str, columns: str) -> None:
    with public_scope(), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO public.delivery_lane AS l (tenant_schema, plugin) VALUES (%s, %s) ON CONFLICT DO NOTHING",
            [schema, plugin],
        )
        cursor.execute(
            f"UPDATE public.delivery_lane SET {columns} WHERE tenant_schema = %s AND plugin = %s", [schema, plugin]
        )


def test_the_lanes_are_counted_by_what_keeps_them(staff: Client, tenants: Tenants) -> None:
    acme, globex = tenants.acme.schema, tenants.globex.schema
    _lane(acme, "pager", "next_at = now() - interval '90 s'")
    _lane(globex, "pager", "next_at = now() + interval '1 hour'")
    _lane(acme, "clumsy", "next_at = now() - interval '1 s', leased_until = now() + interval '1 min', owner = 'x'")
    _lane(
        globex,
        "clumsy",
        "next_at = now(), open_since = now(), paused_until = now() + interval '1 min', trouble = 'No route.'",
    )
    with tenant_scope(tenants.acme):
        breaker.pause("rota", SYSTEM)
    page = staff.get("/health/")
    found = {each.plugin: each for _, each in page.context["lanes"]}
    pager, clumsy, rota = found["pager"], found["clumsy"], found["rota"]
    assert (pager.waiting, pager.later, pager.leased, pager.open, pager.paused) == (1, 1, 0, 0, 0)
    assert pager.lag is not None
    assert 89 < pager.lag.total_seconds() < 600
    assert (clumsy.waiting, clumsy.later, clumsy.leased, clumsy.open) == (0, 0, 1, 1)
    assert (rota.waiting, rota.later, rota.paused) == (0, 0, 1)
    text = page.content.decode()
    assert "No route." in text
    assert '<a href="/tenants/globex/">Globex</a>' in text


def test_workers_are_shown_with_their_last_sign_of_life(staff: Client, tenants: Tenants) -> None:
    assert "No worker has been seen" in staff.get("/health/").content.decode()
    me = workers.myself()
    with public_scope():
        workers.beat(me)
    (found,) = staff.get("/health/").context["workers"]
    assert (found.id, found.alive, found.lanes) == (me.id, True, 0)
    assert "No worker" not in staff.get("/").content.decode()
    with public_scope(), connection.cursor() as cursor:
        cursor.execute("UPDATE public.delivery_worker SET seen_at = now() - interval '2 minutes'")
    page = staff.get("/health/")
    assert not page.context["workers"][0].alive
    assert "No worker" in staff.get("/").content.decode()
    assert "Silent" in page.content.decode()


def test_what_was_given_up_is_counted_by_plugin(staff: Client, tenants: Tenants) -> None:
    for tenant in (tenants.acme, tenants.globex):
        _give_up(tenant, "clumsy")
    found = staff.get("/health/").context["given_up"]
    assert (found.counts, found.looked_at, found.total) == ([("clumsy", "Clumsy", 2)], 2, 2)
    assert dict.fromkeys(
        dead for info, dead in staff.get("/tenants/acme/").context["plugins"] if info.name == "clumsy"
    ) == {1: None}


def test_jobs_by_the_clock_and_spares_are_shown(staff: Client, platform: TenantRef, settings: Settings) -> None:
    with tenant_scope(platform):
        schedule.sync()
    page = staff.get("/health/")
    jobs = {(each.plugin, each.job): (what, each) for _, what, each in page.context["jobs"]}
    what, job = jobs[HOUSE, "new_tenants"]
    assert (what, job.tenants) == ("Set up new organisations", 1)
    assert all(what for (plugin, _), (what, _job) in jobs.items() if plugin == HOUSE)  # in words made for people
    assert page.context["spares_wanted"] == settings.SPARE_SCHEMAS


def test_an_organisation_shows_the_version_it_has(staff: Client, tenants: Tenants) -> None:
    with tenant_scope(tenants.acme):
        lifecycle.enable("clumsy", SYSTEM)
    page = staff.get("/tenants/acme/")
    assert {info.name: info.version_here for info, _ in page.context["plugins"]} == {"clumsy": "1.0.0"}
    never = {info.name: info.version_here for info, _ in page.context["others"]}
    assert (never["pager"], "clumsy" in never) == ("", False)


def test_every_variable_of_the_readme_is_on_the_page() -> None:
    rows = (ROOT / "README.md").read_text("utf-8").partition("\n## Configuration\n")[2].partition("\n## ")[0]
    named = set(re.findall(r"^\| `([A-Z_]+)`", rows, re.MULTILINE))
    assert {name for _, variables in GROUPS for name, *_ in variables} == named - {"PORT"}  # the demo's alone


def test_no_secret_is_shown_and_it_is_said_where_a_value_comes_from(
    staff: Client, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMAIL_URL", "smtp+tls://mailer:hunter2hunter2@mail.example:587/?secret=hunter3hunter3")
    settings.METRICS_TOKEN = "t" * 40
    page = staff.get("/settings/")
    text = page.content.decode()
    for secret in ("hunter2", "hunter3", "t" * 40, settings.SECRET_KEY, *settings.SECRETS_KEYS):
        assert secret not in text
    assert "smtp+tls://mailer:…@mail.example:587" in text
    found = {each.name: each for _, variables in page.context["groups"] for each in variables}
    assert (found["EMAIL_URL"].given, found["METRICS_TOKEN"].value) == (True, "set, and not shown")


@pytest.mark.parametrize(
    "url", ["postgresql:///%2Ftmp%2Fdb?host=/tmp&password=hunter2", "not a url", "http://[::1", "x://u:hunter2@h:port/"]
)
def test_an_address_that_is_odd_is_shown_without_its_secrets(
    staff: Client, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("EMAIL_URL", url)
    page = staff.get("/settings/")
    assert page.status_code == 200
    assert "hunter2" not in page.content.decode()


def test_what_staff_has_decided_is_listed(staff: Client) -> None:
    assert staff.get("/settings/").context["decided"] == []
    set_standing("clumsy", on_by_default=True, required=True)
    assert [info.name for info in staff.get("/settings/").context["decided"]] == ["clumsy"]
