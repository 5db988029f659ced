"""A new tenant starts with nothing: what somebody has left in a schema of its name is not theirs."""

from __future__ import annotations

import pytest
from django.db import ProgrammingError, connection

from plugin_framework.tenancy import public_scope
from tenants import provisioning
from tenants.models import PLATFORM_SCHEMA, Tenant
from tests.conftest import Tenants


def test_a_schema_that_is_there_already_is_not_taken_over(committed_db: str, tenants: Tenants) -> None:
    """Only the platform's schema has a name that is known beforehand; here its row is lost, and a table is left of something else."""
    with public_scope(), connection.cursor() as cursor:
        Tenant.objects.filter(schema_name=PLATFORM_SCHEMA).delete()
        cursor.execute(f"DROP SCHEMA {PLATFORM_SCHEMA} CASCADE")
        cursor.execute(f"CREATE SCHEMA {PLATFORM_SCHEMA}")
        cursor.execute(f"CREATE TABLE {PLATFORM_SCHEMA}.left_by_somebody AS SELECT 1 AS row")
    with pytest.raises(ProgrammingError, match=f'schema "{PLATFORM_SCHEMA}" already exists'):
        provisioning.ensure_platform()
    with public_scope(), connection.cursor() as cursor:
        assert not Tenant.objects.filter(schema_name=PLATFORM_SCHEMA).exists()
        cursor.execute(f"SELECT count(*) FROM {PLATFORM_SCHEMA}.left_by_somebody")
        assert cursor.fetchone() == (1,)
