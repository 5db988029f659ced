"""The plugin author's forms: what a schema declares, as the admin's browser has it; the browser talks to this very process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect

from plugin_framework import configuration
from plugin_framework.audit import SYSTEM
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from saas.testing.people import person
from tenants.models import Tenant
from tests.browser.forms import SETTINGS, Site, fill, save, stored, write
from tests.browser.keyboard import Keyboard
from tests.browser.visitor import NARROW, WIDE
from tests.dummies import pages
from tests.dummies.kitchen_sink import KitchenSink
from tests.integration.site.test_kitchen_sink import FILLED, SAVED

pytestmark = pytest.mark.xdist_group("forms")  # beside the journeys: it needs no demo
WHOLE = {**SAVED, "tags": ["one", "two"], "hour": "14:30:00"}  # the browser's control asks for seconds


@pytest.fixture
def acme(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[TenantRef]:
    """acme, with the plugin. Playwright's event loop runs in this thread and never while Django works; Django cannot know that."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    request.getfixturevalue("committed_db")
    with pages.installed(KitchenSink):
        yield request.getfixturevalue("tenants").acme


@pytest.fixture
def site(acme: TenantRef, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Site]:
    """Its admin's browser."""
    scripts = "plain" not in request.node.name
    context = browser.new_context(java_script_enabled=scripts, reduced_motion="reduce")
    client = request.getfixturevalue("client_for")(acme, person(acme, "admin"))
    found = Site(context.new_page(), client, acme, scripts=scripts)
    yield found
    context.close()
    found.close()
    assert [each for each in found.complaints if "status of 4" not in each] == []


def test_the_whole_form_is_filled_in_found_wrong_and_saved_with_the_keyboard_alone(site: Site) -> None:
    page, keys = site.page, Keyboard(site.page)
    site.go()
    unsaved = page.get_by_text("Not saved yet")
    expect(unsaved).to_have_count(0)
    _filled_in(site, keys)
    save = page.get_by_role("button", name="Save settings")
    saved = page.get_by_text("The settings of Kitchen sink are saved.")
    keys.press("Enter", save)
    summary = page.locator(".form-errors")
    expect(summary).to_contain_text("2 things have to be put right first")
    expect(summary).to_be_focused()
    expect(unsaved).to_be_visible()
    site.look("wrong")
    keys.press("Enter", summary.get_by_role("link", name="Numbers: Count"))
    expect(page.get_by_label("Count")).to_be_focused()
    keys.write("7")
    keys.write("First", page.get_by_label("Label"))
    keys.press("Enter")
    expect(saved).to_be_visible()
    expect(unsaved).to_have_count(0)
    assert stored(site.tenant) == WHOLE, "with the secrets, which were typed once"
    site.look("saved")


def _filled_in(site: Site, keys: Keyboard) -> None:
    """All of it, one of two places wrong; what comes and goes with other fields keeps what was typed."""
    page, unsaved = site.page, site.page.get_by_text("Not saved yet")
    speed, on = page.get_by_label("Speed"), page.get_by_label("Switched on")
    expect(speed).to_be_hidden()
    write(
        page,
        {**{name: value for name, value in FILLED.items() if name != "speed"}, "label": "no capital", "count": "10"},
    )
    expect(unsaved).to_be_visible()
    expect(speed).to_be_visible()
    keys.write("fast", speed)

    # What does not apply is passed by, and keeps what it says.
    keys.press("Space", on)
    expect(speed).to_be_hidden()
    keys.to(page.locator("[name='tags.0']"), key="Tab")
    keys.press("Space", on)
    expect(speed).to_have_value("fast")

    # Another row comes without leaving the page, and what was typed stays, secrets too.
    keys.press("Enter", page.get_by_role("button", name="Add row – Tags"))
    expect(page.locator("[name='tags.1']")).to_be_focused()
    keys.write("two")
    assert page.get_by_label("Password").input_value() == FILLED["password"]
    site.look("filled")


def test_what_is_saved_is_tested_changed_and_put_back_with_the_keyboard_alone(site: Site) -> None:
    page, keys = site.page, Keyboard(site.page)
    with tenant_scope(site.tenant):
        values, secrets = configuration.spec_of("kitchen_sink").schema.split(WHOLE)
        configuration.configure("kitchen_sink", SYSTEM, values, secrets=secrets)
    site.go()
    _another_secret_is_typed(page, keys)
    _what_a_test_finds_comes_in_place(page, keys)
    _leaving_asks_first(page, keys)
    assert stored(site.tenant) == {
        **{name: value for name, value in WHOLE.items() if name != "notes"},
        "password": "another",
    }
    keys.press("Enter", page.get_by_role("link", name="Earlier settings"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("ettings")
    site.look("history")
    keys.press("Enter", page.get_by_role("button", name="Go back to these"))
    expect(page.get_by_text("The settings of Kitchen sink are as they were.")).to_be_visible()
    assert stored(site.tenant)["notes"] == "a\nb"


def _another_secret_is_typed(page: Page, keys: Keyboard) -> None:
    """A saved one says so."""
    unsaved = page.get_by_text("Not saved yet")
    secret = page.locator(".secret", has_text="Password")
    expect(secret.get_by_text("Saved", exact=True)).to_be_visible()
    expect(page.get_by_label("Password", exact=True)).to_be_hidden()
    keys.press("Enter", secret.locator("summary"))
    keys.write("another", page.get_by_label("Password", exact=True))
    expect(unsaved).to_be_visible()


def _what_a_test_finds_comes_in_place(page: Page, keys: Keyboard) -> None:
    """The page stays with all that was typed."""
    page.evaluate("window.stays = true")
    test = page.get_by_role("button", name="Test connection")
    keys.press("Enter", test)
    result = page.locator("#settings-result")
    expect(result).to_contain_text("Asked srv.example.")
    expect(result.locator("[data-focus]")).to_be_focused()
    keys.write("x", page.get_by_label("Count"))
    keys.press("Enter", test)
    expect(result).to_contain_text("Numbers: Count")
    keys.press("Enter", result.get_by_role("link", name="Numbers: Count"))
    keys.write("7")
    keys.press("Enter", page.get_by_role("button", name="Use the default – Notes"))
    expect(page.get_by_label("Notes")).to_have_value("One\nTwo")
    expect(page.get_by_label("Notes")).to_be_focused()
    assert page.evaluate("window.stays") is True
    assert page.get_by_label("Password", exact=True).input_value() == "another"


def _leaving_asks_first(page: Page, keys: Keyboard) -> None:
    """Saving does not."""
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    keys.press("Enter", page.get_by_role("link", name="All plugins"))
    expect(page.get_by_label("Notes")).to_have_value("One\nTwo")
    assert asked == ["beforeunload"]
    keys.press("Enter", page.get_by_role("button", name="Save settings"))
    expect(page.get_by_text("The settings of Kitchen sink are saved.")).to_be_visible()
    assert asked == ["beforeunload"]


def test_of_two_who_save_at_once_the_second_chooses_and_loses_nothing(site: Site) -> None:
    page, tenant = site.page, site.tenant
    with tenant_scope(tenant):
        configuration.configure("kitchen_sink", SYSTEM, {"label": "First", "level": 1, "tags": ["a"]})
    site.go()
    fill(page, {"label": "Mine", "count": "3", "password": "typed once"})
    with tenant_scope(tenant):
        configuration.configure(
            "kitchen_sink", SYSTEM, {"label": "Theirs", "level": 3, "tags": ["a"], "contact": "b@acme.example"}
        )
    save(page, "Somebody else has saved in the meantime")
    chosen = page.locator("input[name^='take:']:checked")
    assert {each.get_attribute("name"): each.get_attribute("value") for each in chosen.all()} == {
        "take:label": "mine", "take:count": "mine", "take:password": "mine", "take:level": "theirs", "take:contact": "theirs",
    }  # fmt: skip
    expect(page.get_by_text("both have changed it")).to_have_count(1)
    site.look("conflict")
    page.locator("[name='take:count'][value='theirs']").check()
    page.get_by_text("Change yours before you save").click()
    page.locator("[name=contact]").fill("c@acme.example")
    page.locator("[name=contact]").press("Tab")
    expect(page.locator("[name='take:contact'][value='mine']")).to_be_checked()
    site.look("conflict-open")
    page.get_by_role("button", name="Save what is chosen").first.click()
    expect(page.get_by_text("The settings of Kitchen sink are saved.")).to_be_visible()
    assert stored(tenant) == {
        "label": "Mine", "level": 3, "tags": ["a"], "contact": "c@acme.example", "password": "typed once",
    }  # fmt: skip


@pytest.mark.parametrize("width", [WIDE, NARROW])
@pytest.mark.parametrize("browsed", ["scripted", "plain"])
def test_the_second_of_two_chooses_and_mends_with_the_keyboard_alone(site: Site, browsed: str, width: int) -> None:
    page, tenant, keys = site.page, site.tenant, Keyboard(site.page)
    with tenant_scope(tenant):
        configuration.configure("kitchen_sink", SYSTEM, {"label": "First", "level": 1, "tags": ["a"]})
    page.set_viewport_size({"width": width, "height": 900})
    site.go()
    write(page, {"label": "Mine", "count": "3", "password": "typed once"})
    with tenant_scope(tenant):
        configuration.configure(
            "kitchen_sink", SYSTEM, {"label": "Theirs", "level": 3, "tags": ["a"], "contact": "b@acme.example"}
        )
    keys.press("Enter", page.get_by_role("button", name="Save settings"))
    expect(page.get_by_role("heading", level=1, name="Somebody else has saved in the meantime")).to_be_visible()
    choose_with_arrows(page, keys)
    mend_and_save(site, keys, f"conflict-by-keyboard-{browsed}-{width}", scripts=browsed == "scripted", width=width)
    assert stored(tenant) == {
        "label": "Mine", "count": 9, "level": 1, "tags": ["a"], "contact": "c@acme.example", "password": "typed once",
    }  # fmt: skip


def choose_with_arrows(page: Page, keys: Keyboard) -> None:
    """One stop for each field, which says what it is about; the arrows go from one version to the other."""
    theirs = page.get_by_role("radio", name="Keep this – Label")
    keys.to(page.get_by_role("radio", name="Take this – Label"))
    page.keyboard.press("ArrowUp")
    expect(theirs).to_be_checked()
    expect(theirs).to_be_focused()
    page.keyboard.press("ArrowDown")
    keys.to(page.get_by_role("radio", name="Keep this – Choices: Level"))
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="Take this – Choices: Level")).to_be_checked()


def mend_and_save(site: Site, keys: Keyboard, step: str, *, scripts: bool, width: int) -> None:
    """What is left to do stands behind the choice: save, drop, or change; and back again."""
    page = site.page
    save_it, change = (
        page.get_by_role("button", name="Save what is chosen"),
        page.locator("summary", has_text="Change yours"),
    )
    keys.to(save_it.first)
    keys.to(page.get_by_role("link", name="Keep what is saved, drop mine"))
    keys.press("Enter", change)
    keys.write("9", page.get_by_role("textbox", name="Count"))
    keys.to(page.get_by_role("textbox", name="Contact"), key="Shift+Tab")
    keys.write("c@acme.example")
    site.look(step)
    page.set_viewport_size({"width": width, "height": 900})
    page.keyboard.press("Tab")  # with scripts, who leaves a field that they have changed has chosen theirs
    keys.to(page.locator("[name='take:contact']:checked"), key="Shift+Tab")
    if not scripts:
        page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="Take this – Formats: Contact")).to_be_checked()
    assert save_it.count() == 2, "who has mended theirs need not go back for it"
    keys.to(save_it.first)
    keys.press("Enter", save_it.last)
    expect(page.get_by_text("The settings of Kitchen sink are saved.")).to_be_visible()


def test_a_name_of_one_long_word_makes_no_page_wider_than_the_window(site: Site) -> None:
    with public_scope():
        Tenant.objects.filter(slug="acme").update(name="Donaudampf" * 10)
    for path in ("/", "/settings/people/", "/settings/organisation/", f"{SETTINGS}enable/"):
        site.go(path)
        expect(site.page.locator(".rail-name")).to_have_text("Donaudampf" * 10)
        site.look("long-name")


def test_a_plain_browser_without_scripts_does_all_of_it_too(site: Site) -> None:
    page = site.page
    site.go()
    expect(page.get_by_text("Only when “Switched on” is ticked and “Level” is “Middle” or “High”.")).to_be_visible()
    fill(page, FILLED)
    page.get_by_role("button", name="Add row – Tags").click()
    page.locator("[name='tags.1']").fill("two")
    page.get_by_role("button", name="Test connection").click()
    expect(page.get_by_text("Asked srv.example.")).to_be_visible()
    save(page)
    assert stored(site.tenant) == {**SAVED, "tags": ["one", "two"]}
    page.get_by_role("button", name="Use the default – Notes").click()
    expect(page.get_by_label("Notes")).to_have_value("One\nTwo")
    page.get_by_role("button", name="Fill in all the defaults").click()
    expect(page.get_by_text("The form shows the defaults.")).to_be_visible()
    save(page)
    assert stored(site.tenant)["label"] == "First"
    assert "count" not in stored(site.tenant)


def test_a_plain_browser_is_led_to_what_came_of_a_form_however_far_down_the_page(site: Site) -> None:
    page = site.page
    page.set_viewport_size({"width": NARROW, "height": 900})
    wrong, came_of_it = page.locator(".form-errors"), page.locator("main [data-focus]")
    site.go(f"{SETTINGS}enable/")
    page.get_by_role("button", name="Agree and enable").click()
    expect(wrong).to_be_focused()
    expect(wrong).to_be_in_viewport()
    site.go()
    fill(page, {"label": "no capital", "tags.0": "one"})
    page.get_by_role("button", name="Save settings").click()
    expect(wrong).to_be_focused()
    expect(wrong).to_be_in_viewport()
    wrong.get_by_role("link", name="Label").click()
    expect(page.get_by_label("Label")).to_be_in_viewport()
    fill(page, {"label": "First", "count": "7"})
    page.get_by_role("button", name="Test connection").click()
    expect(came_of_it).to_be_focused()
    expect(came_of_it).to_be_in_viewport()
    save(page)
    page.get_by_role("button", name="Fill in all the defaults").click()
    expect(came_of_it).to_be_focused()
    expect(came_of_it).to_be_in_viewport()
