"""One person's browser: a page, what its console complained of, and pictures of what there was to see."""

from __future__ import annotations

import os
import re
import shutil
from base64 import b64decode
from collections import Counter
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright

from tests.browser.accessibility import barriers
from tests.browser.running_demo import Demo

SCREENSHOTS = Path(__file__).parent / "screenshots"
PASSWORD = "correct-horse-battery"
WIDE, NARROW = 1280, 390
VIEWS = ((WIDE, "light"), (NARROW, "dark"))  # each width and each colour once
ALL_VIEWS = (*VIEWS, (WIDE, "dark"), (NARROW, "light"))
_steps: Counter[str] = Counter()  # pictures taken in each journey


def launched(playwright: Playwright) -> Browser:
    """The Chromium that CHROMIUM names, or one on the path."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.fail("The browser tests need Chromium: install it (Debian: apt-get install chromium), or set CHROMIUM.")
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
    return playwright.chromium.launch(executable_path=path, args=arguments)


def look_at(page: Page, journey: str, step: str, *, scripts: bool = True, everywhere: bool = False) -> None:
    """Keep pictures of a step, and require that nothing is wider than the window, and that the page keeps nobody out.

    All of axe's rules are asked of the wide page in light colours, and the contrast of what a phone shows in dark ones.

    Args:
        journey: the folder of `screenshots/` that the pictures go to, under the number and the name of the step.
        scripts: whether the page runs any; axe-core is one, and would be waited for in vain.
        everywhere: keep all four pictures of both widths and both colours, not only two.
    """
    _steps[journey] += 1
    if _steps[journey] == 1:
        shutil.rmtree(SCREENSHOTS / journey, ignore_errors=True)
    folder = SCREENSHOTS / journey
    folder.mkdir(parents=True, exist_ok=True)
    page.wait_for_load_state()
    for width, colours in ALL_VIEWS if everywhere else VIEWS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=colours)  # type: ignore[arg-type]  # one of the two it takes
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{step} is {wide} px wide in a window of {width}"
        keep_picture(page, folder / f"{_steps[journey]:02}-{step}-{width}-{colours}.png")
        if scripts:
            found = barriers(page, *(() if (width, colours) == VIEWS[0] else ("color-contrast",)))
            assert found == [], f"{step}, {width} px, {colours}, keeps people out:\n" + "\n".join(found)
    page.set_viewport_size({"width": WIDE, "height": 900})
    page.emulate_media(color_scheme="light")


def keep_picture(page: Page, path: Path) -> None:
    """A picture of the whole page. Playwright's own takes half as long again: it cannot ask for the quick way to pack it."""
    size = page.evaluate(
        "({ width: document.documentElement.scrollWidth, height: document.documentElement.scrollHeight })"
    )
    browser = page.context.new_cdp_session(page)
    how = {"format": "png", "optimizeForSpeed": True, "captureBeyondViewport": True}
    taken = browser.send("Page.captureScreenshot", {**how, "clip": {"x": 0, "y": 0, "scale": 1, **size}})
    browser.detach()
    path.write_bytes(b64decode(taken["data"]))


class Visitor:
    """A person at the demo. Whatever the console complains of is kept."""

    def __init__(self, demo: Demo, context: BrowserContext, journey: str, *, scripts: bool = True) -> None:
        self.demo, self.journey, self.scripts = demo, journey, scripts
        self.page: Page = context.new_page()
        self.page.set_default_timeout(15_000)
        self.complaints: list[str] = []
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and "status of 4" not in message.text:
            self.complaints.append(message.text)

    def go(self, path: str, host: str = "") -> Page:
        """Open an address."""
        self.page.goto(self.demo.url(path, host))
        return self.page

    def sign_in(self, email: str, host: str) -> None:
        """Sign in with the demo's password, or with what the browser of somebody who did so before remembers."""
        known = self.demo.signed_in.get((email, host))
        if known is not None:
            self.page.context.add_cookies(known)  # type: ignore[arg-type]  # they were read from such a one
            return
        self.go("/accounts/login/", host)
        self.page.get_by_label("E-mail address").fill(email)
        self.page.get_by_label("Password").first.fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(re.compile(r"^[^/]+//[^/]+/$"))
        found = self.page.context.cookies(self.demo.url("/", host))
        self.demo.signed_in[email, host] = found  # type: ignore[assignment]  # the same, by another name

    def look(self, step: str, *, everywhere: bool = False) -> None:
        """Keep pictures of a step of this journey; see `look_at`."""
        look_at(self.page, self.journey, step, scripts=self.scripts, everywhere=everywhere)
