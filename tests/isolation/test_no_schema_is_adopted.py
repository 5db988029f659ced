"""A new tenant starts with nothing: what somebody has left in a schema of its name is not theirs."""

from __future__ import annotations

import pytest
from django.db import ProgrammingError

from plugin_framework.audit import SYSTEM, record
from plugin_framework.models import AuditEntry
from plugin_framework.tenancy import public_scope, tenant_scope
from tenants import provisioning
from tenants.models import PLATFORM_SCHEMA, Tenant
from tests.conftest import Tenants


def test_a_schema_that_is_there_already_is_not_taken_over(committed_db: str, tenants: Tenants) -> None:
    """Only the platform's schema has a name that is known beforehand; its row is lost here, and its tables are not."""
    platform = provisioning.ensure_platform()
    with tenant_scope(platform):
        record(SYSTEM, "storm.left")
    with public_scope():
        Tenant.objects.filter(schema_name=PLATFORM_SCHEMA).delete()
    with pytest.raises(ProgrammingError, match="already exists"):
        provisioning.ensure_platform()
    with public_scope():
        assert not Tenant.objects.filter(schema_name=PLATFORM_SCHEMA).exists()
    with tenant_scope(platform):
        assert AuditEntry.objects.filter(action="storm.left").exists()
