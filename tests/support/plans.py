"""Plans for tests: one with limits, for one tenant."""

from __future__ import annotations

from django.db import transaction

from plugin_framework.catalog import plans
from plugin_framework.catalog.plans import Limits
from plugin_framework.registry import registry
from plugin_framework.tenancy import TenantRef, tenant_scope


def limit(tenant: TenantRef, *more: str, **limits: int | None) -> None:
    """Let `tenant` have the plan Small, which includes every plugin and those named in `more`, with these limits."""
    with tenant_scope(tenant), transaction.atomic():
        plans.define("small", "Small", [*registry.specs, *more], Limits(**limits))
        plans.assign("small")
