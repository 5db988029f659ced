"""An admin finds a plugin, agrees to what it may do, sets it up and enables it in one step, and gets rid of it again."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Demo, Visitor


@pytest.mark.xdist_group("demo")
def test_an_admin_finds_enables_and_deletes_a_plugin(visitor: Visitor) -> None:
    page = visitor.page
    visitor.sign_in("ada@acme.example", "acme")
    visitor.go("/settings/plugins/", "acme")
    visitor.look("plugin-catalog")
    page.get_by_role("searchbox").press_sequentially("who may regis")
    expect(page.locator(".catalog-card")).to_have_count(1)
    expect(page).to_have_url(re.compile(r"\?q=who\+may\+regis$"))
    expect(page.locator("[data-live-status]")).to_have_text("1 plugin found.")
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.get_by_role("searchbox").press_sequentially(" zebra")
    expect(page.get_by_role("heading", name="No plugin fits")).to_be_visible()
    visitor.look("plugin-catalog-nothing-found")
    page.get_by_role("searchbox").fill("sign-up")
    page.get_by_role("link", name="Enable… Sign-up rules").click()

    visitor.look("plugin-enable")
    page.get_by_label("What the others are told").fill("Please ask Ada.")
    page.get_by_role("button", name="Agree, and enable").click()
    expect(page.locator(".form-errors")).to_be_focused()
    expect(page.get_by_label("What the others are told")).to_have_value("Please ask Ada.")
    visitor.look("plugin-enable-wrong")
    page.get_by_label("Entry 1").first.fill("acme.example")
    page.get_by_role("button", name="Agree, and enable").click()
    expect(page.get_by_text("Enabled: Sign-up rules. Its settings are saved.")).to_be_visible()
    visitor.look("plugin-page")

    page.get_by_role("link", name="Disable…").click()
    visitor.look("plugin-disable")
    page.get_by_role("button", name="Disable Sign-up rules").click()
    page.get_by_role("link", name="Delete what it has stored…").click()
    page.get_by_label("To confirm, type").fill("sign")
    page.get_by_role("button", name="Delete it for good").click()
    expect(page.get_by_text("Nothing was deleted.")).to_be_visible()
    visitor.look("plugin-delete-data")
    page.get_by_label("To confirm, type").fill("signup_rules")
    page.get_by_role("button", name="Delete it for good").click()
    expect(page.get_by_text("All that Sign-up rules had stored is deleted.")).to_be_visible()


@pytest.mark.xdist_group("demo")
def test_the_catalog_is_searched_without_javascript(demo: Demo, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    visitor = Visitor(demo, context, "no-script")
    visitor.sign_in("ada@acme.example", "acme")
    page = visitor.go("/settings/plugins/?state=available", "acme")
    page.get_by_role("searchbox").fill("invoice")
    page.get_by_role("button", name="Search").click()
    expect(page).to_have_url(re.compile(r"\?q=invoice&state=available$"))
    expect(page.locator(".catalog-card")).to_have_count(1)
    context.close()
