"""People for the tests of pages."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.test import Client

from plugin_framework.tenancy import TenantRef, tenant_scope

PASSWORD = "a long pass phrase 7"  # of accounts in test databases


def person(tenant: TenantRef, role: str, email: str = "") -> Any:
    """An account of `tenant` with a role: owner, admin or member."""
    with tenant_scope(tenant):
        return get_user_model().objects.create_user(email or f"{role}@{tenant.slug}.example", PASSWORD, role=role)


def confirmed(client: Client) -> Client:
    """`client`, whose person has just typed their password again, as they are asked to before data is exported or deleted."""
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    return client
