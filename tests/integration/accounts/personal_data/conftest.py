"""Fixtures of the tests of personal data: acme's people, and the plugin that keeps something of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.test import Client

from plugin_framework import lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.tenancy import tenant_scope
from saas.testing.people import confirmed, person
from tenants.accounts.models import User
from tests.conftest import Tenants
from tests.dummies import pages
from tests.integration.accounts.personal_data.notebook import ADA, Notebook, client


@pytest.fixture
def notebook(tenants: Tenants) -> Iterator[type[Notebook]]:
    """Enabled in acme, and in the registry for this test."""
    Notebook.asked, Notebook.failing = [], False
    with pages.installed(Notebook):
        with tenant_scope(tenants.acme):
            lifecycle.enable("notebook", SYSTEM)
        yield Notebook


@pytest.fixture
def staff(tenants: Tenants) -> dict[str, User]:
    """An owner, an admin, and Ada, a member; and an Ada next door."""
    person(tenants.globex, "owner", ADA)
    return {
        "owner": person(tenants.acme, "owner"),
        "admin": person(tenants.acme, "admin"),
        "ada": person(tenants.acme, "member", ADA),
    }


@pytest.fixture
def admin(tenants: Tenants, staff: dict[str, User], client_for: Callable[..., Client]) -> Client:
    return client(client_for, tenants, staff["admin"])


@pytest.fixture
def ada(tenants: Tenants, staff: dict[str, User], client_for: Callable[..., Client]) -> Client:
    found = client_for(tenants.acme, staff["ada"])
    found.defaults["HTTP_USER_AGENT"] = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"
    return confirmed(found)
