"""Every form of a Host header ends in exactly the right tenant, or in 404 or 400: never in another's page, never in a 500."""

from __future__ import annotations

import pytest
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext

from plugin_framework import configuration, lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.tenancy import tenant_or_none, tenant_scope
from tenants.names import RESERVED
from tenants.operations import resume, suspend
from tenants.provisioning import PLATFORM_SLUG
from tests.conftest import Tenants


@pytest.fixture
def acme(tenants: Tenants) -> Tenants:
    """acme has a page that tells which tenant it sees."""
    for ref in (tenants.acme, tenants.globex):
        with tenant_scope(ref):
            configuration.configure("canary", SYSTEM, {"canary": f"of {ref.slug}"})
            lifecycle.enable("canary", SYSTEM)
    return tenants


def get(host: str, path: str = "/apps/canary/") -> tuple[int, str]:
    response = Client(raise_request_exception=True).get(path, headers={"host": host})
    return response.status_code, response.content.decode()


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize(
    "host",
    ["acme.localhost", "ACME.LOCALHOST", "Acme.localhost.", "acme.localhost:8000", "acme.localhost.:1", "acme.localhost:65535"],
)  # fmt: skip
def test_every_spelling_of_a_tenants_host_is_that_tenant(host: str) -> None:
    status, body = get(host)
    assert status == 200
    assert '"canary": "of acme"' in body


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("nobody.localhost", 404),
        ("www.localhost", 404),
        ("acme.globex.localhost", 404),
        ("acme.localhost.evil.example", 404),
        ("xacme.localhost", 404),
        ("acme", 404),
        ("example.com", 404),
        ("127.0.0.1", 400),
        ("127.0.0.1:8000", 400),
        ("[::1]", 400),
        ("[::1]:8000", 400),
        ("::1", 400),
        ("2130706433", 400),
        ("", 400),
        ("acme.localhost:0", 400),
        ("acme.localhost:99999", 400),
        ("acme.localhost:abc", 400),
        ("acme..localhost", 400),
        ("acme.localhost/../globex", 400),
        ("acme.localhost, globex.localhost", 400),
        ("acme.localhost\x00", 400),
        ("аcme.localhost", 400),
        ("'; DROP SCHEMA public; --", 400),
        ("x" * 70000, 400),
    ],
)
def test_a_host_that_is_nobodys_gets_404_and_one_that_is_no_host_400(host: str, status: int) -> None:
    got, body = get(host)
    assert got == status
    assert "of acme" not in body
    assert "of globex" not in body
    assert tenant_or_none() is None


@pytest.mark.usefixtures("acme")
def test_other_headers_do_not_choose_the_tenant() -> None:
    headers = {"host": "acme.localhost", "x-forwarded-host": "globex.localhost", "forwarded": "host=globex.localhost"}
    body = Client().get("/apps/canary/", headers=headers).content.decode()
    assert "of acme" in body
    assert "of globex" not in body


@pytest.mark.usefixtures("acme")
def test_the_public_and_the_platform_host_serve_no_tenants_pages() -> None:
    for host in ("localhost", "localhost:8000", "admin.localhost"):
        status, body = get(host)
        assert status == 404
        assert "of acme" not in body


def test_each_reserved_name_is_nobodys(acme: Tenants) -> None:
    for name in sorted(RESERVED - {PLATFORM_SLUG}):
        assert get(f"{name}.localhost")[0] in (400, 404), name


def test_a_suspended_tenant_gets_503_with_its_message_and_comes_back(acme: Tenants) -> None:
    suspend("acme", "Your invoice of May is open.", SYSTEM)
    status, body = get("acme.localhost")
    assert status == 503
    assert "Your invoice of May is open." in body
    assert "of acme" not in body
    assert get("globex.localhost")[0] == 200
    resume("acme", SYSTEM)
    assert get("acme.localhost")[0] == 200


@pytest.mark.usefixtures("acme")
def test_one_statement_finds_host_state_and_revisions_and_sets_the_path() -> None:
    client = Client()
    client.get("/apps/canary/", headers={"host": "acme.localhost"})
    with CaptureQueriesContext(connection) as queries:
        client.get("/apps/canary/", headers={"host": "acme.localhost"})
    statements = [q["sql"] for q in queries if not q["sql"].startswith(("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE"))]
    assert "find_host" in statements[0]
    assert "search_path" in statements[1].lower()  # the view's own first: SHOW search_path
    assert [sql for sql in statements[1:] if "set_config" in sql.lower() or "SET search_path" in sql] == []


def test_the_connection_is_back_to_no_tenant_after_every_response(committed_db: str, acme: Tenants) -> None:
    client = Client(raise_request_exception=False)
    for query in ("", "?savepoint", "?fail"):
        client.get(f"/apps/canary/{query}", headers={"host": "acme.localhost"})
        assert tenant_or_none() is None
        with connections["default"].cursor() as cursor:
            cursor.execute("SHOW search_path")
            assert cursor.fetchone()[0] in ("", '""')
