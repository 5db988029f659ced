"""The demo, a Chromium to look at it with, and the people who do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol
from zipfile import ZipFile

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from saas.startplugin import start_plugin
from saas.testing.waiting import wait_until
from tests.browser.running_demo import Demo, free_port, processes_of, start_demo, stop_demo
from tests.browser.visitor import WIDE, Visitor, launched
from tests.integration.packages.conftest import wheel_of


class Visit(Protocol):
    """`visit()`: somebody with a fresh browser; `visit(email, host)`: somebody who is signed in there."""

    def __call__(self, email: str = "", host: str = "", *, scripts: bool = True, locale: str = "en-US") -> Visitor: ...


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """One demo for all journeys, in which a plugin author's package is installed; it ends by Ctrl-C and leaves nothing behind."""
    base = tmp_path_factory.mktemp("demo")
    (base / "work").mkdir()
    with ZipFile(wheel_of(start_plugin("late_lunch", base / "work"), base / "work")) as wheel:
        wheel.extractall(base / "packages")
    running = start_demo(base / "da ta", free_port(), base / "packages")
    yield running
    assert "Stopping" in stop_demo(running)
    assert running.process.returncode == 0
    wait_until(lambda: not processes_of(running.data), what="the end of what the demo has started")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, without a window.

    For one module at a time: Playwright keeps an event loop running in this thread, and Django then refuses it the database.
    """
    with sync_playwright() as playwright:
        started = launched(playwright)
        yield started
        started.close()


@pytest.fixture
def visit(demo: Demo, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """The people of a journey, each with a browser of their own; whatever a console complains of fails the test."""
    journey = Path(str(request.node.path)).stem.removeprefix("test_").replace("_", "-")
    contexts: list[BrowserContext] = []
    people: list[Visitor] = []

    def make(email: str = "", host: str = "", *, scripts: bool = True, locale: str = "en-US") -> Visitor:
        context = browser.new_context(
            viewport={"width": WIDE, "height": 900},
            reduced_motion="reduce",  # colours that are still changing have another contrast
            java_script_enabled=scripts,
            locale=locale,
        )
        contexts.append(context)
        people.append(Visitor(demo, context, journey, scripts=scripts))
        if email:
            people[-1].sign_in(email, host)
        return people[-1]

    yield make
    for context in contexts:
        context.close()
    assert [said for each in people for said in each.complaints] == []
