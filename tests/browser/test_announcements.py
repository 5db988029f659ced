"""An announcement as people meet it: written by an admin, dismissed in place with JavaScript, and by a form without."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Demo, Visitor

ADMIN, MEMBER = "ada@acme.example", "max@acme.example"


@pytest.fixture
def plain(demo: Demo, browser: Browser) -> Iterator[Visitor]:
    """A member whose browser runs no JavaScript."""
    context = browser.new_context(java_script_enabled=False)
    yield Visitor(demo, context, "plain", scripts=False)
    context.close()


def announce(page: Page, demo: Demo, title: str, level: str = "warning") -> None:
    page.goto(demo.url("/apps/announcements/new/", "acme"))
    page.get_by_label("Title").fill(title)
    page.get_by_label("Text").fill("The workshop is closed from eight to ten.\nOrders can be entered all the time.")
    page.get_by_label("Level").select_option(level)
    page.get_by_label("Link", exact=True).fill("/apps/orders/")
    page.get_by_label("Words of the link").fill("Go to the orders")
    page.get_by_role("button", name="Save").click()
    page.get_by_text(f"“{title}” was saved.").wait_for()


@pytest.mark.xdist_group("demo")
def test_it_is_written_shown_dismissed_and_counted(visitor: Visitor, plain: Visitor, demo: Demo) -> None:
    visitor.sign_in(ADMIN, "acme")
    page = visitor.page
    page.goto(demo.url("/settings/plugins/announcements/", "acme"))
    page.get_by_role("link", name="Enable…").click()
    page.get_by_role("button", name="Enable").click()
    visitor.go("/apps/announcements/", "acme")
    visitor.look("announcements-empty")
    for title, level in (
        ("New workshop hours", "info"),
        ("Server room", "error"),
        ("Maintenance on Saturday", "warning"),
    ):
        announce(page, demo, title, level)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of the two it takes
        for path, name in (
            ("/apps/announcements/", "list"),
            ("/apps/announcements/1/edit/", "form"),
            ("/", "dashboard"),
        ):
            visitor.go(path, "acme")
            visitor.look(f"announcements-{name}-{scheme}")
    page.emulate_media(color_scheme="light")

    # In place: what is being typed elsewhere on the page stays.
    visitor.go("/apps/orders/new/", "acme")
    page.get_by_label("Customer").fill("Half typed")
    banner = page.get_by_role("group", name="Server room")
    banner.get_by_role("button", name="Dismiss").click()
    expect(banner).to_have_count(0)
    expect(page.get_by_label("Customer")).to_have_value("Half typed")
    assert page.evaluate("document.activeElement.id") == "main"

    # Where it cannot be saved, because this person is no longer signed in, the banner stays and says so.
    page.context.clear_cookies(name="sessionid")
    banner = page.get_by_role("group", name="Maintenance on Saturday")
    banner.get_by_role("button", name="Dismiss").click()
    expect(banner.get_by_text("This could not be saved.")).to_be_visible()
    expect(page.get_by_label("Customer")).to_have_value("Half typed")
    visitor.look("announcements-failed")

    # Without JavaScript: a form, and back to the same page.
    plain.sign_in(MEMBER, "acme")
    plain.go("/apps/orders/?q=rocket", "acme")
    group = plain.page.get_by_role("group", name="Maintenance on Saturday")
    group.get_by_role("button", name="Dismiss").click()
    plain.page.wait_for_url("**/apps/orders/?q=rocket")
    expect(group).to_have_count(0)
    expect(plain.page.get_by_role("group", name="New workshop hours")).to_be_visible()
    plain.go("/apps/announcements/", "acme")
    plain.look("announcements-read")

    visitor.sign_in(ADMIN, "acme")
    page.goto(demo.url("/apps/announcements/", "acme"))
    row = page.get_by_role("row", name="Maintenance on Saturday")
    expect(row.get_by_role("cell").last).to_have_text("1")

    for name in ("New workshop hours", "Maintenance on Saturday"):
        page.get_by_role("group", name=name).get_by_role("button", name="Dismiss").click()
        expect(page.get_by_role("group", name=name)).to_have_count(0)
    assert not page.locator(".banners").is_visible()
    page.reload()
    assert page.locator(".banners").count() == 0
