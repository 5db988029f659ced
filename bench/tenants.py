"""Fills the benchmark's database: two tenants, one for the requests and one for the hooks, by the shipped functions."""

from __future__ import annotations

from bench.plugins import name_of
from plugin_framework import lifecycle
from plugin_framework.audit import Actor
from plugin_framework.tenancy import tenant_scope
from tenants.fleet import migrate_everything
from tenants.provisioning import create_tenant

REQUESTS, HOOKS = "requests", "hooks"  # slugs
ENABLED = {REQUESTS: range(10), HOOKS: (0, 4, 9)}  # plugins by number
_BENCH = Actor("bench")


def host_of(slug: str) -> str:
    """Where the tenant is served."""
    return f"{slug}.localhost"


def make() -> dict[str, str]:
    """Migrate, make the tenants and enable their plugins; their schemas by slug."""
    if failed := [outcome for outcome in migrate_everything() if outcome.error]:
        raise RuntimeError(f"Migrating the benchmark's database failed: {failed[0].who}: {failed[0].error}")
    return {slug: _make(slug) for slug in ENABLED}


def _make(slug: str) -> str:
    ref = create_tenant(slug, slug.capitalize(), _BENCH)
    with tenant_scope(ref):
        for number in ENABLED[slug]:
            lifecycle.enable(name_of(number), _BENCH)
    return ref.schema
