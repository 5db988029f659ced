"""The settings form of a plugin that uses every part of the schema subset, in a browser that talks to this very process."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.staticfiles import finders
from django.db import connections
from django.test import Client
from playwright.sync_api import Browser, Dialog, Page, Route, expect

from plugin_framework import configuration, settings_store
from plugin_framework.audit import SYSTEM
from plugin_framework.tenancy import TenantRef, tenant_scope
from saas.testing.people import person
from tests.browser.accessibility import barriers
from tests.browser.conftest import SCREENSHOTS
from tests.dummies import pages
from tests.dummies.kitchen_sink import KitchenSink
from tests.integration.site.test_kitchen_sink import FILLED, SAVED

pytestmark = pytest.mark.xdist_group("demo")
SETTINGS = "/settings/plugins/kitchen_sink/"


class Site:
    """An organisation's pages as its admin's browser has them: every request is answered by Django's test client.

    In a thread of its own: in this one Playwright's event loop would give each answer another connection to the database.
    """

    def __init__(self, page: Page, client: Client, tenant: TenantRef) -> None:
        self.page, self.tenant, self._client = page, tenant, client
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

    def look(self, name: str) -> None:
        """Screenshots at both widths and in both colours, nothing too wide, and nobody kept out."""
        SCREENSHOTS.mkdir(exist_ok=True)
        for colours in ("light", "dark"):
            self.page.emulate_media(color_scheme=colours)  # type: ignore[arg-type]  # one of the two that it names
            assert barriers(self.page) == [], f"{name}, {colours}"
            for width in (1280, 390):
                self.page.set_viewport_size({"width": width, "height": 900})
                self.page.screenshot(path=SCREENSHOTS / f"sink-{name}-{width}-{colours}.png", full_page=True)
                assert self.page.evaluate("document.documentElement.scrollWidth") <= width, f"{name} at {width}"
        self.page.emulate_media(color_scheme="light")
        self.page.set_viewport_size({"width": 1280, "height": 900})

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
    found = Site(context.new_page(), client, acme)
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


def test_the_whole_form_is_filled_in_found_wrong_saved_put_back_and_restored(site: Site) -> None:
    page = site.page
    site.go()
    unsaved = page.get_by_text("Not saved yet")
    expect(unsaved).to_have_count(0)
    speed = page.get_by_label("Speed")
    expect(speed).to_be_hidden()
    fill(
        page,
        {**{name: value for name, value in FILLED.items() if name != "speed"}, "label": "no capital", "count": "10"},
    )
    expect(unsaved).to_be_visible()
    expect(speed).to_be_visible()
    speed.fill("fast")

    # Another row comes without leaving the page, and what was typed stays, secrets too.
    page.get_by_role("button", name="Add row – Tags").click()
    expect(page.locator("[name='tags.1']")).to_be_focused()
    page.locator("[name='tags.1']").fill("two")
    assert page.get_by_label("Password").input_value() == FILLED["password"]
    site.look("filled")

    save(page, "2 things have to be put right first")
    summary = page.locator(".form-errors")
    expect(summary).to_be_focused()
    expect(unsaved).to_be_visible()
    site.look("wrong")
    summary.get_by_role("link", name="Numbers: Count").press("Enter")
    expect(page.get_by_label("Count")).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type("7")
    fill(page, {"label": "First"})
    save(page)
    expect(unsaved).to_have_count(0)
    assert stored(site.tenant) == {**SAVED, "tags": ["one", "two"]}, "with the secrets, which were typed once"
    site.look("saved")

    # A saved secret says so; another one can be typed.
    secret = page.locator(".secret", has_text="Password")
    expect(secret.get_by_text("Saved", exact=True)).to_be_visible()
    expect(page.get_by_label("Password", exact=True)).to_be_hidden()
    secret.locator("summary").press("Enter")
    page.get_by_label("Password", exact=True).fill("another")
    expect(unsaved).to_be_visible()

    # What a test finds comes in place, and the page stays with all that was typed.
    page.evaluate("window.stays = true")
    page.get_by_role("button", name="Test connection").click()
    result = page.locator("#settings-result")
    expect(result).to_contain_text("Asked srv.example.")
    expect(result.locator("[data-focus]")).to_be_focused()
    page.get_by_label("Count").fill("x")
    page.get_by_role("button", name="Test connection").click()
    expect(result).to_contain_text("Numbers: Count")
    fill(page, {"count": "7"})
    page.get_by_role("button", name="Use the default – Notes").click()
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
    page.get_by_role("link", name="All plugins").click()
    expect(page.get_by_label("Notes")).to_have_value("One\nTwo")
    assert asked == ["beforeunload"]
    save(page)
    assert asked == ["beforeunload"]
    assert stored(site.tenant) == {
        **{name: value for name, value in SAVED.items() if name != "notes"},
        "tags": ["one", "two"],
        "password": "another",
    }

    page.get_by_role("link", name="Earlier settings").click()
    site.look("history")
    page.get_by_role("button", name="Go back to these").click()
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
    page.get_by_role("button", name="Save what is chosen").click()
    expect(page.get_by_text("The settings of Kitchen sink are saved.")).to_be_visible()
    assert stored(tenant) == {
        "label": "Mine", "level": 3, "tags": ["a"], "contact": "c@acme.example", "password": "typed once",
    }  # fmt: skip


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
