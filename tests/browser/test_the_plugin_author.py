"""The plugin author's journey: what `startplugin` wrote and pip installed is in the catalog, set up, and acts when something happens."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from saas.testing.waiting import wait_until
from tests.browser.conftest import Visit
from tests.browser.keyboard import Keyboard
from tests.browser.running_demo import Demo
from tests.browser.steps import ADA, ROOT, register

pytestmark = pytest.mark.xdist_group("demo")
PAGE = "/settings/plugins/late_lunch/"


def test_a_package_of_somebody_elses_is_offered_enabled_and_told_of_events(visit: Visit, demo: Demo) -> None:
    superadmin, admin, newcomer = visit(ROOT, "admin"), visit(ADA, "acme"), visit()
    superadmin.go("/catalog/late_lunch/", "admin")
    expect(superadmin.page.get_by_role("heading", name="Late lunch")).to_be_visible()
    superadmin.look("offered-in-the-catalog")

    page = admin.go(PAGE, "acme")
    keys = Keyboard(page)
    for said in ("Greets people who register.", "Version 0.1.0", "Community"):
        expect(page.get_by_text(said).first).to_be_visible()
    expect(page.get_by_text("The name and e-mail address of people who register")).to_be_visible()
    keys.press("Enter", page.get_by_role("link", name="Enable…"))
    page.wait_for_url("**/enable/")
    admin.look("enable")
    keys.press("Enter", page.get_by_role("button", name="Agree and enable"))
    greeting = page.get_by_label("Greeting")
    expect(greeting).to_have_value("Welcome")
    keys.write("Mahlzeit", greeting)
    keys.press("Enter", page.get_by_role("button", name="Save settings"))
    page.get_by_text("The settings of Late lunch are saved.").wait_for()

    register(newcomer, "acme", "paula@new.example", "Paula")
    log = demo.data / "logs" / "worker.log"
    wait_until(lambda: "Mahlzeit, Paula!" in log.read_text("utf-8"), what="the greeting in the worker's log")
    admin.go(f"{PAGE}deliveries/", "acme")
    expect(page.locator("tbody tr").first).to_contain_text("user_registered")
    admin.look("deliveries")
    admin.go(f"{PAGE}disable/", "acme")
    page.get_by_role("button", name="Disable Late lunch").click()
