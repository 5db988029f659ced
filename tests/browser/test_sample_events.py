"""An admin sees what a plugin does with an event: chosen on a page, delivered by the worker, marked as a sample."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visitor

pytestmark = pytest.mark.xdist_group("demo")
ADMIN, HOST = "ada@acme.example", "acme"


def test_a_sample_is_chosen_with_the_keyboard_and_arrives(visitor: Visitor) -> None:
    visitor.sign_in(ADMIN, HOST)
    page = visitor.go("/settings/plugins/email_notifications/", HOST)
    page.get_by_role("link", name="Send a sample event").press("Enter")
    page.get_by_label("An order was confirmed.").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("An account was made in this organisation.")).to_be_checked()
    page.keyboard.press("ArrowUp")
    visitor.look("sample")
    page.keyboard.press("Enter")
    page.get_by_text("A sample of order_confirmed is on its way to E-mail notifications.").wait_for()
    expect(page.locator("#delivery-live").get_by_text("Delivered", exact=True).first).to_be_visible()
    expect(page.get_by_text("Sample", exact=True).first).to_be_visible()
    visitor.look("sample-delivered")
    visitor.demo.wait_for(1, HOST, "Sample: Your order 0 is confirmed")
    visitor.go("/settings/audit/", HOST)
    expect(page.get_by_text("sent a sample event to").first).to_be_visible()
