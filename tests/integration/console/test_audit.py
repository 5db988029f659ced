"""The platform's audit log: all that staff has decided, to be searched and taken along; nobody else's."""

from __future__ import annotations

from django.test import Client

from plugin_framework import lifecycle
from plugin_framework.audit import SYSTEM
from plugin_framework.models import AuditEntry
from plugin_framework.tenancy import TenantRef, tenant_scope
from tenants import operations
from tests.conftest import Tenants


def _actions(staff: Client, query: str = "") -> list[str]:
    return [entry.action for entry in staff.get(f"/audit/{query}").context["entries"]]


def test_it_has_what_staff_decided_and_nothing_of_the_organisations_own(staff: Client, tenants: Tenants) -> None:
    with tenant_scope(tenants.acme):
        lifecycle.enable("orders", SYSTEM)
    staff.post("/plans/new/", {"slug": "small", "name": "Small"})
    operations.suspend("globex", "Unpaid.", SYSTEM)
    assert _actions(staff)[:2] == ["tenant.suspended", "plan.saved"]
    assert "plugin.enabled" not in _actions(staff)


def test_it_is_narrowed_to_an_area_and_to_words(staff: Client, tenants: Tenants) -> None:
    staff.post("/plans/new/", {"slug": "small", "name": "Small"})
    staff.post("/catalog/orders/", {"availability": "hidden"})
    staff.post("/tenants/acme/plan/", {"plan": "small"})
    assert _actions(staff, "?area=catalog") == ["catalog.hidden"]
    assert _actions(staff, "?area=plans") == ["tenant.plan_changed", "plan.saved"]
    assert _actions(staff, "?q=orders") == ["catalog.hidden"]
    page = staff.get("/audit/?q=nonesuch")
    assert "No entry fits this" in page.text
    assert 'href="/audit/"' in page.text


def test_it_is_taken_along_as_a_table_from_its_own_address(staff: Client, platform: TenantRef) -> None:
    staff.post("/plans/new/", {"slug": "small", "name": "Small"})
    assert 'href="/audit/table/?area=plans"' in staff.get("/audit/?area=plans").text
    answer = staff.get("/audit/table/?area=plans")
    table = b"".join(answer).decode()
    assert "root@platform.example (platform staff),plan.saved,small" in table
    with tenant_scope(platform):
        assert table.count("\n") == AuditEntry.objects.filter(action="plan.saved").count() + 1


def test_before_anything_is_decided_it_says_so_and_leads_to_the_catalog(staff: Client, platform: TenantRef) -> None:
    with tenant_scope(platform):
        AuditEntry.objects.all().delete()
    page = staff.get("/audit/").text
    assert "Nothing has been decided yet" in page
    assert 'href="/catalog/"' in page
