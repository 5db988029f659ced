"""The superadmin's journey: runs the catalog, sees the fleet, suspends an organisation and lets it go on."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.keyboard import Keyboard
from tests.browser.running_demo import Demo
from tests.browser.steps import ADA, GIL, ROOT

pytestmark = pytest.mark.xdist_group("demo")


def test_a_plugin_is_withdrawn_with_a_reason_and_offered_again(visit: Visit, demo: Demo) -> None:
    superadmin, admin = visit(ROOT, "admin"), visit(ADA, "acme")
    page = superadmin.go("/", "admin")
    superadmin.look("console")
    superadmin.go("/catalog/", "admin")
    superadmin.look("catalog")
    page.get_by_role("link", name="Orders", exact=True).click()
    page.get_by_label("Withdrawn").check()
    page.get_by_label("Message").fill("A fault was found; we are on it.")
    superadmin.look("withdraw")
    page.get_by_role("button", name="Withdraw: see whom it hits").click()
    expect(page.get_by_role("link", name="Acme")).to_be_visible()
    superadmin.look("withdraw-whom-it-hits")
    page.get_by_role("button", name=re.compile("Withdraw it from")).click()
    page.wait_for_load_state()
    gone = admin.page.goto(demo.url("/apps/orders/", "acme"))
    assert gone is not None
    assert gone.status == 404
    admin.go("/settings/plugins/orders/", "acme")
    expect(admin.page.get_by_text("A fault was found; we are on it.").first).to_be_visible()
    admin.look("withdrawn-as-its-admins-see-it")
    superadmin.go("/catalog/orders/", "admin")
    page.get_by_label("Offered to everyone").check()
    page.get_by_role("button", name="Save this decision").click()
    page.wait_for_load_state()
    back = admin.page.goto(demo.url("/apps/orders/", "acme"))
    assert back is not None
    assert back.status == 200


def test_a_plugin_is_enabled_in_many_organisations_with_the_keyboard_alone_after_seeing_what_it_does(
    visit: Visit,
) -> None:
    superadmin = visit(ROOT, "admin")
    page = superadmin.go("/fleet/?plugin=announcements", "admin")
    keys = Keyboard(page)
    superadmin.look("fleet")
    keys.press("Space", page.get_by_role("checkbox", name="Choose Globex"))
    keys.press("Enter", page.get_by_role("button", name="See what it would do"))
    expect(page.get_by_role("heading", name="Enable: Announcements")).to_be_visible()
    superadmin.look("fleet-preview")
    keys.press("Enter", page.get_by_role("button", name="Do it in 1 organisation"))
    expect(page.get_by_text("That was all: 1 organisation.")).to_be_visible()
    superadmin.look("fleet-results")
    superadmin.go("/settings/", "admin")
    superadmin.look("platform-settings")


def test_an_organisation_is_suspended_with_a_message_and_goes_on(visit: Visit, demo: Demo) -> None:
    superadmin, owner = visit(ROOT, "admin"), visit(GIL, "globex")
    page = superadmin.go("/tenants/", "admin")
    superadmin.look("organisations")
    page.get_by_role("link", name="Globex Corporation").click()
    page.locator("summary", has_text="Suspend Globex Corporation…").click()
    page.get_by_label("Message").fill("Unpaid since spring.")
    superadmin.look("suspend")
    page.get_by_role("button", name="Suspend it now").click()
    expect(page.get_by_text("suspended").first).to_be_visible()
    answer = owner.page.goto(demo.url("/", "globex"))
    assert answer is not None
    assert answer.status == 503
    expect(owner.page.get_by_text("Unpaid since spring.")).to_be_visible()
    owner.look("suspended-as-its-owner-sees-it")
    owner.complaints.clear()  # Chromium notes the 503 down
    page.get_by_role("button", name="Serve it again").click()
    superadmin.look("organisation")
    owner.go("/", "globex")
    expect(owner.page.get_by_role("heading", name="Globex Corporation")).to_be_visible()
