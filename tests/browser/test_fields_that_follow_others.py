"""Fields that are there only while others say so, in a page that has nothing but the form, its script and its looks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.http import QueryDict
from playwright.sync_api import Browser, Page, Route, expect

from saas.site.settings_form import SettingsForm
from tests.browser.running_demo import ROOT
from tests.support.settings_forms import TEXT, form_of

pytestmark = pytest.mark.xdist_group("forms")
STATIC = ROOT / "saas" / "static"


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
