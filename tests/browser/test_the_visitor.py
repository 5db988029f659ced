"""The visitor's journey: reads what this is, signs an organisation up with the keyboard alone, and is its owner at once."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.keyboard import Keyboard
from tests.browser.visitor import PASSWORD

pytestmark = pytest.mark.xdist_group("demo")


def _let_pictures_come(page: Page) -> None:
    pictures = page.locator("picture img")
    expect(pictures).to_have_count(3)
    for each in pictures.all():
        each.scroll_into_view_if_needed()
        page.wait_for_function("(image) => image.complete && image.naturalWidth > 0", arg=each.element_handle())


def test_a_visitor_signs_up_with_the_keyboard_alone_and_is_led_to_the_first_steps(visit: Visit) -> None:
    visitor = visit()
    page = visitor.go("/")
    keys = Keyboard(page)
    _let_pictures_come(page)
    visitor.look("landing", everywhere=True)
    page.evaluate("scrollTo(0, 0)")
    keys.press("Enter", page.get_by_role("link", name="Sign your organisation up").first)
    organisation = page.get_by_label("Organisation", exact=True)
    password, alert = page.get_by_label("Password"), page.locator(".form-errors")
    visitor.look("signup", everywhere=True)

    # What is wrong is told, and nothing that was typed is lost.
    keys.write("Größe & Töchter 3rd", organisation)
    expect(page.get_by_label("Web address")).to_have_value("grosse-tochter-3rd")
    keys.write("acme", page.get_by_label("Web address"))
    keys.write("Sonja Sohn", page.get_by_label("Your name"))
    keys.write("sonja@sohne.example", page.get_by_label("E-mail address"))
    keys.write("short", password)
    keys.press("Enter")
    expect(alert).to_be_focused()
    expect(alert).to_contain_text("Password")
    expect(organisation).to_have_value("Größe & Töchter 3rd")
    visitor.look("signup-wrong")
    keys.press("Enter", alert.get_by_role("link", name="Password").first)
    expect(password).to_be_focused()
    keys.write(PASSWORD)
    keys.press("Enter")
    expect(alert).to_contain_text("is taken")
    keys.press("Enter", alert.get_by_role("link").first)
    keys.write("sohne-tochter-3rd")
    keys.write(PASSWORD, password)
    keys.press("Enter", page.get_by_role("button", name="Sign up"))
    page.wait_for_url(re.compile(r"http://sohne-tochter-3rd\.localhost:\d+/(#.*)?$"))

    expect(page.get_by_role("heading", name="Größe & Töchter 3rd")).to_be_visible()
    first_steps = page.get_by_role("heading", name="First steps")
    expect(first_steps).to_be_visible()
    visitor.look("first-steps", everywhere=True)
    keys.press("Enter", page.get_by_role("button", name="Hide this list"))
    expect(first_steps).to_have_count(0)
    keys.press("Enter", page.get_by_role("button", name="Show the first steps"))
    expect(first_steps).to_be_visible()
    for path in ("plugins", "people", "audit"):
        visitor.go(f"/settings/{path}/", "sohne-tochter-3rd")
        visitor.look(f"{path}-of-a-newcomer")


def test_without_javascript_a_german_signs_up_and_reads_german(visit: Visit) -> None:
    plain = visit(scripts=False, locale="de-DE")
    page = plain.go("/signup/")
    page.get_by_label("Organisation", exact=True).fill("Bäckerei Brandt")
    page.get_by_label("Ihr Name").fill("Bea Brandt")
    page.get_by_label("E-Mail").fill("bea@brandt.example")
    page.get_by_label("Passwort").fill(PASSWORD)
    page.get_by_role("button", name="Organisation registrieren").click()
    page.wait_for_url("**backerei-brandt.localhost**/")
    expect(page.get_by_role("heading", name="Erste Schritte")).to_be_visible()
    plain.look("first-steps-german-without-scripts")


def test_the_browser_runs_no_script_and_no_style_that_is_not_ours(visit: Visit) -> None:
    visitor = visit()
    page = visitor.go("/accounts/login/", "acme")
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
