"""The console's pages that look at much ask the database little: they stay below twenty statements, with room for what is to come."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from plugin_framework import lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.catalog import plans
from plugin_framework.catalog.plans import Limits
from plugin_framework.quotas import storage
from plugin_framework.tenancy import TenantRef, tenant_scope
from saas.console import health_page
from tests.conftest import Tenants
from tests.integration.console.test_fleet import _give_up
from tests.integration.console.test_health_and_settings import _lane

pytestmark = pytest.mark.usefixtures("plugins")
MOST = 17
PROBE = 3  # what is asked in a thread of its own whether everything is ready


def test_the_page_of_the_queue_needs_few(staff: Client, tenants: Tenants) -> None:
    for tenant in (tenants.acme, tenants.globex):
        _give_up(tenant, "clumsy")
        _lane(tenant.schema, "clumsy", "open_since = now(), trouble = 'No route.'")
    further = -(-health_page.LOOKED_AT // health_page.AT_ONCE) - 1  # statements where the fleet is large
    staff.get("/health/")
    with CaptureQueriesContext(connection) as queries:
        page = staff.get("/health/")
    assert (len(page.context["troubled"]), page.context["given_up"].counts) == (2, [("clumsy", "Clumsy", 2)])
    assert len(queries) + further + PROBE <= MOST


def test_the_page_of_one_organisation_needs_few(staff: Client, tenants: Tenants, platform: TenantRef) -> None:
    plans.define("basic", "Basic", ["clumsy", "pager"], Limits(people=10, deliveries=1000, storage=10**9))
    with tenant_scope(tenants.acme):
        plans.assign("basic")
        storage.measure()
        lifecycle.enable("clumsy", SYSTEM)
    staff.get("/tenants/acme/")
    with CaptureQueriesContext(connection) as queries:
        page = staff.get("/tenants/acme/")
    assert {info.name: info.version_here for info, _ in page.context["plugins"]}["clumsy"] == "1.0.0"
    assert next(each.amount for each in page.context["usages"]) == "0 of 10"
    assert len(queries) <= MOST
