"""Two releases of the program on one database: what is installed of each, their processes, and what is asked of them."""

from __future__ import annotations

import contextlib
import http.client
import json
import shutil
import socket
import threading
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from flit_core import buildapi

from plugin_framework.tenancy import TenantRef
from tests.faults.world import ROOT, Started, World

SOURCES = ROOT / "tests" / "packages" / "rolling"
TOKEN = "t" * 32  # what a browser would have got with the page
SETTINGS = "tests.faults.rolling_settings"
_PREPARE = """
import django; django.setup()
from plugin_framework import configuration, lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.tenancy import tenant_scope
from tenants.directory import everyone
from tenants.fleet import Options, migrate_everything
assert not [outcome for outcome in migrate_everything(Options(finish=True)) if outcome.error]
for entry in everyone():
    with tenant_scope(entry.ref):
        configuration.configure("board", SYSTEM, {"greeting": f"Greetings from {entry.ref.slug}"})
        lifecycle.enable("board", SYSTEM)
"""


def install(release: str, folder: Path) -> Path:
    """Put the packages of a release into a folder of their own, as pip would: the plugin's wheel, and the platform's app."""
    target = folder / release
    with contextlib.chdir(SOURCES / release):
        wheel = folder / buildapi.build_wheel(str(folder))
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    shutil.copytree(SOURCES / release / "acme_ledger", target / "acme_ledger")
    return target


@dataclass(slots=True)
class Release:
    """One release: the folder in which its packages are, and the address at which its web server listens."""

    name: str
    folder: Path
    world: World
    listening: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)))

    @property
    def environment(self) -> dict[str, str]:
        return {"DJANGO_SETTINGS_MODULE": SETTINGS, "PYTHONPATH": str(self.folder)}

    def web(self) -> Started:
        """Start its web server; what is asked meanwhile waits."""
        number = self.listening.fileno()
        command = ("-m", "gunicorn", "saas.wsgi", "--bind", f"fd://{number}", "--preload", "--no-control-socket")
        return self.world.run(*command, "--threads", "4", inherits=(number,), **self.environment)

    def worker(self) -> Started:
        """Start its worker."""
        return self.world.worker(**self.environment)

    def prepare(self) -> None:
        """Bring the database to where this release has it, with the board enabled and set up for everybody."""
        started = self.world.run("-c", _PREPARE, **self.environment)
        assert started.process.wait(timeout=600) == 0, started.text

    def migrate(self, *options: str) -> tuple[int, dict[str, dict[str, Any]]]:
        """Run `migrate_tenants`: its exit code, and its report by tenant."""
        started = self.world.run("manage.py", "migrate_tenants", "--json", *options, **self.environment)
        code = started.process.wait(timeout=600)
        text = started.text
        rows = json.JSONDecoder().raw_decode(text[text.index("[\n") :])[0]
        return code, {row["who"]: row for row in rows}

    def ask(self, tenant: TenantRef, path: str, text: str = "") -> tuple[int, str]:
        """The status and the body of a page, or of what comes of posting `text` to it."""
        host, port = self.listening.getsockname()
        with closing(http.client.HTTPConnection(host, port, timeout=600)) as web:
            headers = {"Host": tenant.host, "Cookie": f"csrftoken={TOKEN}", "X-CSRFToken": TOKEN}
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            web.request("POST" if text else "GET", path, urlencode({"text": text}) if text else None, headers)
            answer = web.getresponse()
            return answer.status, answer.read().decode()


@dataclass(slots=True)
class Visitors:
    """Who reads and writes while something else happens: every page of every tenant in turn, at each of `releases`."""

    releases: tuple[Release, ...]
    tenants: tuple[TenantRef, ...]
    strange: list[tuple[str, str, int, str]] = field(default_factory=list)  # answers that are no success
    written: list[tuple[str, str, str]] = field(default_factory=list)  # tenant, page, text: what was confirmed
    rounds: int = 0

    @contextlib.contextmanager
    def at_work(self, least: int = 1) -> Iterator[None]:
        """Inside, they come and go; at the end they have been everywhere at least `least` times."""
        leaving = threading.Event()
        goal = self.rounds + least
        thread = threading.Thread(target=self._come_and_go, args=(leaving, goal))
        thread.start()
        try:
            yield
        finally:
            leaving.set()
            thread.join(600)
            assert not thread.is_alive()
            assert self.strange == []

    def _come_and_go(self, leaving: threading.Event, goal: int) -> None:
        while not self.strange and (not leaving.is_set() or self.rounds < goal):
            for release in self.releases:
                for tenant in self.tenants:
                    for page in ("/apps/board/", "/ledger/"):
                        self._visit(release, tenant, page)
            self.rounds += 1

    def _visit(self, release: Release, tenant: TenantRef, page: str) -> None:
        text = f"{release.name} {self.rounds}"
        status, body = release.ask(tenant, page, text)
        if status == 201:
            self.written.append((tenant.slug, page, text))
        else:
            self.strange.append((release.name, page, status, body[:300]))
        status, body = release.ask(tenant, page)
        if status != 200 or body.splitlines()[0] != release.name or text not in body:
            self.strange.append((release.name, page, status, body[:300]))
