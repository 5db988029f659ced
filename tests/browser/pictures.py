"""`python -m tests.browser.pictures FOLDER`: the screenshots of documentation and landing page, of a demo in which something happened."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browser.running_demo import ROOT as ROOT_FOLDER
from tests.browser.running_demo import free_port, start_demo, stop_demo
from tests.browser.small_copies import write_small
from tests.browser.steps import make_order, register
from tests.browser.visitor import Visitor, launched

ADA, ROOT = "ada@acme.example", "root@tenantry.example"
# Name, host, path, who looks.
PICTURES = (
    ("landing", "", "/", ""),
    ("signup", "", "/signup/", ""),
    ("dashboard", "acme", "/", ADA),
    ("plugins", "acme", "/settings/plugins/", ADA),
    ("plugin", "acme", "/settings/plugins/slack_notifications/", ADA),
    ("deliveries", "acme", "/settings/deliveries/", ADA),
    ("people", "acme", "/settings/people/", ADA),
    ("console", "admin", "/", ROOT),
    ("catalog", "admin", "/catalog/", ROOT),
    ("organisation", "admin", "/tenants/acme/", ROOT),
)
LANDING = ("dashboard", "plugin", "deliveries")  # of which the landing page shows small copies, light and dark
SMALL = ROOT_FOLDER / "saas" / "static" / "tenantry" / "pictures"


def main(folder: Path) -> None:
    """Start a demo, let people do something in it, and look at its pages."""
    with tempfile.TemporaryDirectory() as data, sync_playwright() as playwright:
        demo = start_demo(Path(data) / "data", free_port())
        try:
            browser = launched(playwright)
            context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
            blank = browser.new_page()
            visitor = Visitor(demo, context, "pictures")
            _live(visitor)
            seen = ADA
            for name, host, path, who in PICTURES:
                if who and who != seen:
                    visitor.sign_in(who, host)
                    seen = who
                visitor.go(path, host).wait_for_load_state("networkidle")
                visitor.page.screenshot(path=folder / f"{name}.png")
                print(folder / f"{name}.png", flush=True)
                if name in LANDING:
                    _for_the_landing_page(visitor.page, name, blank)
            browser.close()
        finally:
            stop_demo(demo)


def _for_the_landing_page(page: Page, name: str, blank: Page) -> None:
    """In both colours; the page shows the one that the visitor has chosen."""
    for scheme, end in (("light", ""), ("dark", "-dark")):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of the two it takes
        write_small(blank, page.screenshot(), SMALL / f"{name}{end}.webp")
        print(SMALL / f"{name}{end}.webp", flush=True)
    page.emulate_media(color_scheme="light")


def _live(visitor: Visitor) -> None:
    """Two people join, and two orders are confirmed."""
    for name in ("Nia New", "Tom Table"):
        register(visitor, "acme", f"{name.partition(' ')[0].lower()}@new.example", name)
        visitor.page.context.clear_cookies()
    visitor.sign_in(ADA, "acme")
    for customer in ("Wile", "Coyote"):
        make_order(visitor, customer)
    visitor.demo.wait_for(8, "acme")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "saas.settings_test")
    main(Path(sys.argv[1]))
