"""Plans for tests: one with limits, for one tenant."""

from __future__ import annotations

from plugin_framework.catalog import plans
from plugin_framework.catalog.plans import Limits
from plugin_framework.registry import registry
from plugin_framework.tenancy import TenantRef, tenant_scope


def limit(tenant: TenantRef, **limits: int | None) -> None:
    """Let `tenant` have the plan Small, which includes every plugin, with these limits."""
    with tenant_scope(tenant):
        plans.define("small", "Small", list(registry.specs), Limits(**limits))
        plans.assign("small")
