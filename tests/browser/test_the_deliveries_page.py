"""The deliveries page as an admin watches it: it keeps itself up to date, and stops when there is nothing to wait for."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from saas.testing.waiting import wait_until
from tests.browser.conftest import PASSWORD, Visitor
from tests.browser.shifts import moved, watch
from tests.browser.test_the_tour import make_order

MAIL = "/settings/plugins/email_notifications/"
LEFTS = "[...document.querySelectorAll('.table-deliveries thead th')].map((cell) => cell.getBoundingClientRect().left)"


def _save_password(visitor: Visitor, password: str) -> None:
    visitor.go(MAIL, "acme")
    visitor.page.get_by_text("Replace…").click()
    visitor.page.get_by_label("Password").first.fill(password)
    visitor.page.get_by_role("button", name="Save settings").click()
    visitor.page.wait_for_load_state()


@pytest.mark.xdist_group("demo")
def test_what_is_delivered_again_arrives_before_the_admins_eyes(visitor: Visitor) -> None:
    page = visitor.page
    visitor.sign_in("ada@acme.example", "acme")
    _save_password(visitor, "not the password")
    make_order(page, visitor, "Livewire")
    listed = f"{MAIL}deliveries/?hook=order_confirmed"

    def failed() -> bool:
        visitor.go(listed, "acme")
        return page.locator("tbody tr").first.get_by_text("password").count() > 0

    wait_until(failed, what="the failed delivery")
    _save_password(visitor, PASSWORD)
    visitor.go(listed, "acme")
    number = page.get_by_role("checkbox").first.get_attribute("value")
    page.get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Deliver chosen again…").click()
    expect(page.get_by_role("heading", name="Deliver 1 event again?")).to_be_visible()
    visitor.look("redeliver")
    page.get_by_role("button", name="Deliver 1 again").click()
    page.wait_for_url(f"**{MAIL}deliveries/")
    page.evaluate("window.stayed = true")
    watch(page)
    before = page.evaluate(LEFTS)
    row = page.locator("tr", has=page.locator(f"#pick-{number}, a[href$='/{number}/']"))
    expect(row).to_contain_text("Delivered")
    expect(page.locator("[hx-trigger]")).to_have_count(0)
    assert page.evaluate("window.stayed"), "nobody reloaded the page"
    assert page.evaluate(LEFTS) == before, "the columns stay where they are"
    assert moved(page) == []
    visitor.demo.wait_for(1, "acme", "livewire@customer.example")
    visitor.go("/settings/deliveries/?state=done", "acme")
    visitor.look("all-deliveries")
    row.get_by_role("link", name=re.compile("order_confirmed")).click()
    expect(page.get_by_text("Idempotency key")).to_be_visible()
    visitor.look("delivery-done")
