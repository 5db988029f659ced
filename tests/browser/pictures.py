"""`python -m tests.browser.pictures FOLDER`: the documentation's screenshots, taken of a demo in which something has happened."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.browser.conftest import Visitor, free_port, launched, start_demo, stop_demo
from tests.browser.test_the_tour import make_order, register

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


def main(folder: Path) -> None:
    """Start a demo, let people do something in it, and look at its pages."""
    with tempfile.TemporaryDirectory() as data, sync_playwright() as playwright:
        demo = start_demo(Path(data) / "data", free_port())
        try:
            browser = launched(playwright)
            context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
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
            browser.close()
        finally:
            stop_demo(demo)


def _live(visitor: Visitor) -> None:
    """Two people join, and two orders are confirmed."""
    for name in ("Nia New", "Tom Table"):
        register(visitor, "acme", f"{name.partition(' ')[0].lower()}@new.example", name)
        visitor.page.context.clear_cookies()
    visitor.sign_in(ADA, "acme")
    for customer in ("Wile", "Coyote"):
        make_order(visitor.page, visitor, customer)
    visitor.demo.wait_for(8, "acme")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "saas.settings_test")
    main(Path(sys.argv[1]))
