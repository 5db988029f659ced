"""What a child of the worker asks while it stands by."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from plugin_framework.catalog import offers
from plugin_framework.db import recorded, wear
from plugin_framework.delivery import child
from plugin_framework.tenancy import no_scope, path_for, public_scope
from plugin_framework.tenancy_directory import PLATFORM
from tenants.models import Tenant
from tenants.provisioning import ensure_platform


@pytest.mark.django_db(transaction=True)
def test_a_rehearsal_asks_of_a_lane_and_takes_none() -> None:
    platform = ensure_platform()
    recorded.forget()
    offers.forget()
    with no_scope(), CaptureQueriesContext(connection) as queries:
        connection.close()
        child._rehearse()
    asked = [each["sql"] for each in queries]
    assert path_for(platform.schema) in wear.paths_of(connection.connection)
    assert any("catalog_catalogentry" in sql for sql in asked)
    assert not [sql for sql in asked if sql.split()[0] in ("INSERT", "UPDATE", "DELETE", "WITH")]


@pytest.mark.django_db
def test_without_the_platforms_own_tenant_there_is_nothing_to_rehearse_with() -> None:
    with public_scope():
        Tenant.objects.filter(schema_name=PLATFORM).delete()
    with CaptureQueriesContext(connection) as queries:
        child._rehearse()
    assert "catalog" not in str([each["sql"] for each in queries])
