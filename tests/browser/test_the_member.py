"""The member's journey: registers, signs in, uses what the tenant's plugins offer, and looks after an account of their own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.running_demo import Demo
from tests.browser.shifts import moved, watch
from tests.browser.steps import ADA, MAX, code_for, make_order, register
from tests.browser.visitor import PASSWORD, Visitor

pytestmark = pytest.mark.xdist_group("demo")


def test_somebody_registers_and_the_plugins_of_that_organisation_alone_tell_the_world(visit: Visit, demo: Demo) -> None:
    neighbour, member = visit(), visit()
    register(neighbour, "globex", "nat@next.example", "Nat Next")
    code_for(demo, "nat@next.example")
    page = member.page
    register(member, "acme", "nia@new.example", "Nia New")
    member.look("confirm-address")
    arrived = demo.wait_for(2, "acme", "nia@new.example")  # by now globex's would have arrived
    assert [row for row in demo.inbox() if row["tenant"] == "globex" or "nat@next" in str(row)] == []
    assert {row["kind"] for row in arrived} == {"email", "webhook"}
    mail = next(row for row in arrived if row["kind"] == "email")
    assert mail["to"] == "nia@new.example"
    assert "Nia New" in mail["text"]
    assert "Nia New" in mail["html"]
    page.get_by_label("Code").fill(code_for(demo, "nia@new.example"))
    page.get_by_role("button", name="Confirm").click()
    page.wait_for_url("**/")
    expect(page.get_by_role("heading", name="Acme Rockets")).to_be_visible()
    expect(page.get_by_role("link", name="Plugins")).to_have_count(0)
    member.look("dashboard")

    make_order(member, "Wile")
    member.look("order-confirmed")
    assert {row["kind"] for row in demo.wait_for(2, "acme", "Wile")} == {"email", "webhook"}

    page.clock.install()
    member.go("/inbox/")
    expect(page.get_by_text("nia@new.example").first).to_be_visible()
    watch(page)
    with page.expect_response("**/inbox/**"):
        page.clock.run_for(2000)  # milliseconds after which it asks what is new
    assert moved(page) == []
    member.look("inbox")


def _announce(admin: Visitor, title: str, level: str) -> None:
    page = admin.go("/apps/announcements/new/", "acme")
    page.get_by_label("Title").fill(title)
    page.get_by_label("Text").fill("The workshop is closed from eight to ten.\nOrders can be entered all the time.")
    page.get_by_label("Level").select_option(level)
    page.get_by_label("Link optional", exact=True).fill("/apps/orders/")
    page.get_by_label("Words of the link").fill("Go to the orders")
    page.get_by_role("button", name="Save").click()
    page.get_by_text(f"“{title}” was saved.").wait_for()


def test_an_announcement_is_read_dismissed_and_counted(visit: Visit) -> None:
    admin = visit(ADA, "acme")
    page = admin.go("/settings/plugins/announcements/", "acme")
    page.get_by_role("link", name="Enable…").click()
    page.get_by_role("button", name="Enable").click()
    admin.go("/apps/announcements/", "acme")
    admin.look("announcements-empty")
    for title, level in (
        ("New workshop hours", "info"),
        ("Server room", "error"),
        ("Maintenance on Saturday", "warning"),
    ):
        _announce(admin, title, level)
    admin.look("announcements-of-an-admin")
    page.get_by_role("link", name="Maintenance on Saturday").first.click()
    admin.look("announcement-form")
    admin.go("/", "acme")
    admin.look("announcements-on-the-dashboard")

    _dismissed_in_place(admin)
    _dismissed_without_scripts(visit)
    _counted_and_gone(admin)


def _dismissed_in_place(admin: Visitor) -> None:
    """What is being typed elsewhere on the page stays; a banner stays too where it cannot be saved that it shall go."""
    page = admin.page
    admin.go("/apps/orders/new/", "acme")
    page.get_by_label("Customer").fill("Half typed")
    banner = page.get_by_role("group", name="Server room")
    banner.get_by_role("button", name="Dismiss").click()
    expect(banner).to_have_count(0)
    expect(page.get_by_label("Customer")).to_have_value("Half typed")
    assert page.evaluate("document.activeElement.id") == "main"

    # This person is no longer signed in.
    page.context.clear_cookies(name="sessionid")
    banner = page.get_by_role("group", name="Maintenance on Saturday")
    banner.get_by_role("button", name="Dismiss").click()
    expect(banner.get_by_text("This could not be saved.")).to_be_visible()
    expect(page.get_by_label("Customer")).to_have_value("Half typed")
    admin.look("announcement-not-dismissed")


def _dismissed_without_scripts(visit: Visit) -> None:
    """By a form, which leads back to the same page."""
    plain = visit(MAX, "acme", scripts=False)
    plain.go("/apps/orders/?q=rocket", "acme")
    group = plain.page.get_by_role("group", name="Maintenance on Saturday")
    group.get_by_role("button", name="Dismiss").click()
    plain.page.wait_for_url("**/apps/orders/?q=rocket")
    expect(group).to_have_count(0)
    expect(plain.page.get_by_role("group", name="New workshop hours")).to_be_visible()
    plain.go("/apps/announcements/", "acme")
    plain.look("announcements-of-a-member-without-scripts")


def _counted_and_gone(admin: Visitor) -> None:
    page = admin.page
    admin.sign_in(ADA, "acme")
    admin.go("/apps/announcements/", "acme")
    row = page.get_by_role("row", name="Maintenance on Saturday")
    expect(row.get_by_role("cell").last).to_have_text("1")
    for name in ("New workshop hours", "Maintenance on Saturday"):
        page.get_by_role("group", name=name).get_by_role("button", name="Dismiss").click()
        expect(page.get_by_role("group", name=name)).to_have_count(0)
    assert not page.locator(".banners").is_visible()
    page.reload()
    assert page.locator(".banners").count() == 0
    admin.go("/settings/plugins/announcements/disable/", "acme")
    page.get_by_role("button", name="Disable Announcements").click()
    page.wait_for_url("**/settings/plugins/announcements/")


def test_an_account_of_ones_own_is_looked_after_without_scripts(visit: Visit) -> None:
    plain, seen = visit(scripts=False), visit(MAX, "acme")
    page = plain.go("/accounts/login/", "acme")  # a sign-in of its own: the other is a browser elsewhere
    page.get_by_label("E-mail address").fill(MAX)
    page.get_by_label("Password").first.fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="Your account").click()
    name = page.get_by_label("Your name")
    name.fill("")
    page.get_by_role("button", name="Save").click()
    name.fill("Max M. Member")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.", exact=True)).to_be_visible()
    expect(name).to_have_value("Max M. Member")
    plain.look("account-without-scripts")
    for path, step in (("/account/", "account"), ("/account/sessions/", "sessions"), ("/account/data/", "own-data")):
        seen.go(path, "acme")
        seen.look(step)

    page.get_by_role("link", name="E-mail addresses").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    plain.look("addresses-without-scripts")
    page.get_by_role("link", name="Your data").click()
    page.get_by_role("button", name="Download all of it").click()
    page.get_by_label("Password").fill(PASSWORD)
    plain.look("password-again-without-scripts")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Thank you").wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download all of it").click()
    assert MAX in json.loads(Path(download.value.path()).read_text())["person"]["emails"]
    page.get_by_role("link", name="Back").click()

    page.get_by_role("link", name="Where you are signed in").click()
    expect(page.get_by_text("this browser")).to_have_count(1)
    page.get_by_role("button", name="other device").click()
    expect(page.get_by_text("You are signed in nowhere else.")).to_be_visible()
    plain.look("sessions-without-scripts")
    seen.go("/account/", "acme")
    assert "/accounts/login/" in seen.page.url, "the browser elsewhere is signed out"
    seen.demo.signed_in.pop((MAX, "acme"))
