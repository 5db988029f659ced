"""The demo as a newcomer starts it, and a Chromium to look at it with."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright, sync_playwright

from saas.testing.waiting import wait_until
from tests.browser.accessibility import barriers

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = Path(__file__).parent / "screenshots"
PASSWORD = "correct-horse-battery"
OFFSETS = (0, 25, 26, 27)  # the demo's ports, from PORT on


@dataclass(frozen=True, slots=True)
class Demo:
    """A running demo."""

    port: int
    data: Path
    process: subprocess.Popen[str]
    said: list[str]

    def url(self, path: str = "/", host: str = "") -> str:
        """An address on an organisation's host, or on the public one."""
        return f"http://{host}{'.' if host else ''}localhost:{self.port}{path}"

    def inbox(self, *, platform: bool = False) -> list[dict[str, Any]]:
        """What has arrived, newest first."""
        address = self.url("/inbox/platform/" if platform else "/inbox/")
        request = urllib.request.Request(f"{address}?format=json")
        with urllib.request.urlopen(request, timeout=10) as answer:
            found: list[dict[str, Any]] = json.load(answer)
        return found

    def wait_for(self, count: int, tenant: str, to: str = "") -> list[dict[str, Any]]:
        """The messages of one organisation, once there are `count` of them (that mention `to`)."""

        def arrived() -> list[dict[str, Any]]:
            found = [row for row in self.inbox() if row["tenant"] == tenant and to in json.dumps(row)]
            return found if len(found) >= count else []

        return wait_until(arrived, what=f"{count} messages of {tenant} about {to!r}; arrived: {self.inbox()}")


def free_port() -> int:
    """A port from which on the demo's four are free."""
    for port in range(20000 + os.getpid() % 20000, 60000, 50):
        with suppress(OSError):
            probes = []
            try:
                for offset in OFFSETS:
                    probe = socket.socket()
                    probes.append(probe)
                    probe.bind(("127.0.0.1", port + offset))
                return port
            finally:
                for probe in probes:
                    probe.close()
    raise AssertionError("no free ports")


def start_demo(data: Path, port: int) -> Demo:
    """`manage.py demo`, up to `Ready`."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DATABASE", "SECRET"))}
    for name in ("BASE_DOMAIN", "PLUGIN_ALLOW_LOOPBACK", "EMAIL_URL", "DJANGO_SETTINGS_MODULE", "TENANTRY_DEMO"):
        environment.pop(name, None)
    process = subprocess.Popen(
        [sys.executable, "manage.py", "demo"],
        cwd=ROOT,
        env={**environment, "TENANTRY_DATA": str(data), "PORT": str(port), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    said: list[str] = []
    assert process.stdout is not None
    for line in process.stdout:
        said.append(line.rstrip())
        if line.strip() == "Ready":
            return Demo(port, data, process, said)
    process.wait()
    raise AssertionError("The demo ended before it was ready:\n" + "\n".join(said))


def stop_demo(demo: Demo) -> str:
    """Press Ctrl-C, and return what it said until it had ended."""
    demo.process.send_signal(signal.SIGINT)
    rest, _ = demo.process.communicate(timeout=60)
    return rest


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """One demo for all browser tests of this process."""
    running = start_demo(tmp_path_factory.mktemp("demo") / "data", free_port())
    yield running
    stop_demo(running)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, without a window.

    For one module at a time: Playwright keeps an event loop running in this thread, and Django then refuses it the database.
    """
    with sync_playwright() as playwright:
        started = launched(playwright)
        yield started
        started.close()


def launched(playwright: Playwright) -> Browser:
    """The Chromium that CHROMIUM names, or one on the path."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.fail("The browser tests need Chromium: install it (Debian: apt-get install chromium), or set CHROMIUM.")
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
    return playwright.chromium.launch(executable_path=path, args=arguments)


class Visitor:
    """One person's browser: a page, what its console complained of, and screenshots."""

    def __init__(self, demo: Demo, context: BrowserContext, name: str, *, scripts: bool = True) -> None:
        self.demo, self.name, self.scripts = demo, name, scripts
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
        """Sign in with the demo's password."""
        self.go("/accounts/login/", host)
        self.page.get_by_label("Email").fill(email)
        self.page.get_by_label("Password").first.fill(PASSWORD)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url("**/")

    def look(self, name: str) -> None:
        """Keep a screenshot at both widths, and require that nothing is wider than the window, and that it keeps nobody out."""
        SCREENSHOTS.mkdir(exist_ok=True)
        self.page.wait_for_load_state()
        before = self.page.viewport_size
        for width in (1280, 390):
            self.page.set_viewport_size({"width": width, "height": 900})
            wide = self.page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{name} is {wide} px wide in a window of {width}"
            self.page.screenshot(path=SCREENSHOTS / f"{name}-{width}.png", full_page=True)
        if self.scripts:  # axe-core is one, and would be waited for in vain
            self._ask_axe(name)
        if before:
            self.page.set_viewport_size(before)

    def _ask_axe(self, name: str) -> None:
        """All rules on the page as it is; its contrast in the other colours besides."""
        found = barriers(self.page)
        dark = self.page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
        self.page.emulate_media(color_scheme="light" if dark else "dark")
        found += [f"in the other colours: {each}" for each in barriers(self.page, "color-contrast")]
        self.page.emulate_media(color_scheme="dark" if dark else "light")
        assert found == [], f"{name} keeps people out:\n" + "\n".join(found)


@pytest.fixture
def visitor(demo: Demo, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Visitor]:
    """A person with a fresh browser; whatever the console complains of fails the test."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 900}, reduced_motion="reduce"
    )  # colours that are still changing have another contrast
    person = Visitor(demo, context, request.node.name)
    yield person
    context.close()
    assert person.complaints == []
