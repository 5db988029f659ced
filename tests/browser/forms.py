"""What is done with the forms of plugins' settings in a browser that talks to this very process."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.contrib.staticfiles import finders
from django.db import connections
from django.test import Client
from playwright.sync_api import Page, Route, expect

from plugin_framework import configuration, settings_store
from plugin_framework.tenancy import TenantRef, tenant_scope
from tests.browser.keyboard import Keyboard
from tests.browser.visitor import look_at

SETTINGS = "/settings/plugins/kitchen_sink/"
TYPED = {"2026-01-31": "01312026", "14:30": "023000PM"}  # into the parts of the controls that browsers have for them


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
