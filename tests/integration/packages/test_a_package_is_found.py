"""A package that pip has installed is a plugin of the platform; no line of the platform knows of it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection

from plugin_framework.tenancy import TenantRef, tenant_scope
from saas.testing.people import person
from tests.conftest import Tenants
from tests.faults.world import World
from tests.integration.packages.conftest import ROOT, Host, Packages

type Start = Callable[[Path], Host]
BOOK = "/apps/guestbook/"
SHEET = "/static/acme_guestbook/book.css"


def _has_tables(ref: TenantRef) -> bool:
    with tenant_scope(ref), connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [f'"{ref.schema}".acme_guestbook_entry'])
        return bool(cursor.fetchone()[0])


def _enable(host: Host, tenant: str = "acme") -> None:
    done = host.manage("plugins", "enable", "--plugin", "guestbook", "--tenant", tenant)
    assert done.code == 0, done.err


def test_no_line_of_the_platform_knows_of_it() -> None:
    program = ("saas", "tenants", "plugin_framework", "plugins", "templates", "manage.py", "pyproject.toml")
    assert subprocess.run(["grep", "-riE", "guest_?book", *program], cwd=ROOT).returncode == 1


def test_without_it_the_platform_does_not_have_it(host: Start, tmp_path: Path) -> None:
    done = host(tmp_path).manage("plugins", "list", "--json")
    assert "guestbook" not in {row["plugin"] for row in json.loads(done.out)}


def test_it_is_listed_checked_and_migrated_like_any_other(host: Start, packages: Packages, tenants: Tenants) -> None:
    here = host(packages.good)
    checked = here.manage("check", "--fail-level", "WARNING")
    assert (checked.code, checked.out.strip()) == (0, "System check identified no issues (0 silenced).")
    rows = {row["plugin"]: row for row in json.loads(here.manage("plugins", "list", "--json").out)}
    assert rows["guestbook"]["version"] == "1.2.0"
    assert here.manage("makemigrations", "--check", "--dry-run", "acme_guestbook").code == 0
    _enable(here)
    assert here.manage("migrate").code == 0
    assert (_has_tables(tenants.acme), _has_tables(tenants.globex)) == (True, False)


def test_its_pages_template_static_file_and_hooks_work_where_it_is_enabled(
    host: Start, packages: Packages, tenants: Tenants, tmp_path: Path
) -> None:
    here = host(packages.good)
    _enable(here)
    ada, gil = person(tenants.acme, "member"), person(tenants.globex, "member")
    mine, theirs = {"host": tenants.acme.host, "email": ada.email}, {"host": tenants.globex.host, "email": gil.email}
    closed, signed, book, sheet, elsewhere, dashboard = here.ask(
        {"host": tenants.acme.host, "path": BOOK},
        {**mine, "path": BOOK, "post": {"text": "Ada was here"}},
        {**mine, "path": BOOK},
        {"host": tenants.acme.host, "path": SHEET},
        {**theirs, "path": BOOK},
        {**mine, "path": "/"},
    )
    assert (closed["status"], signed["status"], book["status"], elsewhere["status"]) == (302, 302, 200, 404)
    for text in ("Welcome", "Ada was here", "1 lines in the book of Acme", SHEET):
        assert text in book["text"]
    assert (sheet["status"], sheet["text"].strip()) == (200, ".guestbook { font-style: italic; }")
    assert f'href="{BOOK}"' in dashboard["text"]
    _deliver(here, tenants, tmp_path)
    with tenant_scope(tenants.acme), connection.cursor() as cursor:
        cursor.execute("SELECT text, seen FROM acme_guestbook_entry")
        assert cursor.fetchall() == [("Ada was here", 1)]


def _deliver(host: Host, tenants: Tenants, folder: Path) -> None:
    """Let a worker of that platform do what there is to do."""
    world = World(tenants.acme, tenants.globex, host.url, folder)
    worker = world.worker(**host.environment)
    try:
        world.settle()
    finally:
        worker.stop()
    assert [row.state for row in world.deliveries(tenants.acme)] == ["done"], worker.text


def test_taken_away_again_it_leaves_its_data_and_everybody_else_alone(
    host: Start, packages: Packages, tenants: Tenants, tmp_path: Path
) -> None:
    _enable(host(packages.good))
    ada = person(tenants.acme, "admin")
    mine = {"host": tenants.acme.host, "email": ada.email}
    gone, plugins = host(tmp_path).ask({**mine, "path": BOOK}, {**mine, "path": "/settings/plugins/"})
    assert gone["status"] == 404
    assert plugins["status"] == 200
    assert "is not installed any more. Its settings and data are kept." in plugins["text"]
    assert _has_tables(tenants.acme)


@pytest.fixture(autouse=True)
def _in_a_real_database(committed_db: str) -> None:
    """Other processes must see what these tests write."""
