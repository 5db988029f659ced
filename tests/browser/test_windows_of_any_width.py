"""Pages in windows between a phone and a desk, in the language with the longest words: none is wider than its window."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection
from playwright.sync_api import Browser, expect

from plugin_framework import lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.catalog import plans
from plugin_framework.catalog.models import Plan
from plugin_framework.catalog.plans import Limits
from plugin_framework.tenancy import public_scope, tenant_scope
from plugin_framework.tenancy_directory import platform as platform_entry
from saas.testing.people import person
from tenants.models import Tenant
from tests.browser.forms import Site
from tests.conftest import Tenants

pytestmark = pytest.mark.xdist_group("forms")  # the same browser
WIDTHS = (
    390,
    600,
    705,
    712,
    740,
    780,
    820,
    898,
    960,
    1000,
    1024,
    1026,
    1100,
    1154,
    1280,
)  # also where the rules change, and just beyond
LIES, STANDS = 1024, 1026  # up to 64rem the navigation lies above the page, in wider windows it stands beside it
LONG = "Donaudampfschifffahrtsgesellschaftskapitänsmützenverwaltung"
WIDEST = """() => {
    const tables = [...document.querySelectorAll("main table")].filter(each => !each.closest(".table-wrap"));
    const over = tables.map(each => each.getBoundingClientRect().right - each.parentElement.getBoundingClientRect().right);
    return Math.max(document.documentElement.scrollWidth, innerWidth + Math.round(Math.max(0, ...over)));
}"""
CONSOLE = (
    "/tenants/",
    "/tenants/acme/",
    "/fleet/",
    "/plans/",
    "/plans/basic/",
    "/catalog/",
    "/catalog/orders/",
    "/health/",
)


@pytest.fixture
def console(request: pytest.FixtureRequest, browser: Browser, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """The browser of somebody of the platform's staff who reads German, and runs scripts or (a parameter) not.

    As for Django, see `acme` of the plugin author's forms.
    """
    scripts = getattr(request, "param", True)
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    request.getfixturevalue("committed_db")
    tenants: Tenants = request.getfixturevalue("tenants")
    entry = platform_entry()
    assert entry is not None
    staff = person(entry.ref, "admin", "root@platform.example")
    context = browser.new_context(reduced_motion="reduce", locale="de-DE", java_script_enabled=scripts)
    client = request.getfixturevalue("client_for")(entry.ref, staff)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "de"
    _in_use(tenants)
    found = Site(context.new_page(), client, entry.ref, scripts=scripts)
    yield found
    context.close()
    found.close()
    assert found.complaints == []


QUEUE = """
INSERT INTO public.delivery_lane (tenant_schema, plugin, next_at, owner, leased_until, open_since, trouble, paused_until, paused_by,
    over_quota)
    SELECT CASE n WHEN 1 THEN %(schema)s ELSE 't_' || lpad(n::text, 20, '0') END, plugin,
    now() - interval '100 hours', CASE WHEN n %% 3 = 0 THEN 'somebody' ELSE '' END,
    CASE WHEN n %% 3 = 0 THEN now() + interval '1 day' END, CASE WHEN n %% 3 = 1 THEN now() END,
    CASE WHEN n %% 3 = 1 THEN 'mail.donaudampfschiffahrtsgesellschaft.example refused the user name or password (535)' ELSE '' END,
    CASE WHEN n %% 3 = 1 THEN now() + interval '1 hour' END, CASE WHEN n %% 2 = 0 THEN 'ada@acme.example' ELSE '' END, n %% 2 = 0
    FROM generate_series(1, 5000) AS n, unnest(ARRAY['usage_analytics', 'email_notifications']) AS plugin
    ON CONFLICT DO NOTHING;
INSERT INTO public.delivery_worker (id, host, pid, process_start, started_at, seen_at) VALUES
    ('a', 'tenantry-worker-7f9c8d5b6-x2k4q', 1234567, 0, now(), now()),
    ('b', 'tenantry-worker-7f9c8d5b6-abcde', 7654321, 0, now(), now() - interval '1 hour');
INSERT INTO public.delivery_schedule (tenant_schema, plugin, job, expression, due_at, run_at)
    SELECT 't_' || lpad(n::text, 20, '0'), 'usage_analytics', 'forget_old_counts', '17 3 * * *', now(), now() - interval '1 hour'
    FROM generate_series(1, 1234) AS n;
"""


def _in_use(tenants: Tenants) -> None:
    with public_scope(), connection.cursor() as cursor:
        cursor.execute(QUEUE, {"schema": tenants.acme.schema})
    plans.define(
        "basic", "Basic", ["orders", "invoices", "webhooks"], Limits(people=10, deliveries=1000, storage=10**9)
    )
    with tenant_scope(tenants.acme):
        plans.assign("basic")
        for name in ("orders", "webhooks"):
            lifecycle.enable(name, SYSTEM)


def too_wide(site: Site, path: str, letters: str) -> dict[int, int]:
    """By the width of a window: how wide the page is that does not fit, or a table of it that stands in the margin."""
    site.go(path)
    site.page.evaluate("size => { document.documentElement.style.fontSize = size; }", letters)
    found = {}
    for width in WIDTHS:
        site.page.set_viewport_size({"width": width, "height": 900})
        wide = site.page.evaluate(WIDEST)
        if wide > width:
            found[width] = wide
    return found


@pytest.mark.parametrize("letters", ["100%", "105%"], ids=["ours", "a-wider-font"])
@pytest.mark.parametrize("name", ["Acme", LONG], ids=["short", "long"])
def test_no_page_of_the_console_is_wider_than_its_window(console: Site, name: str, letters: str) -> None:
    with public_scope():
        Tenant.objects.filter(slug="acme").update(name=name)
        Plan.objects.filter(slug="basic").update(name=name)
    assert {path: found for path in CONSOLE if (found := too_wide(console, path, letters))} == {}


def places(site: Site) -> dict[str, dict[str, float]]:
    """Where the navigation and the page are."""
    script = "name => { const {x, y, width, height} = document.querySelector(name).getBoundingClientRect(); return {x, y, width, height}; }"
    return {name: site.page.evaluate(script, name) for name in (".rail", ".page", ".rail-nav")}


@pytest.mark.parametrize("width", [390, 706, 850, LIES])
def test_the_navigation_lies_above_the_page_where_there_is_no_room_beside_it(console: Site, width: int) -> None:
    console.page.set_viewport_size({"width": width, "height": 900})
    console.go("/")
    found = places(console)
    rail, page = found[".rail"], found[".page"]
    assert (rail["x"], rail["width"], page["x"], page["width"]) == (0, width, 0, width)
    assert rail["y"] + rail["height"] <= page["y"]
    assert rail["height"] < 150  # its links stand in one line, which can be scrolled
    tops = console.page.eval_on_selector_all(
        ".rail-nav .rail-link", "all => all.map(each => each.getBoundingClientRect().top)"
    )
    assert len(tops) > 5
    assert len(set(tops)) == 1


SEEN = """every => {
    const {x, right, y, height} = every.getBoundingClientRect(), found = [];
    for (let at = x + 2; at < right - 2; at += 4) found.push(every.contains(document.elementFromPoint(at, y + height / 2)));
    return [every.textContent.trim(), found.every(Boolean)];
}"""


@pytest.mark.parametrize("console", [True, False], ids=["with-scripts", "without"], indirect=True)
@pytest.mark.parametrize("width", [390, 600])
def test_where_one_is_stands_in_sight_in_the_navigation_of_a_narrow_window(console: Site, width: int) -> None:
    console.page.set_viewport_size({"width": width, "height": 900})
    seen = []
    for path in ("/", "/tenants/", "/fleet/", "/health/", "/settings/"):
        console.go(path)
        seen.append(tuple(console.page.eval_on_selector(".rail-nav [aria-current]", SEEN)))
    names = ("Überblick", "Organisationen", "Flotte", "Warteschlange und Worker", "Einstellungen der Plattform")
    assert seen == [(name, True) for name in names]


def test_the_entry_that_stays_in_sight_hides_none_that_the_keyboard_comes_to(console: Site) -> None:
    console.page.set_viewport_size({"width": 390, "height": 900})
    console.go("/settings/")
    links = console.page.locator(".rail-nav a")
    console.page.locator(".rail-brand").focus()
    for each in range(links.count()):
        console.page.keyboard.press("Tab")
        expect(links.nth(each)).to_be_focused()
        assert links.nth(each).evaluate(SEEN)[1], each


def test_the_navigation_stands_beside_the_page_where_there_is_room(console: Site) -> None:
    console.page.set_viewport_size({"width": STANDS, "height": 900})
    console.go("/")
    found = places(console)
    rail, page = found[".rail"], found[".page"]
    assert rail["width"] == page["x"] > 150
    assert rail["width"] + page["width"] == STANDS
    assert rail["y"] == page["y"] == 0
