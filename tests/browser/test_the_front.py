"""The first pages: what a visitor sees, signing up, and the dashboard of a new organisation."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import PASSWORD, Demo, Visitor
from tests.browser.shifts import moved, watch


@pytest.fixture
def plain(demo: Demo, browser: Browser) -> Iterator[Visitor]:
    """A visitor whose browser runs no JavaScript, and asks for German."""
    context = browser.new_context(java_script_enabled=False, locale="de-DE")
    yield Visitor(demo, context, "plain", scripts=False)
    context.close()


@pytest.mark.xdist_group("demo")
def test_a_visitor_signs_up_and_is_led_to_the_first_steps(visitor: Visitor, demo: Demo) -> None:
    page = visitor.page
    visitor.go("/")
    pictures = page.locator("picture img")
    expect(pictures).to_have_count(3)
    for number in range(3):
        pictures.nth(number).scroll_into_view_if_needed()
        page.wait_for_function(
            "(image) => image.complete && image.naturalWidth > 0", arg=pictures.nth(number).element_handle()
        )
    visitor.look("landing")
    page.get_by_role("link", name="Sign your organisation up").first.click()

    page.keyboard.press("Tab")  # the keyboard alone: past the link to the content and the masthead
    page.get_by_label("Organisation").focus()
    page.keyboard.type("Söhne & Töchter 3rd")
    expect(page.get_by_label("Address")).to_have_value("sohne-tochter-3rd")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("Sonja Sohn")
    page.keyboard.press("Tab")
    page.keyboard.type("sonja@sohne.example")
    page.keyboard.press("Tab")
    page.keyboard.type("short")
    page.keyboard.press("Enter")
    expect(page.locator(".form-errors")).to_be_focused()
    expect(page.get_by_label("Organisation")).to_have_value("Söhne & Töchter 3rd")
    visitor.look("signup-errors")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**sohne-tochter-3rd.localhost**/")
    expect(page.get_by_role("heading", name="First steps")).to_be_visible()
    visitor.look("first-steps")
    page.get_by_role("button", name="Hide this list").click()
    expect(page.get_by_role("heading", name="First steps")).to_have_count(0)
    page.get_by_role("button", name="Show the first steps").click()
    expect(page.get_by_role("heading", name="First steps")).to_be_visible()


@pytest.mark.xdist_group("demo")
def test_without_javascript_a_german_signs_up_and_reads_german(plain: Visitor) -> None:
    page = plain.page
    plain.go("/signup/")
    page.get_by_label("Organisation", exact=True).fill("Bäckerei Brandt")
    page.get_by_label("Ihr Name").fill("Bea Brandt")
    page.get_by_label("E-Mail").fill("bea@brandt.example")
    page.get_by_label("Passwort").fill(PASSWORD)
    page.get_by_role("button", name="Organisation registrieren").click()
    page.wait_for_url("**backerei-brandt.localhost**/")
    expect(page.get_by_role("heading", name="Erste Schritte")).to_be_visible()
    plain.look("first-steps-german")


@pytest.mark.xdist_group("demo")
def test_the_browser_runs_no_script_and_no_style_that_is_not_ours(visitor: Visitor) -> None:
    visitor.sign_in("ada@acme.example", "acme")
    page = visitor.page
    assert visitor.complaints == []
    page.evaluate(
        """() => {
          const script = document.createElement("script");
          script.textContent = "window.intruded = true";
          document.body.append(script);
          document.body.setAttribute("style", "color: red");
        }"""
    )
    assert page.evaluate("window.intruded") is None
    assert page.evaluate("getComputedStyle(document.body).color") != "rgb(255, 0, 0)"
    assert len([said for said in visitor.complaints if "Content Security Policy" in said]) == 2
    visitor.complaints.clear()


@pytest.mark.xdist_group("demo")
def test_nothing_moves_while_the_inbox_keeps_itself_up_to_date(visitor: Visitor) -> None:
    visitor.go("/inbox/")
    page = visitor.page
    watch(page)
    with page.expect_response("**/inbox/**"):
        pass
    assert moved(page) == []
