"""The plugin author's forms: what a schema declares, as the admin's browser has it; the browser talks to this very process."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.staticfiles import finders
from django.db import connections
from django.http import QueryDict
from django.test import Client
from playwright.sync_api import Browser, Dialog, Page, Route, expect

from plugin_framework import configuration, settings_store
from plugin_framework.audit import SYSTEM
from plugin_framework.tenancy import TenantRef, public_scope, tenant_scope
from saas.site.settings_form import SettingsForm
from saas.testing.people import person
from tenants.models import Tenant
from tests.browser.keyboard import Keyboard
from tests.browser.running_demo import ROOT
from tests.browser.visitor import NARROW, WIDE, look_at
from tests.dummies import pages
from tests.dummies.kitchen_sink import KitchenSink
from tests.integration.site.test_kitchen_sink import FILLED, SAVED
from tests.support.settings_forms import TEXT, form_of

pytestmark = pytest.mark.xdist_group("forms")  # beside the journeys: it needs no demo
SETTINGS = "/settings/plugins/kitchen_sink/"
TYPED = {"2026-01-31": "01312026", "14:30": "023000PM"}  # into the parts of the controls that browsers have for them
STATIC = ROOT / "saas" / "static"


class Site:
    """An organisation's pages as its admin's browser has them: every request is answered by Django's test client.

    In a thread of its own: in this one Playwright's event loop would give each answer another connection to the database.
    """

    def __init__(self, page: Page, client: Client, tenant: TenantRef, *, scripts: bool) -> None:
        self.page, self.tenant, self._client, self.scripts = page, tenant, client, scripts
        self.complaints: list[str] = []
        self._server = ThreadPoolExecutor(1)
        page.set_default_timeout(10_000)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        page.route("**/*", self._answer)

    def close(self) -> None:
        """Let go of the thread and its connection."""
        self._server.submit(connections.close_all).result()
        self._server.shutdown()

    def go(self, path: str = SETTINGS) -> None:
        self.page.goto(f"http://{self.tenant.host}{path}")

    def look(self, step: str) -> None:
        """Keep pictures of a step, and see that it keeps nobody out."""
        look_at(self.page, "the-plugin-authors-forms", step, scripts=self.scripts)

    def _answer(self, route: Route) -> None:
        asked, url = route.request, urlsplit(route.request.url)
        if url.path.startswith("/static/"):
            found = finders.find(url.path.removeprefix("/static/"))
            assert isinstance(found, str), url.path
            return route.fulfill(path=Path(found))
        headers = {name: value for name, value in asked.headers.items() if name.startswith("hx-")}
        where: dict[str, Any] = {"headers": headers, "follow": True}
        if asked.method == "POST":
            kind, body = asked.headers["content-type"], asked.post_data_buffer or b""
            going = self._server.submit(self._client.post, url.path, body, content_type=kind, **where)
        else:
            going = self._server.submit(self._client.get, f"{url.path}?{url.query}", **where)
        answer: Any = going.result()
        return route.fulfill(
            status=answer.status_code, body=answer.content, headers={"content-type": answer["Content-Type"]}
        )


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


def fill(page: Page, values: dict[str, Any]) -> None:
    """Type, choose and tick, as the control of each field wants it."""
    for name, value in values.items():
        found = page.locator(f"[name='{name}']:not([type=hidden])")
        match found.first.get_attribute("type") or found.first.evaluate("(each) => each.tagName"):
            case "radio":
                page.locator(f"[name='{name}'][value='{value}']").check()
            case "checkbox" if isinstance(value, list):
                for box in found.all():
                    box.set_checked(box.get_attribute("value") in value)
            case "checkbox":
                found.set_checked(value == "on")
            case "SELECT":
                found.select_option(value)
            case _:
                found.fill(value)


def stored(tenant: TenantRef) -> dict[str, Any]:
    with tenant_scope(tenant):
        spec = configuration.spec_of("kitchen_sink")
        return settings_store.open_secrets(spec.schema, spec.name, settings_store.stored(spec.name))


def save(page: Page, said: str = "The settings of Kitchen sink are saved.") -> None:
    page.get_by_role("button", name="Save settings").click()
    expect(page.get_by_text(said)).to_be_visible()


def write(page: Page, values: dict[str, Any]) -> None:
    """The same with the keyboard alone, from top to bottom."""
    keys = Keyboard(page)
    drawn = page.locator("form [name]").evaluate_all("(all) => all.map((each) => each.name)")
    for name in sorted(values, key=drawn.index):
        value, found = values[name], page.locator(f"[name='{name}']:not([type=hidden])")
        match found.first.get_attribute("type") or found.first.evaluate("(each) => each.tagName"):
            case "radio":
                chosen = page.locator(f"[name='{name}']:checked")
                keys.to(chosen if chosen.count() else found.first)
                for _ in found.all():
                    if page.locator(f"[name='{name}'][value='{value}']").is_checked():
                        break
                    keys.press("ArrowDown")
            case "checkbox":
                for box in found.all():
                    wanted = box.get_attribute("value") in (value if isinstance(value, list) else [value])
                    if box.is_checked() != wanted:
                        keys.press("Space", box)
            case "SELECT":
                keys.to(found)
                page.keyboard.type(found.locator(f"option[value='{value}']").inner_text())
            case "date" | "time":
                keys.to(found)
                page.keyboard.type(TYPED[value])
            case _:
                keys.write(value, found)


def test_the_whole_form_is_filled_in_found_wrong_saved_put_back_and_restored_with_the_keyboard_alone(
    site: Site,
) -> None:
    page, keys = site.page, Keyboard(site.page)
    site.go()
    unsaved = page.get_by_text("Not saved yet")
    expect(unsaved).to_have_count(0)
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
    keys.to(page.locator("[name='tags.0']"))
    keys.press("Space", on)
    expect(speed).to_have_value("fast")

    # Another row comes without leaving the page, and what was typed stays, secrets too.
    keys.press("Enter", page.get_by_role("button", name="Add row – Tags"))
    expect(page.locator("[name='tags.1']")).to_be_focused()
    keys.write("two")
    assert page.get_by_label("Password").input_value() == FILLED["password"]
    site.look("filled")

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
    whole = {**SAVED, "tags": ["one", "two"], "hour": "14:30:00"}  # the browser's control asks for seconds too
    assert stored(site.tenant) == whole, "with the secrets, which were typed once"
    site.look("saved")

    # A saved secret says so; another one can be typed.
    secret = page.locator(".secret", has_text="Password")
    expect(secret.get_by_text("Saved", exact=True)).to_be_visible()
    expect(page.get_by_label("Password", exact=True)).to_be_hidden()
    keys.press("Enter", secret.locator("summary"))
    keys.write("another", page.get_by_label("Password", exact=True))
    expect(unsaved).to_be_visible()

    # What a test finds comes in place, and the page stays with all that was typed.
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

    # Leaving asks first.
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    keys.press("Enter", page.get_by_role("link", name="All plugins"))
    expect(page.get_by_label("Notes")).to_have_value("One\nTwo")
    assert asked == ["beforeunload"]
    keys.press("Enter", save)
    expect(saved).to_be_visible()
    assert asked == ["beforeunload"]
    assert stored(site.tenant) == {
        **{name: value for name, value in whole.items() if name != "notes"},
        "password": "another",
    }

    keys.press("Enter", page.get_by_role("link", name="Earlier settings"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("ettings")
    site.look("history")
    keys.press("Enter", page.get_by_role("button", name="Go back to these"))
    expect(page.get_by_text("The settings of Kitchen sink are as they were.")).to_be_visible()
    assert stored(site.tenant)["notes"] == "a\nb"


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

    # One stop for each field, which says what it is about; the arrows go from one version to the other.
    theirs = page.get_by_role("radio", name="Keep this – Label")
    keys.to(page.get_by_role("radio", name="Take this – Label"))
    page.keyboard.press("ArrowUp")
    expect(theirs).to_be_checked()
    expect(theirs).to_be_focused()
    page.keyboard.press("ArrowDown")
    keys.to(page.get_by_role("radio", name="Keep this – Choices: Level"))
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="Take this – Choices: Level")).to_be_checked()

    # What is left to do stands behind it: save, drop, or change; and back again.
    save, change = (
        page.get_by_role("button", name="Save what is chosen"),
        page.locator("summary", has_text="Change yours"),
    )
    keys.to(save.first)
    keys.to(page.get_by_role("link", name="Keep what is saved, drop mine"))
    keys.press("Enter", change)
    keys.write("9", page.get_by_role("textbox", name="Count"))
    keys.to(page.get_by_role("textbox", name="Contact"), key="Shift+Tab")
    keys.write("c@acme.example")
    site.look(f"conflict-by-keyboard-{browsed}-{width}")
    page.set_viewport_size({"width": width, "height": 900})
    page.keyboard.press("Tab")  # with scripts, who leaves a field that they have changed has chosen theirs
    keys.to(page.locator("[name='take:contact']:checked"), key="Shift+Tab")
    if browsed == "plain":
        page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="Take this – Formats: Contact")).to_be_checked()
    assert save.count() == 2, "who has mended theirs need not go back for it"
    keys.to(save.first)
    keys.press("Enter", save.last)
    expect(page.get_by_text("The settings of Kitchen sink are saved.")).to_be_visible()
    assert stored(tenant) == {
        "label": "Mine", "count": 9, "level": 1, "tags": ["a"], "contact": "c@acme.example", "password": "typed once",
    }  # fmt: skip


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


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page without a server."""
    context = browser.new_context()
    yield context.new_page()
    context.close()


def draw(page: Page, form: SettingsForm) -> None:
    """Open a page that has nothing but the form, its script and its looks."""
    styles = "".join(f'<link rel="stylesheet" href="/static/tenantry/{name}.css">' for name in ("base", "forms"))
    inside = f'<form class="settings-form" action="/">{form}<button id="send">Send</button></form>'
    text = f"<!doctype html>{styles}{inside}"

    def answer(route: Route) -> None:
        path = Path(route.request.url.partition("/static/")[2].partition("?")[0])
        if path.suffix in {".css", ".js"}:
            route.fulfill(path=STATIC / path)
        else:
            route.fulfill(body=text, content_type="text/html; charset=utf-8")

    page.route("**/*", answer)
    page.goto("http://form.example/")


def shown(page: Page) -> set[str]:
    """The names of the controls that can be seen."""
    found = page.locator("input:visible, select:visible, textarea:visible")
    return set(found.evaluate_all("(all) => all.map((each) => each.name)"))


def test_fields_follow_each_kind_of_control_through_chains_groups_and_rows(page: Page) -> None:
    def when(**wanted: Any) -> dict[str, Any]:
        return {"x-show-if": wanted}

    letters = {"enum": list("abcdef")}
    inside = {"box": {"type": "boolean"}, "inner": {**TEXT, **when(box=True)}}
    fields: dict[str, Any] = {
        "few": {"enum": ["one", "two", "ü'\""], "default": "one"},
        "many": {**letters, **when(few="two")},
        "chained": {**TEXT, **when(many=["b", "c"])},
        "odd": {**TEXT, **when(few="ü'\"")},
        "box": {"type": "boolean", "default": True},
        "unless": {**TEXT, **when(box=False)},
        "group": {"type": "object", "properties": inside, **when(box=True)},
        "rows": {"type": "array", "items": {"type": "object", "properties": inside}, **when(box=True)},
        "locked": {"type": "boolean", "default": False, "readOnly": True},
        "off": {**TEXT, **when(locked=False)},
        "on": {**TEXT, **when(locked=True)},
        "lonely": {**TEXT, "x-group": "A section", **when(few="two")},
    }
    draw(page, form_of(fields))
    with_box = {"group.box", "rows.0.box"}
    always = {"few", "box", "locked", "off"}
    assert shown(page) == always | with_box
    expect(page.get_by_text("A section")).to_be_hidden()
    page.get_by_label("two").check()
    assert shown(page) == always | with_box | {"many", "lonely"}
    expect(page.get_by_text("A section")).to_be_visible()
    page.get_by_label("Many").select_option("c")
    assert shown(page) == always | with_box | {"many", "chained", "lonely"}
    page.get_by_label("Chained").fill("kept")
    page.get_by_label("ü'\"").check()
    assert shown(page) == always | with_box | {"odd"}  # what waits for "many" goes with it
    page.locator("[name='group.box'][type=checkbox]").check()
    page.locator("[name='rows.0.box'][type=checkbox]").check()
    assert shown(page) == always | with_box | {"odd", "group.inner", "rows.0.inner"}
    page.locator("[name=box][type=checkbox]").uncheck()
    assert shown(page) == always | {"odd", "unless"}
    page.locator("#send").click()
    page.wait_for_url("**chained=kept**")  # and all others are sent too
    for name in ("many=c", "group.box=on", "rows.0.inner="):
        assert name in page.url


def test_what_the_server_finds_wrong_in_a_field_that_does_not_apply_stays_in_sight(page: Page) -> None:
    fields = {"box": {"type": "boolean"}, "short": {**TEXT, "maxLength": 3, "x-show-if": {"box": True}}}
    draw(page, form_of(fields))
    assert shown(page) == {"box"}
    draw(page, form_of(fields, data=QueryDict("box=off&short=longer")))
    assert shown(page) == {"box", "short"}
    expect(page.get_by_text("Only when “Box” is ticked.")).to_be_visible()


def test_what_the_browser_finds_wrong_in_a_hidden_field_is_shown(page: Page) -> None:
    mail = {**TEXT, "format": "email", "x-show-if": {"box": True}}
    draw(page, form_of({"box": {"type": "boolean", "default": True}, "mail": mail}))
    page.get_by_label("Mail").fill("nonsense")
    page.get_by_label("Box").uncheck()
    assert shown(page) == {"box"}
    page.locator("#send").click()
    assert shown(page) == {"box", "mail"}
    assert page.evaluate("document.activeElement.name") == "mail"
