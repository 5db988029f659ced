"""What people of several journeys do on the way."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from saas.testing.waiting import wait_until
from tests.browser.running_demo import Demo
from tests.browser.visitor import PASSWORD, Visitor

ADA, MAX, GIL, ROOT = "ada@acme.example", "max@acme.example", "gil@globex.example", "root@tenantry.example"


def register(visitor: Visitor, host: str, email: str, name: str) -> None:
    """Make an account at an organisation, up to the page that asks for the code from the mail."""
    page = visitor.go("/register/", host)
    page.get_by_label("Your name").fill(name)
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password").fill(PASSWORD + " 9")
    page.get_by_role("button", name="Register").click()
    page.wait_for_url("**/accounts/confirm-email/")


def code_for(demo: Demo, email: str) -> str:
    """The confirmation code that the platform has mailed."""
    mails = wait_until(lambda: [row for row in demo.inbox(platform=True) if row["to"] == email], what="the code")
    found = re.search(r"^\s*([A-Z0-9]{3,4}-?[A-Z0-9]{3,4})\s*$", mails[0]["text"], re.MULTILINE)
    assert found is not None, mails[0]["text"]
    return found[1]


def make_order(visitor: Visitor, customer: str) -> None:
    """Enter an order at acme, and confirm it."""
    page = visitor.go("/apps/orders/new/", "acme")
    page.get_by_label("Customer").fill(customer)
    page.get_by_label("E-mail address").fill(f"{customer.lower()}@customer.example")
    page.get_by_label("Description").first.fill("A rocket")
    page.get_by_label("Quantity").first.fill("2")
    page.get_by_label("Price").first.fill("12.50")
    page.get_by_role("button", name="Save draft").last.click()
    page.get_by_role("button", name="Confirm order").click()
    expect(page.get_by_text("Confirmed").first).to_be_visible()
