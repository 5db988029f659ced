"""The tenant admin's journey: finds, enables, configures, tests, watches and disables plugins; invites people; reads the audit log."""

from __future__ import annotations

import json
import re
import struct
import zlib
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from saas.testing.waiting import wait_until
from tests.browser.conftest import Visit
from tests.browser.keyboard import Keyboard
from tests.browser.shifts import moved, watch
from tests.browser.steps import ADA, make_order
from tests.browser.visitor import PASSWORD, Visitor

pytestmark = pytest.mark.xdist_group("demo")
MAIL, SLACK = "/settings/plugins/email_notifications/", "/settings/plugins/slack_notifications/"
ORGANISATION, PEOPLE, DATA = "/settings/organisation/", "/settings/people/", "/settings/people/data/"
LEFTS = "[...document.querySelectorAll('.table-deliveries thead th')].map((cell) => cell.getBoundingClientRect().left)"
LOGO_WIDTH = "document.querySelector('.rail .logo').naturalWidth"


def test_a_plugin_is_found_enabled_and_deleted_with_the_keyboard_alone(visit: Visit) -> None:
    admin = visit(ADA, "acme")
    page = admin.go("/", "acme")
    keys = Keyboard(page)
    admin.look("dashboard", everywhere=True)
    keys.press("Enter", page.get_by_role("link", name="Skip to the content"))
    assert page.evaluate("document.activeElement.id") == "main"
    admin.go("/", "acme")
    keys.press("Enter", page.get_by_role("link", name="Plugins", exact=True))
    page.wait_for_url("**/settings/plugins/")
    admin.look("catalog")
    _found(admin, keys)
    _enabled(admin, keys)
    _deleted(admin, keys)


def _found(admin: Visitor, keys: Keyboard) -> None:
    """By searching while typing: only the cards change."""
    page = admin.page
    search = page.get_by_role("searchbox")
    keys.to(search)
    watch(page, typing=True)
    page.keyboard.type("who may regis")
    expect(page.locator(".catalog-card")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"\?q=who\+may\+regis$"))
    expect(page.locator("[data-live-status]")).to_have_text("1 plugin found.")
    expect(search).to_be_focused()
    page.keyboard.type(" zebra")
    expect(page.get_by_role("heading", name="No plugin fits")).to_be_visible()
    assert moved(page) == []
    admin.look("catalog-nothing-found")
    keys.write("sign-up")
    keys.press("Enter", page.get_by_role("link", name="Enable… Sign-up rules"))


def _enabled(admin: Visitor, keys: Keyboard) -> None:
    """What is wrong is told before anything else."""
    page = admin.page
    told, agree = page.get_by_label("What the others are told"), page.get_by_role("button", name="Agree and enable")
    page.wait_for_url("**/enable/")
    admin.look("enable")
    keys.write("Please ask Ada.", told)
    keys.press("Enter", agree)
    errors = page.locator(".form-errors")
    expect(errors).to_be_focused()
    expect(told).to_have_value("Please ask Ada.")
    admin.look("enable-wrong")
    keys.write("acme.example", page.get_by_label("Entry 1").first)
    keys.press("Enter", agree)
    expect(page.get_by_text("Enabled: Sign-up rules. Its settings are saved.")).to_be_visible()
    admin.look("plugin-enabled")


def _deleted(admin: Visitor, keys: Keyboard) -> None:
    page = admin.page
    keys.press("Enter", page.get_by_role("link", name="Disable…"))
    page.wait_for_url("**/disable/")
    admin.look("disable")
    keys.press("Enter", page.get_by_role("button", name="Disable Sign-up rules"))
    keys.press("Enter", page.get_by_role("link", name="Delete what it has stored…"))
    keys.write("sign", page.get_by_label("To confirm, type"))
    keys.press("Enter")
    expect(page.get_by_text("Nothing was deleted.")).to_be_visible()
    admin.look("delete-what-it-has-stored")
    keys.write("signup_rules", page.get_by_label("To confirm, type"))
    keys.press("Enter", page.get_by_role("button", name="Delete it for good"))
    expect(page.get_by_text("All that Sign-up rules had stored is deleted.")).to_be_visible()


def test_a_plugin_is_set_up_tested_and_disabled_with_the_keyboard_alone_and_does_otherwise_at_once(
    visit: Visit,
) -> None:
    admin = visit(ADA, "acme")
    page = admin.go(SLACK, "acme")
    keys, channel = Keyboard(page), page.get_by_label("Channel")
    keys.write("#sales", channel)
    expect(page.get_by_text("Not saved yet")).to_be_visible()
    keys.press("Enter", page.get_by_role("button", name="Test connection"))
    expect(page.get_by_text("Slack took a test message")).to_be_visible()
    expect(page.locator("#settings-result [data-focus]")).to_be_focused()
    expect(channel).to_have_value("#sales")
    admin.look("settings-tested")
    keys.press("Enter", page.get_by_role("button", name="Save settings"))
    expect(page.get_by_text("The settings of Slack notifications are saved.")).to_be_visible()
    expect(channel).to_have_value("#sales")
    make_order(admin, "Acmella")
    arrived = admin.demo.wait_for(2, "acme", "Acmella")
    assert next(row for row in arrived if row["kind"] == "webhook")["to"] == "#sales"

    admin.go(SLACK, "acme")
    keys.press("Enter", page.get_by_role("link", name="Disable…"))
    keys.press("Enter", page.get_by_role("button", name="Disable Slack"))
    page.wait_for_url(f"**{SLACK}")
    make_order(admin, "Coyote")
    assert [row["kind"] for row in admin.demo.wait_for(1, "acme", "Coyote")] == ["email"]
    admin.go(SLACK, "acme")
    keys.press("Enter", page.get_by_role("link", name="Enable…"))
    page.wait_for_url("**/enable/")
    admin.look("enable-again")
    keys.press("Enter", page.get_by_role("button", name="Agree and enable"))
    expect(channel).to_have_value("#sales")


def _save_password(admin: Visitor, password: str) -> None:
    page = admin.go(MAIL, "acme")
    page.get_by_text("Replace…").click()
    page.get_by_label("Password").first.fill(password)
    page.get_by_role("button", name="Save settings").click()
    page.wait_for_load_state()


def test_what_fails_says_why_and_what_is_delivered_again_arrives_before_the_admins_eyes(visit: Visit) -> None:
    admin = visit(ADA, "acme")
    page = admin.go(MAIL, "acme")
    page.clock.install()
    page.get_by_text("Replace…").click()
    page.get_by_label("Password").first.fill("not the password")
    page.get_by_role("button", name="Test connection").click()
    expect(page.get_by_role("status").or_(page.get_by_role("alert")).first).to_contain_text("password")
    admin.look("mail-test-failed")
    page.get_by_role("button", name="Save settings").click()
    make_order(admin, "Wrongpass")
    listed = f"{MAIL}deliveries/?hook=order_confirmed"

    def failed() -> bool:
        admin.go(listed, "acme")
        return page.locator("tbody tr").first.get_by_text("password").count() > 0

    wait_until(failed, what="the failed delivery")
    admin.look("delivery-failed")
    _save_password(admin, PASSWORD)
    admin.go(listed, "acme")
    number = _deliver_the_first_again(admin)
    page.evaluate("window.stayed = true")
    watch(page)
    before = page.evaluate(LEFTS)
    row = page.locator("tr", has=page.locator(f"#pick-{number}, a[href$='/{number}/']"))
    link = row.get_by_role("link", name=re.compile("order_confirmed"))
    link.focus()
    admin.demo.wait_for(1, "acme", "wrongpass@customer.example")
    _let_it_ask(page)
    expect(link).to_be_focused()
    expect(row).to_contain_text("Delivered")
    expect(page.locator("[hx-trigger]")).to_have_count(0)
    assert page.evaluate("window.stayed"), "nobody reloaded the page"
    assert page.evaluate(LEFTS) == before, "the columns stay where they are"
    assert moved(page) == []

    admin.go("/settings/deliveries/?state=done", "acme")
    admin.look("all-deliveries")
    row.get_by_role("link", name=re.compile("order_confirmed")).click()
    expect(page.get_by_text("Idempotency key")).to_be_visible()
    admin.look("delivery")
    page.get_by_role("button", name=re.compile("again", re.IGNORECASE)).click()
    admin.demo.wait_for(2, "acme", "wrongpass@customer.example")
    _let_it_ask(page)
    expect(page.locator("#delivery-live").get_by_text("Attempt 3")).to_be_visible()
    assert page.locator("#delivery-live").get_by_text("Delivered", exact=True).count() > 0


def _deliver_the_first_again(admin: Visitor) -> str:
    """Choose the first in the list, say yes, and come back to the list; its number."""
    page = admin.page
    number = page.get_by_role("checkbox").first.get_attribute("value")
    page.get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Deliver chosen again…").click()
    expect(page.get_by_role("heading", name="Deliver 1 event again?")).to_be_visible()
    admin.look("deliver-again")
    page.get_by_role("button", name="Deliver 1 again").click()
    page.wait_for_url(f"**{MAIL}deliveries/")
    return str(number)


def _let_it_ask(page: Page) -> None:
    """Let the page's clock go on until it has asked what is new, as often as it takes."""
    live = page.locator("[hx-trigger^='every']")
    wait_until(lambda: page.clock.run_for(3000) or live.count() == 0, what="a page on which nothing is awaited")


def test_a_sample_is_chosen_with_the_keyboard_and_arrives(visit: Visit) -> None:
    admin = visit(ADA, "acme")
    page = admin.go(MAIL, "acme")
    page.clock.install()
    keys = Keyboard(page)
    keys.press("Enter", page.get_by_role("link", name="Send a sample event"))
    keys.to(page.get_by_label("An order was confirmed."))
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("An account was made in this organisation.")).to_be_checked()
    page.keyboard.press("ArrowUp")
    admin.look("sample")
    page.keyboard.press("Enter")
    page.get_by_text("A sample of order_confirmed is on its way to E-mail notifications.").wait_for()
    admin.demo.wait_for(1, "acme", "Sample: Your order 0 is confirmed")
    _let_it_ask(page)
    expect(page.locator("#delivery-live").get_by_text("Delivered", exact=True).first).to_be_visible()
    expect(page.get_by_text("Sample", exact=True).first).to_be_visible()
    admin.look("sample-delivered")
    admin.go("/settings/audit/", "acme")
    expect(page.get_by_text("sent a sample event to").first).to_be_visible()


def _square(path: Path) -> Path:
    """A PNG of one colour, 64 pixels wide."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress((b"\0" + b"\x1c\x6f\x5b" * 64) * 64)
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 64, 64, 8, 2, 0, 0, 0))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", rows) + chunk(b"IEND", b""))
    return path


def test_the_organisation_and_its_people_are_looked_after_without_scripts(visit: Visit, tmp_path: Path) -> None:
    plain, admin = visit(ADA, "acme", scripts=False), visit(ADA, "acme")
    _looks_after_the_organisation(plain, admin, _square(tmp_path / "logo.png"))
    _looks_after_people(plain, admin)
    _reads_the_audit_log(plain, admin)
    _puts_the_organisation_back(plain)


def _looks_after_the_organisation(plain: Visitor, admin: Visitor, logo: Path) -> None:
    page = plain.go(ORGANISATION, "acme")
    page.get_by_label("Time zone").select_option("Asia/Kathmandu")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Saved.").wait_for()
    page.get_by_label("Picture").set_input_files(logo)
    page.get_by_role("button", name="Upload the logo").click()
    page.get_by_text("The logo is shown from now on.").wait_for()
    page.locator("summary", has_text="Delete Acme Rockets…").click()
    expect(page.get_by_label("To confirm, type")).to_be_visible()
    plain.look("organisation-without-scripts")
    admin.go(ORGANISATION, "acme")
    wait_until(lambda: admin.page.evaluate(LOGO_WIDTH) == 64, what="the logo above the page")
    admin.look("organisation")


def _looks_after_people(plain: Visitor, admin: Visitor) -> None:
    page = plain.go(PEOPLE, "acme")
    page.get_by_label("E-mail address").fill("nina@acme.example")
    page.get_by_role("button", name="Send the invitation").click()
    page.get_by_text("An invitation is on its way to nina@acme.example.").wait_for()
    page.get_by_role("button", name="Send again the invitation of nina@acme.example").click()
    page.get_by_text("An invitation is on its way to nina@acme.example.").wait_for()
    for role in ("admin", "member"):
        page.get_by_label("Role of max@acme.example").select_option(role)
        page.get_by_role("row", name="max@acme.example").get_by_role("button", name="Change").click()
        expect(page.get_by_label("Role of max@acme.example")).to_have_value(role)
    page.locator("summary", has_text="Remove… max@acme.example").click()
    expect(page.get_by_role("button", name="Remove max@acme.example")).to_be_visible()
    plain.look("people-without-scripts")
    admin.go(PEOPLE, "acme")
    admin.look("people")
    page.get_by_role("button", name="Take back the invitation of nina@acme.example").click()
    page.get_by_text("The invitation is taken back").wait_for()


def _reads_the_audit_log(plain: Visitor, admin: Visitor) -> None:
    page = plain.go("/settings/audit/", "acme")
    expect(page.locator("time").first).to_have_attribute("datetime", re.compile(r"\+05:45$"))
    page.get_by_label("What about").select_option(label="People")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_text("nina@acme.example").first).to_be_visible()
    expect(page.get_by_text("Asia/Kathmandu")).to_have_count(0)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as CSV").click()
    assert "nina@acme.example" in Path(download.value.path()).read_text("utf-8-sig")
    plain.look("audit-without-scripts")
    admin.go("/settings/audit/", "acme")
    admin.look("audit")


def _puts_the_organisation_back(plain: Visitor) -> None:
    page = plain.go(ORGANISATION, "acme")
    page.get_by_role("button", name="Remove the logo").click()
    page.get_by_text("The logo is removed.").wait_for()
    page.get_by_label("Time zone").select_option("UTC")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("Saved.").wait_for()


def test_plugins_and_their_deliveries_are_looked_after_without_scripts(visit: Visit) -> None:
    plain = visit(ADA, "acme", scripts=False)
    make_order(plain, "Plainly")
    plain.demo.wait_for(2, "acme", "Plainly")
    page = plain.go("/settings/plugins/?state=available", "acme")
    page.get_by_role("searchbox").fill("invoice")
    page.get_by_role("button", name="Search").click()
    expect(page).to_have_url(re.compile(r"\?q=invoice&state=available$"))
    expect(page.locator(".catalog-card")).to_have_count(1)

    plain.go("/settings/deliveries/", "acme")
    page.get_by_label("Plugin").select_option(label="E-mail notifications")
    page.get_by_label("Event").select_option("order_confirmed")
    page.get_by_role("button", name="Show").click()
    number = page.get_by_role("checkbox").first.get_attribute("value")
    page.get_by_role("checkbox").first.check()
    plain.look("deliveries-without-scripts")
    page.get_by_role("button", name="Deliver chosen again…").click()
    page.get_by_role("button", name="Deliver 1 again").click()
    page.wait_for_url("**/settings/deliveries/**")
    plain.demo.wait_for(3, "acme", "Plainly")
    page.get_by_role("link", name="Refresh").click()
    page.locator(f"a[href$='/{number}/']").click()
    expect(page.get_by_text("Attempt 2")).to_be_visible()
    plain.look("delivery-without-scripts")


def test_what_is_kept_of_somebody_is_handed_over_and_erased(visit: Visit) -> None:
    admin = visit(ADA, "acme")
    page = admin.page
    make_order(admin, "Forgetme")
    admin.demo.wait_for(1, "acme", "forgetme@customer.example")
    admin.go(DATA, "acme")
    page.get_by_label("E-mail address").fill("forgetme@customer.example")
    page.keyboard.press("Enter")
    expect(page.get_by_role("rowheader", name="Orders")).to_be_visible()
    page.get_by_role("button", name="Download all of it").click()
    page.get_by_label("Password").fill(PASSWORD)
    admin.look("password-again")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Thank you").wait_for()
    admin.look("ready-to-download")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download all of it").click()
    found = json.loads(Path(download.value.path()).read_text())
    assert found["plugins"]["orders"]["orders"][0]["email"] == "forgetme@customer.example"
    with page.expect_download():  # and once more: the button is not held back for good
        page.get_by_role("button", name="Download all of it").click()
    page.get_by_role("link", name="Back").click()
    page.locator("summary").get_by_text("Erase forgetme@customer.example").focus()
    page.keyboard.press("Enter")
    page.get_by_label("To confirm, type").fill("forgetme@customer.example")
    admin.look("erase-somebody")
    page.get_by_role("button", name="Erase this person").click()
    page.get_by_role("heading", name="Erased", exact=True).wait_for()
    admin.look("somebody-erased")
    admin.go(f"{DATA}?email=forgetme@customer.example", "acme")
    page.get_by_role("link", name="Count what the plugins keep").click()
    expect(page.get_by_role("row", name="Orders")).to_contain_text("Nothing")
    admin.look("counted")
