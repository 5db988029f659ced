"""The tour that `make demo` prints, walked by a person with a browser: everything it says works."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from saas.testing.waiting import wait_until
from tests.browser.conftest import PASSWORD, Demo, Visitor


def register(visitor: Visitor, host: str, email: str, name: str) -> None:
    page = visitor.go("/register/", host)
    page.get_by_label("Your name").fill(name)
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD + " 9")
    page.get_by_role("button", name="Register").click()
    page.wait_for_url("**/accounts/confirm-email/")


def code_for(demo: Demo, email: str) -> str:
    """The confirmation code that the platform has mailed."""
    mails = wait_until(lambda: [row for row in demo.inbox(platform=True) if row["to"] == email], what="the code")
    found = re.search(r"^\s*([A-Z0-9]{3,4}-?[A-Z0-9]{3,4})\s*$", mails[0]["text"], re.MULTILINE)
    assert found is not None, mails[0]["text"]
    return found[1]


def make_order(page: Page, visitor: Visitor, customer: str) -> None:
    visitor.go("/apps/orders/new/", "acme")
    page.get_by_label("Customer").fill(customer)
    page.get_by_label("E-mail address").fill(f"{customer.lower()}@customer.example")
    page.get_by_label("Description").first.fill("A rocket")
    page.get_by_label("Quantity").first.fill("2")
    page.get_by_label("Price").first.fill("12.50")
    page.get_by_role("button", name="Save draft").last.click()
    page.get_by_role("button", name="Confirm order").click()
    expect(page.get_by_text("Confirmed").first).to_be_visible()


@pytest.mark.xdist_group("demo")
def test_somebody_registers_at_acme_and_two_plugins_tell_the_world(visitor: Visitor) -> None:
    register(visitor, "acme", "nia@new.example", "Nia New")
    visitor.look("confirm-address")
    arrived = visitor.demo.wait_for(2, "acme", "nia@new.example")
    assert {row["kind"] for row in arrived} == {"email", "webhook"}
    mail = next(row for row in arrived if row["kind"] == "email")
    assert mail["to"] == "nia@new.example"
    assert "Nia New" in mail["text"]
    assert "Nia New" in mail["html"]
    visitor.page.get_by_label("Code").fill(code_for(visitor.demo, "nia@new.example"))
    visitor.page.get_by_role("button", name="Confirm").click()
    visitor.page.wait_for_url("**/")
    expect(visitor.page.get_by_role("heading", name="Acme Rockets")).to_be_visible()
    visitor.look("dashboard-of-a-member")
    expect(visitor.page.get_by_role("link", name="Plugins")).to_have_count(0)
    visitor.go("/inbox/")
    expect(visitor.page.get_by_text("nia@new.example").first).to_be_visible()
    visitor.look("inbox")


@pytest.mark.xdist_group("demo")
def test_the_organisation_next_door_which_enabled_nothing_triggers_nothing(visitor: Visitor) -> None:
    register(visitor, "globex", "nat@next.example", "Nat Next")
    code_for(visitor.demo, "nat@next.example")
    register(visitor, "acme", "after@new.example", "After")
    visitor.demo.wait_for(2, "acme", "after@new.example")  # by now globex's would have arrived
    assert [row for row in visitor.demo.inbox() if row["tenant"] == "globex" or "nat@next" in str(row)] == []


@pytest.mark.xdist_group("demo")
def test_an_admin_confirms_an_order_and_changes_what_happens_then(visitor: Visitor) -> None:
    page = visitor.page
    visitor.sign_in("ada@acme.example", "acme")
    visitor.look("dashboard")
    make_order(page, visitor, "Wile")
    visitor.look("order")
    arrived = visitor.demo.wait_for(2, "acme", "Wile")
    assert {row["kind"] for row in arrived} == {"email", "webhook"}
    assert next(row for row in arrived if row["kind"] == "webhook")["to"] == "#launches"

    visitor.go("/settings/plugins/", "acme")
    visitor.look("plugins")
    page.get_by_role("link", name="Slack notifications", exact=True).click()
    page.get_by_label("Channel").fill("#sales")
    page.get_by_role("button", name="Test connection").click()
    expect(page.get_by_text("Slack took a test message")).to_be_visible()
    visitor.look("slack-tested")
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_label("Channel")).to_have_value("#sales")
    make_order(page, visitor, "Acmella")
    assert next(r for r in visitor.demo.wait_for(2, "acme", "Acmella") if r["kind"] == "webhook")["to"] == "#sales"

    visitor.go("/settings/plugins/slack_notifications/", "acme")
    page.get_by_role("link", name="Disable…").click()
    visitor.look("confirm-disable")
    page.get_by_role("button", name="Disable").click()
    make_order(page, visitor, "Coyote")
    only = visitor.demo.wait_for(1, "acme", "Coyote")
    assert [row["kind"] for row in only] == ["email"]

    visitor.go("/settings/plugins/slack_notifications/", "acme")
    page.get_by_role("link", name="Enable…").click()
    visitor.look("confirm-enable")
    page.get_by_role("button", name="Enable").click()
    expect(page.get_by_label("Channel")).to_have_value("#sales")


@pytest.mark.xdist_group("demo")
def test_a_wrong_mail_password_ends_in_a_failed_delivery_with_a_plain_reason(visitor: Visitor) -> None:
    page = visitor.page
    visitor.sign_in("ada@acme.example", "acme")
    visitor.go("/settings/plugins/email_notifications/", "acme")
    page.get_by_text("Replace…").click()
    page.get_by_label("Password").first.fill("not the password")
    page.get_by_role("button", name="Test connection").click()
    expect(page.get_by_role("status").or_(page.get_by_role("alert")).first).to_contain_text("password")
    visitor.look("mail-test-failed")
    page.get_by_role("button", name="Save settings").click()
    make_order(page, visitor, "Wrongpass")

    def failed() -> bool:
        visitor.go("/settings/plugins/email_notifications/deliveries/", "acme")
        return page.get_by_text("password").count() > 0

    wait_until(failed, what="the failed delivery")
    visitor.look("deliveries")
    visitor.go("/settings/plugins/email_notifications/", "acme")
    page.get_by_text("Replace…").click()
    page.get_by_label("Password").first.fill(PASSWORD)
    page.get_by_role("button", name="Save settings").click()
    visitor.go("/settings/plugins/email_notifications/deliveries/", "acme")
    page.get_by_role("link", name=re.compile("order_confirmed")).first.click()
    visitor.look("delivery")
    page.get_by_role("button", name=re.compile("again|Redeliver", re.IGNORECASE)).click()
    visitor.demo.wait_for(1, "acme", "wrongpass@customer.example")


@pytest.mark.xdist_group("demo")
def test_the_superadmin_withdraws_a_plugin_and_offers_it_again(visitor: Visitor, demo: Demo) -> None:
    page = visitor.page
    visitor.sign_in("ada@acme.example", "acme")
    visitor.sign_in("root@tenantry.example", "admin")
    visitor.look("console")
    visitor.go("/catalog/orders/", "admin")
    page.get_by_label("Withdrawn").check()
    page.get_by_label("Message").fill("A fault was found; we are on it.")
    visitor.look("catalog-withdraw")
    page.get_by_role("button", name="Withdraw: see whom it hits").click()
    expect(page.get_by_role("link", name="Acme")).to_be_visible()
    visitor.look("catalog-withdraw-hit")
    page.get_by_role("button", name=re.compile("Withdraw it from")).click()
    page.wait_for_load_state()
    gone = page.goto(demo.url("/apps/orders/", "acme"))
    assert gone is not None
    assert gone.status == 404
    visitor.go("/settings/plugins/orders/", "acme")
    expect(page.get_by_text("A fault was found; we are on it.").first).to_be_visible()
    visitor.look("plugin-withdrawn")
    visitor.go("/catalog/orders/", "admin")
    page.get_by_label("Offered to everyone").check()
    page.get_by_role("button", name="Save this decision").click()
    page.wait_for_load_state()
    back = page.goto(demo.url("/apps/orders/", "acme"))
    assert back is not None
    assert back.status == 200
    for path, name in (
        ("/", "console-overview"),
        ("/catalog/", "catalog"),
        ("/tenants/", "tenants"),
        ("/tenants/acme/", "tenant"),
    ):
        visitor.go(path, "admin")
        visitor.look(name)


@pytest.mark.xdist_group("demo")
def test_the_superadmin_enables_a_plugin_in_many_organisations_after_seeing_what_it_does(visitor: Visitor) -> None:
    page = visitor.page
    visitor.sign_in("root@tenantry.example", "admin")
    visitor.go("/fleet/?plugin=announcements", "admin")
    visitor.look("fleet")
    page.get_by_role("checkbox", name="Choose Globex").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="See what it would do").press("Enter")
    expect(page.get_by_role("heading", name="Enable: Announcements")).to_be_visible()
    visitor.look("fleet-preview")
    page.get_by_role("button", name="Do it in 1 organisation").press("Enter")
    expect(page.get_by_text("That was all: 1 organisation.")).to_be_visible()
    visitor.look("fleet-results")
    for name in ("health", "settings"):
        visitor.go(f"/{name}/", "admin")
        visitor.look(f"console-{name}")


@pytest.mark.xdist_group("demo")
def test_a_visitor_signs_an_organisation_up_and_is_its_owner_at_once(visitor: Visitor) -> None:
    page = visitor.go("/")
    visitor.look("landing")
    page.get_by_role("link", name="Sign your organisation up").first.click()
    page.get_by_label("Organisation").fill("Initech & Söhne")
    page.get_by_label("Your name").fill("Bill")
    page.get_by_label("Email").fill("bill@initech.example")
    page.get_by_label("Password").fill("12345")
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("alert")).to_contain_text("Password")
    expect(page.get_by_label("Organisation")).to_have_value("Initech & Söhne")
    visitor.look("signup-error")
    page.get_by_label("Address").fill("acme")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("alert")).to_contain_text("is taken")
    page.get_by_label("Address").fill("")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign up").click()
    page.wait_for_url(re.compile(r"http://initech-sohne\.localhost:\d+/$"))
    expect(page.get_by_role("heading", name="Initech & Söhne")).to_be_visible()
    visitor.look("new-organisation")
    for path, name in (("plugins", "plugins-of-a-newcomer"), ("people", "people"), ("audit", "audit")):
        page.goto(re.sub(r"/$", f"/settings/{path}/", re.sub(r"(localhost:\d+)/.*", r"\1/", page.url)))
        visitor.look(name)
