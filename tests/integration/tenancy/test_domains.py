"""Further hosts of an organisation: operators add them, its people are served there, nobody else's host is taken."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from plugin_framework.models import AuditEntry
from plugin_framework.tenancy import tenant_scope
from saas.testing.people import person
from tests.conftest import Tenants


def run(*args: str) -> str:
    out = StringIO()
    call_command("tenants", *args, stdout=out)
    return out.getvalue()


def test_the_organisation_is_served_there_until_it_is_taken_away(
    tenants: Tenants, client_for: Callable[..., Client]
) -> None:
    assert "app.acme.example" in run("add-host", "acme", "--host", "App.Acme.example.")
    there = Client(headers={"host": "app.acme.example"})
    assert "Acme" in there.get("/accounts/login/").text
    admin = client_for(tenants.acme, person(tenants.acme, "admin"))
    page = admin.get("/settings/organisation/").text
    assert "app.acme.example" in page
    assert "CNAME" in page
    run("remove-host", "acme", "--host", "app.acme.example")
    assert there.get("/accounts/login/").status_code == 404
    with tenant_scope(tenants.acme):
        actions = AuditEntry.objects.filter(action__startswith="tenant.host").values_list("action", flat=True)
        assert list(actions) == ["tenant.host_removed", "tenant.host_added"]


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("", "no host name"),
        ("a b.example", "no host name"),
        ("127.0.0.1", "no host name"),
        ("ä.example", "no host name"),
        ("localhost", "under localhost"),
        ("other.localhost", "under localhost"),
        ("admin.localhost", "under localhost"),
        ("intranet", "under localhost"),
        ("app.globex.example", "belongs to an organisation"),
    ],
)
def test_what_is_no_host_of_theirs_is_refused(tenants: Tenants, host: str, said: str) -> None:
    run("add-host", "globex", "--host", "app.globex.example")
    with pytest.raises(CommandError, match=said):
        run("add-host", "acme", "--host", host)


def test_the_main_host_and_a_neighbours_are_not_taken_away(tenants: Tenants) -> None:
    run("add-host", "globex", "--host", "app.globex.example")
    for host in ("acme.localhost", "app.globex.example", "nowhere.example"):
        with pytest.raises(CommandError, match="none of the further hosts"):
            run("remove-host", "acme", "--host", host)
