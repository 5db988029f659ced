"""A package with a fault is kept out, with a sentence that names the fault, wherever somebody would look; all others run."""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from plugin_framework.registry import registry
from plugin_framework.tenancy_directory import platform
from saas.testing.people import person
from tests.conftest import Tenants
from tests.integration.packages.broken import FAULTY, Package
from tests.integration.packages.conftest import Host, Packages, Said

type Start = Callable[[Path], Host]
KEYS = {each.key for each in FAULTY}


@pytest.fixture(scope="module")
def checked(packages: Packages) -> Said:
    """`manage.py check` among all faulty packages."""
    return Host("postgresql:///there_is_none", packages.faulty).manage("check")


@pytest.mark.xdist_group("faulty")  # the check is made once for all of them
@pytest.mark.parametrize("package", FAULTY, ids=[each.distribution or each.name for each in FAULTY])
def test_the_check_names_the_fault(package: Package, checked: Said) -> None:
    warning = f"(tenantry.W001) The plugin {package.key} is quarantined: "
    found = [line.partition(warning)[2] for line in checked.err.splitlines() if warning in line]
    assert len(found) == 1, checked.err
    assert package.fits(found[0]), found[0]


@pytest.mark.xdist_group("faulty")
def test_the_check_warns_and_with_a_fail_level_it_fails(checked: Said, packages: Packages) -> None:
    assert checked.code == 0
    assert f"System check identified {len(KEYS)} issues" in checked.err
    strict = Host("postgresql:///there_is_none", packages.faulty).manage("check", "--fail-level", "WARNING")
    assert strict.code == 1
    assert strict.err.count("(tenantry.W001)") == len(KEYS)


def test_a_handler_that_waits_for_what_nobody_declares_fails_the_strict_check(packages: Packages) -> None:
    here = Host("postgresql:///there_is_none", packages.misspelt)
    mild, strict = here.manage("check"), here.manage("check", "--fail-level", "WARNING")
    assert (mild.code, strict.code) == (0, 1)
    for said in (mild.err, strict.err):
        assert "(tenantry.W002) misspelt.seen handles 'user_registred', which nobody declares." in said
        assert "Nearest names: user_registered" in said


@pytest.mark.usefixtures("committed_db")
def test_everything_else_runs_and_the_console_tells_of_each(host: Start, packages: Packages, tenants: Tenants) -> None:
    here = host(packages.faulty)
    listed = {row["plugin"]: row["note"] for row in json.loads(here.manage("plugins", "list", "--json").out)}
    assert set(listed) >= KEYS | set(registry.specs) - {"canary", "gated"} | {"guestbook"}
    assert here.manage("migrate").code == 0
    for plugin in ("guestbook", "orders"):
        done = here.manage("plugins", "enable", "--plugin", plugin, "--tenant", "acme")
        assert done.code == 0, done.err
    refused = here.manage("plugins", "enable", "--plugin", "too_new", "--tenant", "acme")
    assert (refused.code, "needs Tenantry >=99" in refused.err) == (1, True)
    own = platform()
    assert own is not None
    root, ada = person(own.ref, "admin"), person(tenants.acme, "admin")
    staff, mine = {"host": own.ref.host, "email": root.email}, {"host": tenants.acme.host, "email": ada.email}
    overview, catalog, one, book, orders, settings = here.ask(
        {**staff, "path": "/"},
        {**staff, "path": "/catalog/"},
        {**staff, "path": "/catalog/too_new/"},
        {**mine, "path": "/apps/guestbook/"},
        {**mine, "path": "/apps/orders/"},
        {**mine, "path": "/settings/plugins/"},
    )
    assert {each["status"] for each in (overview, catalog, one, book, orders, settings)} == {200}
    assert "needs Tenantry &gt;=99" in one["text"]
    for package in FAULTY:
        for page in (overview, catalog):
            assert package.fits(html.unescape(page["text"])), package.name


_DELETE = """
from plugin_framework.tenancy import tenant_scope
from tenants.accounts.models import User
from tenants.directory import by_slug
with tenant_scope(by_slug("acme").ref):
    print(User.objects.get(email="member@acme.example").delete()[0])
"""


@pytest.mark.usefixtures("committed_db")
def test_people_can_be_deleted_though_a_broken_plugin_has_models_that_point_at_them(
    host: Start, packages: Packages, tenants: Tenants
) -> None:
    person(tenants.acme, "member")
    done = host(packages.faulty).manage("shell", "--no-imports", "--command", _DELETE)
    assert (done.code, done.out.strip()) == (0, "1"), done.err
