"""Pages in windows between a phone and a desk, in the language with the longest words: none is wider than its window."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

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
WIDTHS = (390, 600, 706, 820, 898, 960, 1026, 1100, 1154, 1280)  # also just beyond those at which the rules change
LONG = "Donaudampfschifffahrtsgesellschaftskapitänsmützenverwaltung"
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
    """The browser of somebody of the platform's staff who reads German; as for Django, see `acme` of the plugin author's forms."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    request.getfixturevalue("committed_db")
    tenants: Tenants = request.getfixturevalue("tenants")
    entry = platform_entry()
    assert entry is not None
    staff = person(entry.ref, "admin", "root@platform.example")
    context = browser.new_context(reduced_motion="reduce", locale="de-DE")
    client = request.getfixturevalue("client_for")(entry.ref, staff)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "de"
    _in_use(tenants)
    found = Site(context.new_page(), client, entry.ref, scripts=True)
    yield found
    context.close()
    found.close()
    assert found.complaints == []


def _in_use(tenants: Tenants) -> None:
    plans.define(
        "basic", "Basic", ["orders", "invoices", "webhooks"], Limits(people=10, deliveries=1000, storage=10**9)
    )
    with tenant_scope(tenants.acme):
        plans.assign("basic")
        for name in ("orders", "webhooks"):
            lifecycle.enable(name, SYSTEM)


def too_wide(site: Site, path: str) -> dict[int, int]:
    """By the width of a window: how wide the page is that does not fit."""
    site.go(path)
    found = {}
    for width in WIDTHS:
        site.page.set_viewport_size({"width": width, "height": 900})
        wide = site.page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            found[width] = wide
    return found


@pytest.mark.parametrize("name", ["Acme", LONG], ids=["short", "long"])
def test_no_page_of_the_console_is_wider_than_its_window(console: Site, name: str) -> None:
    with public_scope():
        Tenant.objects.filter(slug="acme").update(name=name)
        Plan.objects.filter(slug="basic").update(name=name)
    assert {path: found for path in CONSOLE if (found := too_wide(console, path))} == {}
